"""The base classes of all request and response bodies, and the bodies that many endpoints share.

The OpenAPI document is generated from these classes: their docstrings are its descriptions.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, ClassVar

from litestar.params import QueryParameter
from msgspec import Meta, Struct

from app.values.numbers import GREATEST_ID

Id = Annotated[int, Meta(ge=1, le=GREATEST_ID)]
# PostgreSQL does not store NUL.
NO_NUL = r"^[^\x00]*$"
Text = Annotated[str, Meta(pattern=NO_NUL)]
PageNumber = Annotated[int, QueryParameter(ge=1, description="A page after the last one is empty.")]


def whole_seconds(moment: datetime) -> datetime:
    """`moment` without microseconds. JSON shows it as ISO 8601 in UTC, ending in Z."""
    return moment.replace(microsecond=0)


def like(**fields: Any) -> Mapping[str, Any]:
    """A JSON object with these fields, as an example of a body."""
    return fields


class RequestBody(Struct, kw_only=True, forbid_unknown_fields=True):
    """A JSON object that a client sends, or a part of one.

    `constraints` between fields are JSON Schema keywords for the document, named as in
    `litestar.openapi.spec.Schema`; the handler enforces them.
    """

    example: ClassVar[Mapping[str, Any]] = like()
    constraints: ClassVar[Mapping[str, Any]] = like()

    @classmethod
    def find_errors(cls, _data: Mapping[str, Any]) -> Mapping[str, str]:
        """An error message for each invalid field, by its path. Override it where the domain explains it better."""
        return {}


class ResponseBody(Struct):
    """A JSON object that a client receives, or a part of one."""

    example: ClassVar[Mapping[str, Any]] = like()


class Message(ResponseBody):
    """What was done, in the user's language."""

    message: str

    example = like(message="Team deleted")


class UserReference(ResponseBody):
    id: int
    username: str

    example = like(id=1, username="admin")


class NamedReference(ResponseBody):
    """A team or a project, by its current name."""

    id: int
    name: str

    example = like(id=5, name="My Team")


class MuteChange(RequestBody):
    muted: bool

    example = like(muted=True)


class MuteState(ResponseBody):
    muted: bool

    example = like(muted=True)
