"""The names of the users, teams and projects that a filter selects by id.

A name is shown only if it occurs in the user's own notifications and, for teams and projects, if
the user still sees them. So nobody can look up names by putting ids into the URL.
"""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import CTE, ColumnElement, Select, func, literal, select, true, union_all
from sqlalchemy.ext.asyncio import AsyncSession

from app.models import Event, Notification, Project, Team, User
from app.notifications.inbox.feed import NEWEST_FIRST, shown
from app.notifications.inbox.filters import Filter
from app.visibility import sees_project, sees_team

MOST_NAMES = 50
MOST_LOOKED_AT = 1_000

# The name of a field: {id: name}.
Names = Mapping[str, Mapping[int, str]]

_NAMED: dict[str, tuple[Any, Any, Any]] = {
    "actor": (Event.actor_id, User.id, User.username),
    "team": (Event.team_id, Team.id, Team.name),
    "project": (Event.project_id, Project.id, Project.name),
}
NAMED = tuple(_NAMED)
_SEEN = {"team": sees_team, "project": sees_project}


async def read_names(
    session: AsyncSession, user_id: int, wanted: Filter, *, with_choices: bool
) -> Names:
    """The names of chosen ids; with `with_choices` also, for each field, the MOST_NAMES names that
    occur most recently in the view.
    """
    rows = [_chosen(name, user_id, wanted) for name in NAMED if name in wanted.chosen]
    if with_choices:
        newest = _newest(user_id, wanted)
        rows += [_choices(name, user_id, newest) for name in NAMED]
    names: dict[str, dict[int, str]] = {name: {} for name in NAMED}
    if rows:
        found = union_all(*rows).subquery().c
        for field, id_, name in await session.execute(select(*found)):
            names[field][id_] = name
    return names


def _chosen(field: str, user_id: int, wanted: Filter) -> Select[Any]:
    reference, id_, name = _NAMED[field]
    own = (
        select(literal(1))
        .select_from(Notification)
        .join(Event, Event.id == Notification.event_id)
        .where(Notification.user_id == user_id, reference == id_, shown)
    )
    chosen = id_.in_(wanted.chosen[field]), own.exists(), _is_seen(field, user_id)
    return _rows(field, id_, name).where(*chosen)


def _newest(user_id: int, wanted: Filter) -> CTE:
    return (
        select(Notification.position, Event.actor_id, Event.team_id, Event.project_id)
        .join(Event, Event.id == Notification.event_id)
        .where(Notification.user_id == user_id, wanted.view.clause)
        .order_by(*NEWEST_FIRST)
        .limit(MOST_LOOKED_AT)
        .cte("newest")
    )


def _choices(field: str, user_id: int, newest: CTE) -> Select[Any]:
    reference, id_, name = _NAMED[field]
    occurring = newest.c[reference.key]
    last = (
        select(occurring.label("id"))
        .where(occurring.in_(select(id_).where(_is_seen(field, user_id))))
        .group_by(occurring)
        .order_by(func.max(newest.c.position).desc())
        .limit(MOST_NAMES)
        .subquery()
    )
    return _rows(field, id_, name).join(last, last.c.id == id_)


def _is_seen(field: str, user_id: int) -> ColumnElement[bool]:
    return _SEEN[field](user_id) if field in _SEEN else true()


def _rows(field: str, id_: Any, name: Any) -> Select[Any]:
    return select(literal(field).label("field"), id_.label("id"), name.label("name"))
