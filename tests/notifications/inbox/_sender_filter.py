"""A filter by sender: the one entry that it takes, added before anything reads FIELDS."""

from sqlalchemy import select

from app.api.shapes import Id
from app.models import Event, Notification
from app.notifications.inbox import filters
from app.notifications.inbox.filters import FilterField

SENDER = FilterField(
    "sender",
    label="Sender",
    kind=Id,
    may_repeat=True,
    clause=lambda ids, _zone: Notification.event_id.in_(
        select(Event.id).where(Event.actor_id.in_(ids))
    ),
    wrong="The sender must be the id of a user.",
    description="Only what this user did.",
)

filters.FIELDS = (*filters.FIELDS, SENDER)
