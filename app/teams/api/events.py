"""The door for other software: a notice of its own words for members of a team."""

from typing import TYPE_CHECKING, Annotated, Literal

from litestar.di import NamedDependency
from msgspec import UNSET, Meta, UnsetType

from app import api
from app.api.shapes import Answer, Id, Sent, Text, like
from app.database import Database
from app.models import User
from app.notifications.events.catalogue import CUSTOM
from app.notifications.events.custom import CustomMessage
from app.settings import Settings
from app.teams.ingest import Whom, tell
from app.throttle import throttle

if TYPE_CHECKING:
    TypeName = str
else:
    TypeName = Literal[CUSTOM.name]

MOST_RECIPIENTS = 1000
LINE = r"^[^\x00-\x1f\x7f]*$"


class NewEvent(Sent):
    """For the members of a team, of those a project is shared with, or for `recipients` among
    them, by name or id. `url` is a path of ClippyFront or https.
    """

    type: TypeName
    title: Annotated[str, Meta(min_length=1, max_length=200, pattern=LINE)]
    body: Annotated[Text, Meta(max_length=2000)] = ""
    url: Annotated[str, Meta(max_length=2000, pattern=r"^(/|https://|$)")] = ""
    priority: Literal["high", "normal", "low"] = "normal"
    recipients: (
        Annotated[list[Id | Text], Meta(min_length=1, max_length=MOST_RECIPIENTS)] | UnsetType
    ) = UNSET
    team_id: Id | UnsetType = UNSET
    project_id: Id | UnsetType = UNSET
    idempotency_key: Annotated[Text, Meta(max_length=200)] = ""

    example = like(
        type=CUSTOM.name,
        title="The nightly render is done",
        body="42 clips in 17 minutes.",
        url="https://render.example.com/42",
        team_id=5,
        idempotency_key="render-42",
    )
    rules = like(anyOf=[{"required": [name]} for name in ("recipients", "team_id", "project_id")])

    @property
    def message(self) -> CustomMessage:
        return CustomMessage(self.title, self.body, self.url, self.priority)

    @property
    def whom(self) -> Whom:
        return Whom(self.team_id or None, self.project_id or None, self.recipients or ())


class EventObject(Answer):
    """`recipients` is how many were told; the person behind the token is not."""

    id: int
    type: str
    recipients: int

    example = like(id=4711, type=CUSTOM.name, recipients=3)


@api.post("/api/events", status=201, problems={404, 429})
async def create(
    db: NamedDependency[Database],
    settings: NamedDependency[Settings],
    user: NamedDependency[User],
    sent: NamedDependency[NewEvent],
) -> EventObject:
    """Tell members of a team something, as its owner or admin.

    The same `idempotency_key` within 24 hours tells nobody again and gets the same answer.
    """
    await throttle(db, settings, f"ingest:{user.id}", most=60, seconds=60)
    async with db.act() as session:
        told = await tell(session, user, sent.message, sent.whom, key=sent.idempotency_key)
    return EventObject(told.event_id, CUSTOM.name, told.recipients)


routes = [create]
