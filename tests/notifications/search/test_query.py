import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.notifications.search.query import Query, Term, parse_query
from app.notifications.search.words import Phrase


def words(*words: str, is_open: bool = True, is_excluded: bool = False) -> Term:
    return Term("words", Phrase(words, is_open=is_open), is_excluded=is_excluded)


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("Joined  TEAM", [words("joined"), words("team")]),
        ('"joined the team"', [words("joined", "the", "team", is_open=False)]),
        ("“joined the”", [words("joined", "the", is_open=False)]),
        ('"joined the te', [words("joined", "the", "te")]),
        ("-left", [words("left", is_excluded=True)]),
        ('-"was removed"', [words("was", "removed", is_open=False, is_excluded=True)]),
        ("foo-bar", [words("foo", "bar")]),
        ("twice twice", [words("twice")]),
    ],
)
def test_words_count_from_their_beginning_and_phrases_as_they_are(
    text: str, terms: list[Term]
) -> None:
    assert parse_query(text) == Query(tuple(terms))


@pytest.mark.parametrize(
    ("text", "term"),
    [
        ("from:Ali", Term("from", Phrase(("ali",), is_open=True))),
        ('team:"Video Squad"', Term("team", Phrase(("video", "squad"), is_open=False))),
        ('-project:"Reel', Term("project", Phrase(("reel",), is_open=True), is_excluded=True)),
        ("type:member_added", Term("type", value="member_added")),
        ("TYPE:compilation_complete", Term("type", value="compilation_completed")),
        ("-is:Unread", Term("is", value="unread", is_excluded=True)),
        ("is:snoozed", Term("is", value="snoozed")),
        ("before:2026-11-01", Term("before", value="2026-11-01")),
        ('after:"2024-02-29"', Term("after", value="2024-02-29")),
    ],
)
def test_an_operator_has_a_value(text: str, term: Term) -> None:
    assert parse_query(text) == Query((term,))


@pytest.mark.parametrize(
    ("text", "term"),
    [
        ("re:invoice", words("re", "invoice")),
        ("is:blue", words("is", "blue")),
        ("type:party", words("type", "party")),
        ("before:2026-13-01", words("before", "2026", "13", "01")),
        ("after:20261101", words("after", "20261101")),
        ("before:٢٠٢٦-١١-٠١", words("before", "٢٠٢٦", "١١", "٠١")),
        ("from:", words("from")),
        ("https://example.com", words("https", "example", "com")),
    ],
)
def test_an_unknown_operator_or_an_impossible_value_is_searched_as_words(
    text: str, term: Term
) -> None:
    assert parse_query(text) == Query((term,))


@pytest.mark.parametrize("text", ["", "  ", "-", '"', '""', "!!! ...", "-\u200d", "\x00"])
def test_a_query_without_words_is_empty(text: str) -> None:
    assert parse_query(text) == Query()


@pytest.mark.parametrize(
    ("text", "view"),
    [
        ("is:done", "done"),
        ("reel is:saved", "saved"),
        ("is:unread is:snoozed", "snoozed"),
        ("is:unread", ""),
        ("-is:done", ""),
        ("done", ""),
    ],
)
def test_a_state_beside_the_inbox_asks_for_its_view(text: str, view: str) -> None:
    assert parse_query(text).view == view


LIKE_QUERIES = st.lists(
    st.one_of(
        st.text(max_size=8),
        st.sampled_from(
            ["from:", "team:", "is:", "type:", "before:", "-", '"', "“", ":", " ", "*"]
        ),
    )
).map("".join)


@given(st.one_of(st.text(), LIKE_QUERIES))
def test_every_text_is_a_query(text: str) -> None:
    query = parse_query(text)

    assert len(query.texts) + len(query.facts) == len(query.terms)
    assert all(term.phrase.words or term.value for term in query.terms)
