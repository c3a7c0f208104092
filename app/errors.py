"""Failures that the user can do something about, each with a sentence for the user.

    Failure                 a sentence and a status
    ├── Invalid       400   one or more fields are invalid (a page shows the form again, with 422)
    │   └── Taken     409   the value is valid but already in use
    ├── SignedOut     401   not signed in
    ├── Forbidden     403   signed in but not allowed
    ├── NotFound      404   does not exist, or the user may not know that it does
    ├── Conflict      409   not possible in the present state
    ├── TooLarge      413   too many bytes
    ├── BadRange      416   a byte range beyond the end of the file
    └── TooMany       429   too many attempts; try again after `retry_after` seconds

`app/error_handlers.py` turns them into a page, a fragment or problem+json.
"""

from collections.abc import Mapping

from app.language import _


class Failure(Exception):
    """`headers` are added to the response."""

    status = 500

    def __init__(self, sentence: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.headers = dict(headers or {})


class Invalid(Failure):
    """`fields` maps the name of each invalid field to a sentence about it."""

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
        super().__init__(sentence or _("It does not exist, or you do not have access to it."))


class Conflict(Failure):
    status = 409


class TooLarge(Failure):
    status = 413


class BadRange(Failure):
    """`size` is the size of the whole file."""

    status = 416

    def __init__(self, size: int) -> None:
        super().__init__(
            _("The requested range is beyond the end of the file."),
            {"Content-Range": f"bytes */{size}"},
        )


class TooMany(Failure):
    status = 429

    def __init__(self, sentence: str, retry_after: int) -> None:
        super().__init__(sentence, {"Retry-After": str(retry_after)})
        self.retry_after = retry_after
