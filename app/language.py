"""Translation of every sentence that users read, with gettext.

Catalogues are in `app/locale/<language>/LC_MESSAGES/clippyfront.mo`; English is the source language.
`_()` translates into the language of the current request, job or recipient. `N_()` only marks a
sentence, which is translated later, where it is shown.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from gettext import NullTranslations, translation
from pathlib import Path

LOCALE = Path(__file__).parent / "locale"
SOURCE_LANGUAGE = "en"


def translations(language: str) -> NullTranslations:
    """The catalogue for `language` ("de", "pt-BR"), or the English source if there is none."""
    return _catalogue(_shipped(language))


@cache
def _catalogue(language: str) -> NullTranslations:
    return translation("clippyfront", LOCALE, [language.replace("-", "_")], fallback=True)


@cache
def shipped_languages() -> tuple[str, ...]:
    """The tags of the languages that have a catalogue, the source language first."""
    found = {path.parent.parent.name for path in LOCALE.glob("*/LC_MESSAGES/clippyfront.mo")}
    return SOURCE_LANGUAGE, *sorted(name.replace("_", "-") for name in found)


def _shipped(language: str) -> str:
    return language if language in shipped_languages() else SOURCE_LANGUAGE


# The tag of a language, and its catalogue.
_current: ContextVar[tuple[str, NullTranslations]] = ContextVar(
    "language",
    default=(SOURCE_LANGUAGE, NullTranslations()),
)


@contextmanager
def in_language(language: str) -> Iterator[None]:
    """Within this block, `_()` translates into `language`."""
    token = _current.set((_shipped(language), translations(language)))
    try:
        yield
    finally:
        _current.reset(token)


def set_language(language: str) -> None:
    """For the rest of this task (a request or a job), `_()` translates into `language`."""
    _current.set((_shipped(language), translations(language)))


def current_language() -> str:
    """The tag of the language that `_()` translates into at present."""
    return _current.get()[0]


def current_translations() -> NullTranslations:
    """The catalogue that `_()` reads at present: for a language it is always the same object."""
    return _current.get()[1]


def _(sentence: str) -> str:
    return _current.get()[1].gettext(sentence)


def ngettext(one: str, many: str, n: int) -> str:
    return _current.get()[1].ngettext(one, many, n)


def N_(sentence: str) -> str:
    return sentence
