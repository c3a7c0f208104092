"""Whether a delivery is still right at the moment of sending: each reason not to is kept."""

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Row, and_, case, false, or_
from sqlalchemy.ext.asyncio import AsyncSession

from app.language import N_
from app.models import Account, Delivery, Event, Notification, Preference
from app.notifications.catalogue import HIGH, TYPES
from app.notifications.feed import all_notices
from app.notifications.preferences import has_muted, wants

WITHDRAWN = "withdrawn"
REASONS = {
    WITHDRAWN: N_("You may no longer see what it was about."),
    "deleted": N_("It was deleted before."),
    "read": N_("It was read in the app before."),
    "unwanted": N_("You have switched this off since."),
    "muted": N_("You have muted the team or project since."),
    "unconfirmed": N_("The address is not confirmed."),
    "gone": N_("Mail to this address was refused for good."),
    "visible": N_("You had a page open."),
    "removed": N_("The device was removed."),
    "outage": N_("The service could not be reached; it is tried again."),
}


async def read_claimed(
    session: AsyncSession, channel: str, ids: Iterable[int]
) -> Sequence[Row[Any]]:
    """For each delivery of a notice: all that a `Notice` needs, `delivery_id`, the `Account`,
    and `reason`: why not to send it, or None.
    """
    rows = (
        all_notices()
        .add_columns(Delivery.id.label("delivery_id"), Account, reason_against(channel))
        .join(Delivery, Delivery.notification_id == Notification.id)
        .join(Account, Account.id == Notification.user_id)
        .join(
            Preference,
            and_(Preference.user_id == Account.id, Preference.type == Notification.type),
            isouter=True,
        )
        .where(Delivery.id.in_(list(ids)))
        .order_by(Delivery.id)
    )
    return (await session.execute(rows)).all()


def reason_against(channel: str) -> Any:
    """`reason`: why not to send it, or NULL; in a select of Notification, Event and Preference."""
    wanted = or_(
        false(),
        *(and_(Notification.type == kind.name, wants(kind, channel)) for kind in TYPES.values()),
    )
    return case(
        (Notification.deleted_in == 0, WITHDRAWN),
        (Notification.deleted_at.is_not(None), "deleted"),
        (Notification.read_at.is_not(None), "read"),
        (~wanted, "unwanted"),
        (_is_muted(), "muted"),
        else_=None,
    ).label("reason")


def _is_muted() -> Any:
    """Ordinary events only: what is about oneself, or of high priority, comes all the same."""
    ordinary = [kind.name for kind in TYPES.values() if kind.can_be_muted]
    custom = [kind.name for kind in TYPES.values() if kind.is_custom]
    is_urgent = and_(Event.type.in_(custom), Event.context["priority"].as_string() == HIGH)
    muted = has_muted(Notification.user_id, Event.team_id, Event.project_id)
    is_about_others = or_(Event.affected_id.is_(None), Event.affected_id != Notification.user_id)
    return and_(Notification.type.in_(ordinary), ~is_urgent, is_about_others, muted)
