"""POST /api/events: programs notify the members of a team."""

from typing import TYPE_CHECKING, Annotated, Literal

from litestar import post
from litestar.di import NamedDependency
from litestar.params import JSONBody
from msgspec import UNSET, Meta, UnsetType

from app.api.problems import problems
from app.api.shapes import Id, RequestBody, ResponseBody, Text, like
from app.database import Database
from app.models import User
from app.notifications.events.catalogue import CUSTOM
from app.notifications.events.custom import BODY_LENGTH, TITLE_LENGTH, URL_LENGTH, CustomMessage
from app.notifications.events.event_type import NORMAL
from app.notifications.events.grouping import KEY_LENGTH
from app.notifications.inbox.json_shapes import Priority
from app.notifications.supersede import Collapsing
from app.settings import Settings
from app.teams.ingest import ChosenAudience, send_event
from app.teams.throttles import throttle_events
from app.values.names import NAME_PATTERN

if TYPE_CHECKING:
    TypeName = str
else:
    TypeName = Literal[CUSTOM.name]

MOST_RECIPIENTS = 1000
ChosenKey = Annotated[str, Meta(max_length=KEY_LENGTH, pattern=NAME_PATTERN)]


class NewEvent(RequestBody):
    """Goes to the members of a team, or of all teams that a project is shared with. `recipients`
    narrows them by username or id. `url` is a path of ClippyFront or an https URL. Events of a team
    with the same `group_key` form a group.

    Events of a team with the same `collapse_key` share one notification per recipient, which shows
    the newest. It moves to the top of the inbox and is unread again, unless the newest event is
    `quiet`: then it stays where it is, read or done.
    """

    type: TypeName
    title: Annotated[str, Meta(min_length=1, max_length=TITLE_LENGTH, pattern=NAME_PATTERN)]
    body: Annotated[Text, Meta(max_length=BODY_LENGTH)] = ""
    url: Annotated[str, Meta(max_length=URL_LENGTH, pattern=r"^(/|https://|$)")] = ""
    priority: Priority = NORMAL
    recipients: (
        Annotated[list[Id | Text], Meta(min_length=1, max_length=MOST_RECIPIENTS)] | UnsetType
    ) = UNSET
    team_id: Id | UnsetType = UNSET
    project_id: Id | UnsetType = UNSET
    group_key: ChosenKey = ""
    collapse_key: ChosenKey = ""
    quiet: bool = False
    idempotency_key: Annotated[Text, Meta(max_length=200)] = ""

    example = like(
        type=CUSTOM.name,
        title="The nightly render is done",
        body="42 clips in 17 minutes.",
        url="https://render.example.com/42",
        team_id=5,
        group_key="renders",
        idempotency_key="render-42",
    )
    constraints = like(
        any_of=[{"required": [name]} for name in ("recipients", "team_id", "project_id")]
    )

    @property
    def message(self) -> CustomMessage:
        return CustomMessage(self.title, self.body, self.url, self.priority, self.group_key)

    @property
    def collapsing(self) -> Collapsing | None:
        return Collapsing(self.collapse_key, self.quiet) if self.collapse_key else None

    @property
    def to(self) -> ChosenAudience:
        return ChosenAudience(self.team_id or None, self.project_id or None, self.recipients or ())


class EventObject(ResponseBody):
    """`recipients` is the number of users notified; the user who sends the event is not one of them."""

    id: int
    type: str
    recipients: int

    example = like(id=4711, type=CUSTOM.name, recipients=3)


@post(responses=problems(404, 429))
async def create(
    db: NamedDependency[Database],
    settings: NamedDependency[Settings],
    user: NamedDependency[User],
    data: JSONBody[NewEvent],
) -> EventObject:
    """Send an event to members of a team, as its owner or admin.

    Repeating an `idempotency_key` within 24 hours notifies nobody and returns the first response.
    """
    await throttle_events(db, settings, user)
    async with db.act() as session:
        event = await send_event(
            session,
            user,
            data.message,
            data.to,
            idempotency_key=data.idempotency_key,
            collapsing=data.collapsing,
        )
    return EventObject(event.event_id, CUSTOM.name, event.recipient_count)
