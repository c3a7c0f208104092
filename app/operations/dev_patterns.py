"""/dev/patterns shows every page component in every state, on a local installation."""

from typing import Any

from litestar import Response, get
from litestar.di import NamedDependency

from app import clock
from app.http import AnyRequest
from app.language import SOURCE_LANGUAGE
from app.layout import page
from app.notifications.events.catalogue import COMPILATION_COMPLETED, INVITATION_RECEIVED
from app.notifications.events.event_type import EventType
from app.notifications.events.notices import Action, Notice
from app.notifications.events.sentences import isolated_sentence
from app.notifications.inbox.filters import UTC
from app.notifications.inbox.open_rows import RemovedRow
from app.notifications.pages.days import Rows, by_day
from app.notifications.pages.listing import Listing
from app.operations.local_access import require_local_installation
from app.settings import Settings


@get()
async def patterns(request: AnyRequest, settings: NamedDependency[Settings]) -> Response[Any]:
    require_local_installation(settings)
    accept = Action("Accept", "/notifications/9003/accept", "post", is_primary=True)
    notices: Rows = [
        _notice(9003, INVITATION_RECEIVED, accept, Action("View Invitation", "/")),
        _notice(9002, COMPILATION_COMPLETED, Action("View Project", "/"), is_read=True),
        RemovedRow(9001, "example"),
    ]
    context: dict[str, Any] = {
        "now": clock.now(),
        "listing": Listing(),
        "notices": notices,
        "tabs": [],
        "has_other": True,
        "days": by_day(notices, UTC, SOURCE_LANGUAGE),
    }
    return await page(request, "components/patterns.html", **context)


def _notice(id_: int, event_type: EventType, *actions: Action, is_read: bool = False) -> Notice:
    return Notice(
        id=id_,
        position=id_,
        type=event_type.name,
        icon=event_type.icon,
        sentence=isolated_sentence(event_type.name, event_type.example, to_affected=True),
        actor=None if is_read else "Alice",
        created_at=clock.now(),
        is_read=is_read,
        is_high=event_type.is_high,
        actions=list(actions),
        target="/",
    )
