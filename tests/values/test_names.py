"""Names: which are taken, and how they stand in a sentence."""

import pytest

from app.values.names import clean, isolate, name_error, shorten, tidy, to_html, to_plain, to_text

EMPTY = "Enter a name."
ARABIC, LATIN = "فريق 12 (v2)", "Squad (v2)"


def error_of(name: str) -> str:
    return name_error(name, most=120, if_empty=EMPTY)


@pytest.mark.parametrize(
    "name",
    [
        "👩‍👩‍👧‍👦 Team",
        "می‌خواهم",
        "Vi\u200bdeo",
        "Vi\u00addeo",
        ARABIC,
        "צוות\u200f!",
        "x" * 120,
        "=?utf-8?Q?x?=",
    ],
)
def test_a_name_in_any_script_is_taken_as_it_is(name: str) -> None:
    assert error_of(name) == ""
    assert tidy(name) == clean(name) == name


@pytest.mark.parametrize("char", "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
def test_characters_that_change_the_direction_are_refused_and_cleaned_away(char: str) -> None:
    assert "direction" in error_of(f"abc{char}def")
    assert clean(f"abc{char}def") == "abcdef"


@pytest.mark.parametrize("char", "\n\r\v\f\x1c\x1d\x1e\x85\u2028\u2029")
def test_line_breaks_are_refused_and_cleaned_away(char: str) -> None:
    assert "single line" in error_of(f"abc{char}Bcc: x@example.org")
    assert clean(f"abc{char}def") == "abc def"


@pytest.mark.parametrize("name", ["", "  ", "\u200d\u200b", "\x01", "\n"])
def test_a_name_without_a_visible_character_is_empty(name: str) -> None:
    assert error_of(name) == EMPTY


def test_a_long_name_is_refused() -> None:
    assert error_of("x" * 121) == "Use at most 120 characters."


@pytest.mark.parametrize(
    ("name", "html", "text"),
    [
        (LATIN, "<bdi>Squad (v2)</bdi>", LATIN),
        (ARABIC, f"<bdi>{ARABIC}</bdi>", f"\u2068{ARABIC}\u2069"),
        ("<b>&", "<bdi>&lt;b&gt;&amp;</bdi>", "<b>&"),
        ("a\u202eb\nc", "<bdi>ab c</bdi>", "ab c"),
    ],
)
def test_a_name_is_isolated_where_it_is_shown(name: str, html: str, text: str) -> None:
    sentence = f"Team {isolate(name)} & {isolate('Bob')}"

    assert to_html(sentence) == f"Team {html} &amp; <bdi>Bob</bdi>"
    assert to_text(sentence) == f"Team {text} & Bob"
    assert to_plain(sentence) == f"Team {clean(name)} & Bob"


@pytest.mark.parametrize(
    ("sentence", "most", "short"),
    [
        (f"Team {isolate('abcdef')}", 11, f"Team {isolate('abcdef')}"),
        (f"Team {isolate('abcdef')} left", 9, f"Team {isolate('abc…')}"),
        (f"Team {isolate('abc')}", 6, "Team…"),
        ("Reel e\u0301xx", 6, "Reel …"),
        ("Reel 👩‍👩‍👧‍👦!", 10, "Reel …"),
        ("Reel 👍🏽!!", 7, "Reel …"),
    ],
)
def test_a_cut_closes_what_it_opened_and_divides_no_character(
    sentence: str, most: int, short: str
) -> None:
    assert shorten(sentence, most) == short


def test_a_cut_does_not_go_back_without_end() -> None:
    assert len(shorten("x" + "\u0301" * 200, 100)) > 80
