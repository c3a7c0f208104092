"""Splits text into words, for the index and for queries alike.

Case and diacritics do not matter: characters are decomposed (NFKD), casefolded and stripped of marks
(Unicode Standard Annex #15; The Unicode Standard, 3.13). Scripts without spaces between words, such as
Chinese, Japanese and Thai, are split into overlapping pairs of characters and the last character:
東京都 is 東京, 京都 and 都. A symbol, such as an emoji, is a word by itself.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby, pairwise

LONGEST_WORD = 64
LETTER, SPACELESS, SYMBOL, SEPARATOR = range(4)
# Letters with a stroke, and ligatures, that Unicode does not decompose.
_PLAIN = str.maketrans(
    {"ø": "o", "ł": "l", "đ": "d", "ħ": "h", "ŧ": "t", "ı": "i", "æ": "ae", "œ": "oe"}
)
# Thai, Lao, Myanmar, Khmer; Chinese and Japanese, with their radicals and Bopomofo.
_SPACELESS = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u2e80-\u2fdf\u3005-\u3007\u3040-\u312f\u31a0-\u31bf"
    "\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\U00020000-\U000323af]"
)
# Enough for most texts, and ten times as fast.
_ASCII = re.compile("[A-Za-z0-9]+")
_REMEMBERED = 4096


@dataclass(frozen=True)
class Word:
    """A folded word, and where it is in the original text: `text[start:end]`.

    `overlaps`: the word is a pair of characters, and the next word begins with the second one.
    """

    text: str
    start: int
    end: int
    overlaps: bool = False


@dataclass(frozen=True)
class Phrase:
    """Consecutive words. If `is_open`, the last one is a prefix: "vid" finds "video"."""

    words: tuple[str, ...]
    is_open: bool


NO_WORDS = Phrase((), is_open=False)


def words_of(text: str) -> list[str]:
    return [word.text for word in find_words(text)]


def find_words(text: str) -> list[Word]:
    if text.isascii():
        return [Word(one[0].lower()[:LONGEST_WORD], *one.span()) for one in _ASCII.finditer(text)]
    return [word for kind, run in _runs(text) for word in _WORDS_IN[kind](run)]


def phrase_of(text: str, *, is_whole: bool) -> Phrase:
    """The phrase that finds `text`, without words if `text` has none.

    `is_whole`: the last word is complete. In scripts without spaces the end of a word is unknown, so
    any character may follow the last one.
    """
    words = find_words(text)
    if len(words) > 1 and words[-2].overlaps:
        return Phrase(tuple(word.text for word in words[:-1]), is_open=False)
    ends_open = not is_whole or any(_SPACELESS.match(word.text) for word in words[-1:])
    return Phrase(tuple(word.text for word in words), is_open=ends_open)


@lru_cache(_REMEMBERED)
def fold(character: str) -> str:
    """The letters and digits that a character folds to: "" for a mark, a space for anything that
    separates words.
    """
    decomposed = unicodedata.normalize("NFKD", character)
    folded = unicodedata.normalize("NFKD", decomposed.casefold()).translate(_PLAIN)
    return "".join(" " if _kind(one) == SEPARATOR else one for one in folded if not _is_mark(one))


def _is_mark(character: str) -> bool:
    """Whether it is a diacritic or invisible: a joiner, a soft hyphen, an emoji's variation selector."""
    is_invisible = (
        unicodedata.category(character) in ("Cf", "Me") or "\ufe00" <= character <= "\ufe0f"
    )
    return is_invisible or unicodedata.combining(character) > 0


def _kind(character: str) -> int:
    category = unicodedata.category(character)
    if category == "So":
        return SYMBOL
    if category[0] not in "LN" and category not in ("Mn", "Mc"):
        return SEPARATOR
    return SPACELESS if _SPACELESS.match(character) else LETTER


_kind_of = lru_cache(_REMEMBERED)(_kind)
Run = list[tuple[str, int]]


def _runs(text: str) -> Iterator[tuple[int, Run]]:
    """Runs of folded characters of one kind, each character with its index in the text."""
    folded = ((one, index) for index, char in enumerate(text) for one in fold(char))
    for kind, run in groupby(folded, key=lambda one: _kind_of(one[0])):
        yield kind, list(run)


def _one(run: Run) -> list[Word]:
    return [Word("".join(char for char, _index in run)[:LONGEST_WORD], run[0][1], run[-1][1] + 1)]


def _each(run: Run) -> list[Word]:
    return [Word(char, index, index + 1) for char, index in run]


def _pairs(run: Run) -> list[Word]:
    pairs = pairwise(run)
    both = [Word(a + b, start, end + 1, overlaps=True) for (a, start), (b, end) in pairs]
    return both + _each(run[-1:])


def _none(_run: Run) -> list[Word]:
    return []


_WORDS_IN = {LETTER: _one, SPACELESS: _pairs, SYMBOL: _each, SEPARATOR: _none}
