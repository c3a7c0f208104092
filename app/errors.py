"""Failures that the user can do something about. Each carries a sentence for that user.

    Failure                 the sentence and an HTTP status
    ├── Invalid       400   one or more fields are wrong (a page answers 422 with the form)
    │   └── Taken     409   a field is valid, but taken, already in place or one too many
    ├── SignedOut     401   log in first
    ├── Forbidden     403   signed in, but not allowed
    ├── NotFound      404   does not exist, or belongs to someone else: the answer is the same
    │   └── NoPicture 404   it exists, but has no picture
    ├── Conflict      409   valid, but not in the present state
    │   └── OtherUser 409   the page was made for another user
    ├── OlderSession  403   the page was made in an earlier session of the same user
    ├── Gone          410   it existed, but was removed
    ├── TooLarge      413   more bytes than allowed
    ├── BadRange      416   a range beyond the end of the file
    ├── TooMany       429   retry after `retry_after` seconds
    └── Unavailable   503   the database or the disk fails; retry after `retry_after` seconds
        └── OutOfSpace 507  the disk is full

Two are raised and drawn elsewhere: CompilationError, why a clip or video could not be processed
(app/projects/video/ffmpeg.py), and BadArchive, for the commands (app/backup/archive.py).
`app/web/error_handlers.py` turns them into a page, a fragment or problem+json.
"""

from collections.abc import Mapping, Sequence

from app.language import _
from app.values.names import to_plain


class Failure(Exception):
    """`sentence` has its names isolated (app.values.names); `headers` are added to the response."""

    status = 500

    def __init__(self, sentence: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(to_plain(sentence))
        self.sentence = sentence
        self.headers = dict(headers or {})


class Invalid(Failure):
    """`fields` maps the name of each wrong field to an error message; empty messages are dropped."""

    status = 400

    def __init__(self, fields: Mapping[str, str]) -> None:
        super().__init__(_("Please check what you entered."))
        self.fields = {field: error for field, error in fields.items() if error}


class Taken(Invalid):
    status = 409


def require_valid(**errors: str) -> None:
    """Raises Invalid for every field whose error message is not empty."""
    if any(errors.values()):
        raise Invalid(errors)


class SignedOut(Failure):
    status = 401

    def __init__(self, sentence: str = "") -> None:
        super().__init__(sentence or _("Please log in first."), {"WWW-Authenticate": "Bearer"})


class Forbidden(Failure):
    status = 403


class NotFound(Failure):
    status = 404

    def __init__(self, sentence: str = "") -> None:
        super().__init__(sentence or _("There is nothing here, or you do not have access to it."))


class NoPicture(NotFound):
    """The thing exists, but has no picture."""


class Conflict(Failure):
    status = 409


class Gone(Failure):
    status = 410


class OtherUser(Conflict):
    """`typed` has the fields of the request's form as (name, value) pairs, including those that
    prove for which user it was made. `owner_id` is that user's id if the proof is valid.
    """

    def __init__(
        self, typed: Sequence[tuple[str, str]] = (), *, owner_id: int | None = None
    ) -> None:
        super().__init__(
            _("You have logged in as another user since this page was opened. Nothing was changed.")
        )
        self.typed, self.owner_id = typed, owner_id


class OlderSession(Failure):
    """`typed` has the fields of the request's form as (name, value) pairs.

    A page offers to send the form again. Otherwise (the API, scripts of an open page) this is a
    refusal.
    """

    status = 403

    def __init__(self, typed: Sequence[tuple[str, str]] = ()) -> None:
        super().__init__(
            _("You have logged in again since this page was opened. Nothing was changed.")
        )
        self.typed = typed


class TooLarge(Failure):
    status = 413


class BadRange(Failure):
    """`size` is the size of the whole file, in bytes."""

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


class Unavailable(Failure):
    """Nothing is wrong with the request. `app/faults.py` makes these."""

    status = 503

    def __init__(self, sentence: str, retry_after: int) -> None:
        super().__init__(sentence, {"Retry-After": str(retry_after)})
        self.retry_after = retry_after


class OutOfSpace(Unavailable):
    """RFC 4918, 11.5: the method could not be performed for lack of space."""

    status = 507
