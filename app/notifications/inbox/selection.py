"""A selection of notifications: the ones that a bulk action is about."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.orm import aliased

from app.models import Notification
from app.notifications.events.grouping import is_ungrouped
from app.notifications.inbox.filters import Filter

MOST_IDS = 1000


@dataclass(frozen=True)
class Selection:
    """Either the notifications with these ids, or all that match a filter; or with `groups_within` all
    of the groups of the notifications with these ids that match that filter, and those `alone`.

    The filter's `up_to_position` is what the user has seen: a notification that arrived, came back
    or changed later is not selected, even if it matches.
    """

    ids: Sequence[int] = ()
    filter: Filter | None = None
    groups_within: Filter | None = None
    alone: Sequence[int] = ()

    @property
    def is_empty(self) -> bool:
        return self.filter is None and not self.ids and not self.alone

    @property
    def is_whole_inbox(self) -> bool:
        """Whether it is the inbox up to what was seen, without a filter."""
        return self.filter is not None and not self.filter.chosen

    @property
    def clause(self) -> ColumnElement[bool]:
        """The condition on `Notification`; the user is not part of it."""
        if self.filter is not None:
            return and_(*self.filter.clauses())
        # These ids match in any view: the row may already have left the view by an earlier act.
        these = Notification.id.in_([*self.ids, *self.alone])
        return these if self.groups_within is None else or_(these, self._groups(self.groups_within))

    def _groups(self, within: Filter) -> ColumnElement[bool]:
        one = aliased(Notification)
        grouped = one.user_id == within.user_id, ~is_ungrouped(one.user_id, one.type)
        keys = select(one.group_key).where(one.id.in_(self.ids), *grouped)
        return and_(Notification.group_key.in_(keys), *within.clauses())
