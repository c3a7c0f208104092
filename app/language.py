"""Every sentence a person reads passes through here (gettext), in that person's language.

Catalogues live in `app/locale/<language>/LC_MESSAGES/clippyfront.mo`; English is the source.
`_()` translates now, into the language of the present request or recipient;
`N_()` only marks a sentence that is translated later, where it is shown.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from gettext import NullTranslations, translation
from pathlib import Path

LOCALE = Path(__file__).parent / "locale"
SOURCE_LANGUAGE = "en"


@cache
def translations(language: str) -> NullTranslations:
    """The catalogue for `language` ("de", "pt-BR"), or the English source where there is none."""
    return translation("clippyfront", LOCALE, [language.replace("-", "_")], fallback=True)


_current: ContextVar[NullTranslations] = ContextVar(
    "translations",
    default=NullTranslations(),  # noqa: B039 - nothing ever changes it
)


@contextmanager
def speaking(language: str) -> Iterator[None]:
    """Within this block, `_()` speaks `language`."""
    token = _current.set(translations(language or SOURCE_LANGUAGE))
    try:
        yield
    finally:
        _current.reset(token)


def speak(language: str) -> None:
    """From here on in this task (a request, a job), `_()` speaks `language`."""
    _current.set(translations(language or SOURCE_LANGUAGE))


def _(sentence: str) -> str:
    return _current.get().gettext(sentence)


def ngettext(one: str, many: str, n: int) -> str:
    return _current.get().ngettext(one, many, n)


def N_(sentence: str) -> str:
    return sentence
