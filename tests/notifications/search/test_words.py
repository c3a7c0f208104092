import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.notifications.search.words import Phrase, find_words, fold, phrase_of, words_of


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Compilation of 'Best Clips' failed", ["compilation", "of", "best", "clips", "failed"]),
        ("ÅNGSTRÖM Łódź İstanbul ØRSTED", ["angstrom", "lodz", "istanbul", "orsted"]),
        ("STRASSE Straße ΣΊΣΥΦΟΣ σίσυφος", ["strasse", "strasse", "σισυφοσ", "σισυφοσ"]),
        ("alice's foo_bar-baz, C++", ["alice", "s", "foo", "bar", "baz", "c"]),
        ("render 3.5 of ½", ["render", "3", "5", "of", "1", "2"]),
        ("ｆｕｌｌ ﬁne soft\u00adhyphen", ["full", "fine", "softhyphen"]),
        ("מִלָּה العَرَبِيَّة", ["מלה", "العربية"]),
        ("한국어 팀", words_of("한국어") + words_of("팀")),
    ],
)
def test_case_and_diacritics_do_not_matter(text: str, words: list[str]) -> None:
    assert words_of(text) == words


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("東京都", ["東京", "京都", "都"]),
        ("東", ["東"]),
        ("動画クルー", ["動画", "画ク", "クル", "ルー", "ー"]),
        ("ไทย", ["ไท", "ทย", "ย"]),
        ("東京tower", ["東京", "京", "tower"]),
        ("東京、大阪", ["東京", "京", "大阪", "阪"]),
    ],
)
def test_a_script_without_spaces_is_read_in_pairs(text: str, words: list[str]) -> None:
    assert words_of(text) == words


def test_a_symbol_is_a_word_by_itself() -> None:
    assert words_of("go🎬🎉️!") == ["go", "🎬", "🎉"]


@pytest.mark.parametrize(
    ("wanted", "is_found"),
    [
        ("東", True),
        ("京都", True),
        ("都へ", True),
        ("東京都", True),
        ("京東", False),
        ("東都", False),
    ],
)
def test_any_part_of_a_text_without_spaces_is_found_in_it(wanted: str, is_found: bool) -> None:
    words, phrase = words_of("来週は東京都へ"), phrase_of(wanted, is_whole=True)

    assert any(begins_with(words[at:], phrase) for at in range(len(words))) is is_found


def begins_with(words: list[str], phrase: Phrase) -> bool:
    """As a database compares a phrase with a document."""
    found, last = words[: len(phrase.words)], phrase.words[-1]
    if not phrase.is_open:
        return found == list(phrase.words)
    return found[:-1] == list(phrase.words[:-1]) and found[-1].startswith(last)


def test_a_word_is_no_longer_than_databases_like() -> None:
    assert [len(word) for word in words_of("x" * 5000)] == [64]


@given(st.text())
def test_any_text_has_words_that_no_database_could_take_for_syntax(text: str) -> None:
    for word in find_words(text):
        assert word.text
        assert not set(word.text) & set(" '\"\\*:()&|!<>-\x00")
        assert all(unicodedata.category(char) not in ("Cs", "Co", "Cc") for char in word.text)
        assert 0 <= word.start < word.end <= len(text)


@given(st.text())
def test_folding_twice_changes_nothing(text: str) -> None:
    once = "".join(map(fold, text))
    assert "".join(map(fold, once)) == once
    assert words_of(once) == words_of(text)


@given(st.text(), st.text())
def test_every_text_is_found_in_a_text_that_begins_with_it(text: str, more: str) -> None:
    phrase = phrase_of(text, is_whole=False)
    if phrase.words:
        assert begins_with(words_of(f"{text} {more}"), phrase)
