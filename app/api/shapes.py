"""The shapes that many answers have, and the bases of them all.

What is sent is held to its shape, unknown fields included; what is answered is written from its
shape; and the document describes the same classes. `example` is a value of the class as JSON.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, ClassVar

from msgspec import Meta, Struct

from app.numbers import GREATEST_ID

PROBLEM_JSON = "application/problem+json"

Id = Annotated[int, Meta(ge=1, le=GREATEST_ID)]
# A NUL is no text, and PostgreSQL does not take it.
Text = Annotated[str, Meta(pattern=r"^[^\x00]*$")]
Moment = datetime


def moment(given: datetime) -> Moment:
    """In whole seconds: ISO 8601, UTC, with Z."""
    return given.replace(microsecond=0)


def like(**fields: Any) -> Mapping[str, Any]:
    """An example of a shape, as JSON has it."""
    return fields


class Sent(Struct, kw_only=True, forbid_unknown_fields=True):
    """What a program sends, as body or query; `rules` are those between its fields, as JSON Schema
    has them, which whoever reads it sees to.
    """

    example: ClassVar[Mapping[str, Any]] = like()
    rules: ClassVar[Mapping[str, Any]] = like()

    @classmethod
    def wrong(cls, _sent: Mapping[str, Any]) -> Mapping[str, str]:
        """Every wrong field by its path, where the domain says it better than the types could."""
        return {}


class Answer(Struct):
    """What a program is answered."""

    example: ClassVar[Mapping[str, Any]] = like()


class Message(Answer):
    """What was done, in the reader's language."""

    message: str

    example = like(message="Team deleted")


class Person(Answer):
    id: int
    username: str

    example = like(id=1, username="admin")


class Named(Answer):
    id: int
    name: str

    example = like(id=5, name="My Team")


class Muted(Sent):
    muted: bool

    example = like(muted=True)


class MuteState(Answer):
    muted: bool

    example = like(muted=True)


class Problem(Answer):
    """Problem details (RFC 9457)."""

    status: int
    title: str
    detail: str


class FieldProblem(Answer):
    """What is wrong with one field; `field` is its path, as `filter.type`."""

    field: str
    detail: str


class InvalidProblem(Problem):
    """Names every wrong field."""

    errors: list[FieldProblem]
