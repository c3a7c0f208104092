"""Names of users, teams, projects and the rest: what one may contain, and how it is written in a
sentence.

`isolate` puts a name between U+2068 and U+2069 (UAX #9, 2.4), so that neither its letters nor the
sentence around it change the order of the other. Where the sentence is shown, `to_html`, `to_text`
or `to_plain` replaces these marks with what its format needs.
"""

import re
import unicodedata

from markupsafe import Markup, escape

from app.language import _

FSI, PDI = "\u2068", "\u2069"
# Embeddings, overrides and isolates reorder what follows a name. The marks U+200E, U+200F and U+061C
# reach no further than the name itself, and names in Arabic, Persian and Hebrew need them.
_CONTROLS = r"\u202a-\u202e\u2066-\u2069"
_BREAKS = r"\n-\r\x1c-\x1e\x85\u2028\u2029"
# The characters of a name as a JSON Schema pattern. PostgreSQL does not store NUL.
NAME_PATTERN = rf"^[^\x00{_BREAKS}{_CONTROLS}]*$"

_CONTROL, _BREAK = re.compile(f"[{_CONTROLS}]"), re.compile(f"[{_BREAKS}]")
_ISOLATED = re.compile(f"{FSI}([^{FSI}{PDI}]*){PDI}")
_ZERO_WIDTH_JOINER = "\u200d"
# A cut moves at most this far to avoid splitting a combined character, such as a family emoji.
_LONGEST_CLUSTER = 16


def name_error(name: str, *, most: int, if_empty: str) -> str:
    """Why `name` is not a name of at most `most` characters, or ""."""
    if _BREAK.search(name.strip()):
        return _("Use a single line.")
    if _CONTROL.search(name):
        return _("Remove the invisible characters that change the direction of the text.")
    tidied = tidy(name)
    if not any(char.isprintable() and not char.isspace() for char in tidied):
        return if_empty
    return _("Use at most {limit} characters.").format(limit=most) if len(tidied) > most else ""


def tidy(name: str) -> str:
    """`name` with single spaces, and without control characters and lone surrogates."""
    name = " ".join(name.split())
    return "".join(char for char in name if unicodedata.category(char) not in ("Cc", "Cs"))


def clean(name: str) -> str:
    """A stored name, which may be older than the rules above, as one harmless line."""
    return name if name.isascii() and name.isprintable() else tidy(_CONTROL.sub("", name))


def isolate(name: str) -> str:
    """`name` between the marks, to be put into a sentence. Show that with a function below."""
    return f"{FSI}{clean(name)}{PDI}"


def to_html(sentence: str) -> Markup:
    # A function is called faster than re fills in a template.
    shown = _ISOLATED.sub(lambda name: f"<bdi>{name[1]}</bdi>", str(escape(sentence)))
    return Markup(shown)  # noqa: S704 - escaped


def to_text(sentence: str) -> str:
    """For mail, push and page titles: only names with right-to-left letters stay isolated."""
    return _ISOLATED.sub(lambda name: name[0] if _is_right_to_left(name[1]) else name[1], sentence)


def to_plain(sentence: str) -> str:
    """For JSON."""
    return _ISOLATED.sub(lambda name: name[1], sentence)


def shorten(sentence: str, most: int) -> str:
    """Shorten to `most` characters, not counting the marks. A shortened sentence ends in "…"."""
    visible = [index for index, char in enumerate(sentence) if char not in (FSI, PDI)]
    if len(visible) <= most:
        return sentence
    start = sentence[: _cut(sentence, visible[most - 1])]
    return f"{start}…" + PDI * (start.count(FSI) - start.count(PDI))


def _is_right_to_left(name: str) -> bool:
    """Whether any of its letters is."""
    return any(unicodedata.bidirectional(char) in ("R", "AL") for char in name)


def _cut(text: str, at: int) -> int:
    """The last position up to `at` where a cut does not split a character."""
    indexes = range(at, max(at - _LONGEST_CLUSTER, 1), -1)
    return next((index for index in indexes if not _is_divided(text, index)), at)


def _is_divided(text: str, at: int) -> bool:
    is_part = unicodedata.category(text[at]) in ("Mn", "Me", "Mc", "Cf", "Sk")
    return is_part or text[at - 1] in (_ZERO_WIDTH_JOINER, FSI)
