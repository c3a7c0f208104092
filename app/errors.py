"""Failures a person can mend, each with a sentence that person can read.

    Failure                 the sentence, a status
    ├── Invalid       400   one or more fields are wrong (a page shows them as 422 with the form)
    │   └── Taken     409   a field is right in itself, but somebody or something is there already
    ├── SignedOut     401   sign in first
    ├── Forbidden     403   signed in, but not allowed
    ├── NotFound      404   not there, or not yours: the answer is the same
    ├── Conflict      409   right in itself, but not as things stand
    ├── TooLarge      413   more bytes than allowed
    ├── BadRange      416   a part of a file that has no such part
    └── TooMany       429   slow down; `retry_after` seconds

They are turned into page, fragment or problem+json in one place: `app/error_handlers.py`.
"""

from collections.abc import Mapping

from app.language import _


class Failure(Exception):
    """`headers` go out with the answer."""

    status = 500

    def __init__(self, sentence: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.headers = dict(headers or {})


class Invalid(Failure):
    """`fields` maps each wrong field's name to what is wrong with it."""

    status = 400

    def __init__(self, fields: Mapping[str, str]) -> None:
        super().__init__(_("Please check what you entered."))
        self.fields = dict(fields)


class Taken(Invalid):
    status = 409


class SignedOut(Failure):
    status = 401

    def __init__(self, sentence: str = "") -> None:
        super().__init__(sentence or _("Please log in first."), {"WWW-Authenticate": "Bearer"})


class Forbidden(Failure):
    status = 403


class NotFound(Failure):
    status = 404

    def __init__(self, sentence: str = "") -> None:
        super().__init__(sentence or _("There is nothing here."))


class Conflict(Failure):
    status = 409


class TooLarge(Failure):
    status = 413


class BadRange(Failure):
    """`size` is that of the whole file."""

    status = 416

    def __init__(self, size: int) -> None:
        super().__init__(_("The file ends before that."), {"Content-Range": f"bytes */{size}"})


class TooMany(Failure):
    status = 429

    def __init__(self, sentence: str, retry_after: int) -> None:
        super().__init__(sentence, {"Retry-After": str(retry_after)})
        self.retry_after = retry_after
