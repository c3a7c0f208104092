"""A mail as bytes (RFC 5322, RFC 2045): seven bits, short lines, text first and HTML second, with its
pictures (RFC 2387).

Python's `email` package is not used: it turns an address that is too long for a line into encoded
words, in which no mail program finds the List-Unsubscribe link, and it takes ten times as long.
"""

from base64 import encodebytes
from binascii import b2a_qp
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from email.header import Header
from email.utils import formataddr

# RFC 2045, 6.7: "=_" never occurs in quoted-printable text, so no text can end its part. Neither
# boundary is a prefix of the other.
BOUNDARY, RELATED = "=_clippyfront", "=_related"
LINE, LONGEST_LINE = 78, 998
CRLF = "\r\n"


@dataclass(frozen=True)
class Picture:
    """A JPEG that the HTML shows: `<img src="cid:…">` (RFC 2392)."""

    cid: str
    jpeg: bytes


def compose_mime(
    headers: Mapping[str, str], text: str, html: str, pictures: Sequence[Picture] = ()
) -> bytes:
    """`Subject` may be any text; other headers are ASCII, encoded where necessary.

    Raises ValueError for a header that would end early or begin another one, or is too long.
    """
    head = [_header(name, value) for name, value in headers.items()]
    head += ["MIME-Version: 1.0", f'Content-Type: multipart/alternative; boundary="{BOUNDARY}"']
    return b"".join(
        [
            CRLF.join([*head, "", ""]).encode("ascii"),
            _part(BOUNDARY, "text/plain", text),
            _related(html, pictures) if pictures else _part(BOUNDARY, "text/html", html),
            f"--{BOUNDARY}--\r\n".encode(),
        ]
    )


def _related(html: str, pictures: Sequence[Picture]) -> bytes:
    """The HTML and its pictures are one alternative to the text."""
    kind = f'multipart/related; type="text/html"; boundary="{RELATED}"'
    return b"".join(
        [
            f"--{BOUNDARY}\r\nContent-Type: {kind}\r\n\r\n".encode(),
            _part(RELATED, "text/html", html),
            *(_picture(number, one) for number, one in enumerate(pictures, 1)),
            f"--{RELATED}--\r\n".encode(),
        ]
    )


def _picture(number: int, picture: Picture) -> bytes:
    name = f"picture-{number}.jpg"
    head = [
        f"--{RELATED}",
        f'Content-Type: image/jpeg; name="{name}"',
        "Content-Transfer-Encoding: base64",
        f'Content-Disposition: inline; filename="{name}"',
        f"Content-ID: <{picture.cid}>",
        "",
        "",
    ]
    return CRLF.join(head).encode() + encodebytes(picture.jpeg).replace(b"\n", CRLF.encode())


def named(name: str, address: str) -> str:
    """`name <address>` (RFC 5322, 3.4), the name in encoded words where it is not plain (RFC 2047)."""
    if _is_plain(name):
        return formataddr((name, address))
    return f"{Header(name, 'utf-8', LINE).encode(linesep='')} <{address}>"


def _header(name: str, value: str) -> str:
    if "\0" in value or value.splitlines() not in ([], [value]):
        raise ValueError(f"{value!r} cannot stand in the header {name}.")
    if name == "Subject" and not _is_plain(value):
        return f"{name}: {Header(value, 'utf-8', LINE, name).encode(linesep=CRLF)}"
    return CRLF.join(_folded(f"{name}: {value}"))


def _is_plain(text: str) -> bool:
    return text.isascii() and text.isprintable() and "=?" not in text


def _folded(line: str) -> list[str]:
    """Breaks the line only at spaces, and never before the first word."""
    name, first, *words = line.split(" ")
    lines = [f"{name} {first}"]
    for word in words:
        if len(lines[-1]) + 1 + len(word) > LINE:
            lines.append("")
        lines[-1] += f" {word}"
    if max(map(len, lines)) > LONGEST_LINE:
        raise ValueError(f"A word in {name} is too long.")
    return lines


def _part(boundary: str, kind: str, content: str) -> bytes:
    head = [
        f"--{boundary}",
        f'Content-Type: {kind}; charset="utf-8"',
        "Content-Transfer-Encoding: quoted-printable",
        "",
        "",
    ]
    lines = CRLF.join([*content.splitlines(), ""])
    return CRLF.join(head).encode() + b2a_qp(lines.encode(), istext=True) + CRLF.encode()
