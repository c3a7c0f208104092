"""A selection of notifications: the ones that a bulk action is about."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_

from app.models import Notification
from app.notifications.inbox.filters import Filter

MOST_IDS = 1000


@dataclass(frozen=True)
class Selection:
    """Either the notifications with these ids, or all that match a filter up to a watermark.

    The watermark `up_to` is the highest id that the user has seen: a notification that arrived
    later is not selected, even if it matches.
    """

    ids: Sequence[int] = ()
    filter: Filter | None = None
    up_to: int = 0

    @property
    def is_empty(self) -> bool:
        return self.filter is None and not self.ids

    @property
    def is_whole_inbox(self) -> bool:
        """Whether it is the inbox up to the watermark, without a filter."""
        return self.filter is not None and self.filter.is_open

    @property
    def clause(self) -> ColumnElement[bool]:
        """The condition on `Notification`; the user is not part of it."""
        if self.filter is None:
            return Notification.id.in_(self.ids)
        return and_(Notification.id <= self.up_to, *self.filter.clauses())
