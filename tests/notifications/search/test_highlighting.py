import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import escape

from app.notifications.search.highlighting import highlight
from app.values.names import FSI, PDI, isolate, to_html


@pytest.mark.parametrize(
    ("text", "query", "shown"),
    [
        ("Bob joined the team", "team", "Bob joined the <mark>team</mark>"),
        ("Bob joined the team", "JO te", "Bob <mark>jo</mark>ined the <mark>te</mark>am"),
        ("Bob joined the team", '"joined the"', "Bob <mark>joined the</mark> team"),
        ("Bob joined the team", "-team from:bob", "<mark>Bob</mark> joined the team"),
        ("Ångström’s Straße", "angs strass", "<mark>Ångs</mark>tröm’s <mark>Straß</mark>e"),
        ("来週は東京都へ", "東京", "来週は<mark>東京</mark>都へ"),
        ("来週は東京都へ", "都", "来週は東京<mark>都</mark>へ"),
        ("1 < 2 & <b>", "2 b", "1 &lt; <mark>2</mark> &amp; &lt;<mark>b</mark>&gt;"),
        ("Nothing", "is:unread", "Nothing"),
        ("Nothing", "", "Nothing"),
        ("", "x", ""),
    ],
)
def test_matches_are_marked(text: str, query: str, shown: str) -> None:
    assert str(highlight(text, query)) == shown


def test_marks_and_isolated_names_do_not_cross() -> None:
    sentence = f"{isolate('Bob')} joined {isolate('Video <Squad>')}"

    shown = to_html(highlight(sentence, '"joined video squad" bob'))

    assert str(shown) == (
        "<bdi><mark>Bob</mark></bdi> <mark>joined </mark>"
        "<bdi><mark>Video &lt;Squad</mark>&gt;</bdi>"
    )


@given(
    st.text(alphabet=st.one_of(st.characters(), st.sampled_from([FSI, PDI, "<", "a", "東"]))),
    st.text(),
)
def test_the_whole_text_is_kept(text: str, query: str) -> None:
    marked = highlight(text, query)

    assert re.sub("</?mark>", "", str(marked)) == str(escape(text))
