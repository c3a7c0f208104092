"""Whether somebody wants an event on a channel: the catalogue's default, overlaid by exceptions.

One SQL expression, used by the fan-out and again at the moment of sending.
"""

from sqlalchemy import ColumnElement, exists, func, or_
from sqlalchemy.sql.selectable import Subquery

from app.models import Event, Mute, Preference
from app.notifications.catalogue import EMAIL, PUSH, EventType

IN_APP = "in_app"
CHANNELS = (IN_APP, EMAIL, PUSH)
_COLUMNS = {IN_APP: Preference.in_app, EMAIL: Preference.email, PUSH: Preference.push}


def is_default(kind: EventType, channel: str) -> bool:
    return channel == IN_APP or channel in kind.channels


def wants(kind: EventType, channel: str) -> ColumnElement[bool]:
    """True where a person, whose `Preference` row is outer-joined, wants `kind` on `channel`."""
    return func.coalesce(_COLUMNS[channel], is_default(kind, channel))


def is_not_muted(event: Event, kind: EventType, people: Subquery) -> ColumnElement[bool] | None:
    """True for whom the team or project is not muted; None where muting does not apply."""
    if kind.is_high:
        return None
    muted = exists().where(
        Mute.user_id == people.c.account_id,
        or_(Mute.team_id == people.c.team_id, Mute.project_id == event.project_id),
    )
    return or_(~muted, people.c.account_id == event.affected_id)
