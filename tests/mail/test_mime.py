"""Mails as bytes, read back by Python's own `email` package."""

from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default

import pytest

from app.mail.mime import Picture, compose_mime

LINK = "<https://clips.example.com/unsubscribe/" + "a1B2_-" * 60 + ">"


def read(
    subject: str = "Hello", text: str = "Hello\n", html: str = "<p>Hello", **more: str
) -> EmailMessage:
    headers = {"To": "bob@example.com", "Subject": subject} | more
    mail = message_from_bytes(compose_mime(headers, text, html), policy=default)
    assert [part.defects for part in mail.walk()] == [[], [], []]
    return mail


def body(mail: EmailMessage, kind: str = "plain") -> str:
    part = mail.get_body((kind,))
    assert part is not None
    return str(part.get_content()).replace("\r\n", "\n")


@pytest.mark.parametrize(
    "subject",
    [
        "Project 'Reel' was shared",
        "Projekt „Höhepunkte“ wurde mit dem Team „Film & Schnitt“ geteilt, und noch einiges mehr",
        "🎬 " * 30 + "end",
        "A long one without anything strange, which has to be folded because it fits on no line of a mail",
        "=?utf-8?q?not_encoded?=",
        "a=?b",
    ],
)
def test_any_subject_arrives_as_it_is_in_short_lines(subject: str) -> None:
    mail = read(subject)

    assert mail["Subject"] == subject
    raw = compose_mime({"Subject": subject}, "", "")
    assert max(len(line) for line in raw.split(b"\r\n")) <= 78


@pytest.mark.parametrize(
    "text",
    [
        "Zoë's team: 100 % = done\n",
        "  indented, and with a space at the end \n\ttab\t\n",
        "x" * 3000 + "\n",
        "ü" * 500 + "\n",
        ".\n..\n. one dot\nFrom here\n",
        "--=_clippyfront--\n",
        "first\n\n\nlast\n",
    ],
)
def test_any_text_arrives_as_it_is_in_short_lines(text: str) -> None:
    raw = compose_mime({"Subject": "x"}, text, text)

    mail = read(text=text, html=text)
    assert (body(mail), body(mail, "html")) == (text, text)
    assert raw.isascii()
    assert max(len(line) for line in raw.split(b"\r\n")) <= 78
    assert b"\n" not in raw.replace(b"\r\n", b"")


def test_a_long_link_stays_in_one_piece() -> None:
    raw = compose_mime({"Subject": "x", "List-Unsubscribe": LINK}, "", "")

    assert f"\r\nList-Unsubscribe: {LINK}\r\n".encode() in raw


@pytest.mark.parametrize(
    "value",
    [
        "bob@example.com\r\nBcc: all@example.com",
        "a\nb",
        "a\0b",
        "a\u2028b",
        "Zoë@example.com",
        "x" * 2000,
    ],
)
def test_text_that_is_invalid_in_a_header_is_refused(value: str) -> None:
    with pytest.raises(ValueError):
        compose_mime({"To": value, "Subject": "x"}, "", "")


def test_pictures_arrive_as_they_are_beside_the_html() -> None:
    jpegs = [bytes(range(256)) * 9, b"--=_related--\r\n--=_clippyfront--\r\n"]
    pictures = [Picture(f"{number}@x.org", jpeg) for number, jpeg in enumerate(jpegs)]

    raw = compose_mime({"Subject": "x"}, "Hello", "<p>Hello", pictures)
    mail = message_from_bytes(raw, policy=default)

    [text, related] = mail.iter_parts()
    assert isinstance(related, EmailMessage)
    html, *images = related.iter_parts()
    assert (text.get_content_type(), related.get_content_type()) == (
        "text/plain",
        "multipart/related",
    )
    assert html.get_content() == "<p>Hello\r\n"
    assert [image.get_payload(decode=True) for image in images] == jpegs
    assert [image["Content-ID"] for image in images] == ["<0@x.org>", "<1@x.org>"]
    assert max(len(line) for line in raw.split(b"\r\n")) <= 78
