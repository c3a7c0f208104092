"""Marks the matches of a search in a text."""

from collections.abc import Iterator, Sequence

from markupsafe import Markup, escape

from app.notifications.search.query import parse_query
from app.notifications.search.words import Phrase, Word, find_words, fold
from app.values.names import FSI, PDI

Span = tuple[int, int]


def highlight(text: str, query: str) -> Markup:
    """The text as HTML, with <mark> around the words that match. Names stay isolated, for `to_html`
    (app.values.names) to render.
    """
    words = find_words(text)
    terms = [term for term in parse_query(query).texts if not term.is_excluded]
    spans = (span for term in terms for span in _spans(text, words, term.phrase))
    return Markup("").join(_pieces(text, {at for start, end in spans for at in range(start, end)}))


def _spans(text: str, words: Sequence[Word], phrase: Phrase) -> Iterator[Span]:
    size = len(phrase.words)
    for at in range(len(words) - size + 1):
        found = words[at : at + size]
        if _is_meant(found, phrase):
            yield found[0].start, _end(text, found[-1], len(phrase.words[-1]))


def _is_meant(found: Sequence[Word], phrase: Phrase) -> bool:
    *before, last = phrase.words
    *others, end = (word.text for word in found)
    return others == before and (end.startswith(last) if phrase.is_open else end == last)


def _end(text: str, word: Word, size: int) -> int:
    """Where the first `size` characters of the word end in the text."""
    for index in range(word.start, word.end):
        size -= len(fold(text[index]))
        if size <= 0:
            return index + 1
    return word.end


def _pieces(text: str, marked: set[int]) -> Iterator[Markup]:
    """A mark ends where a name begins or ends: their elements must not overlap in HTML."""
    kinds = [char if char in (FSI, PDI) else index in marked for index, char in enumerate(text)]
    start = 0
    for index in range(1, len(text) + 1):
        if index == len(text) or kinds[index] != kinds[start]:
            piece = escape(text[start:index])
            yield Markup("<mark>{}</mark>").format(piece) if kinds[start] is True else piece
            start = index
