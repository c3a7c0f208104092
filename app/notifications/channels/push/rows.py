"""What sending needs to know of claimed pushes, and what it has found out about them."""

from collections import defaultdict
from collections.abc import Sequence
from functools import cache
from typing import Any

from sqlalchemy import Row, Select, and_, bindparam, case, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.database import Database
from app.models import Delivery, Event, Notification, PushSubscription, User
from app.notifications.channels.base import Outcome, Settled
from app.notifications.channels.push.devices import note_answers
from app.notifications.channels.push.responses import GONE, TROUBLED, WELL, Answer
from app.notifications.delivery.bundles import is_pending
from app.notifications.delivery.decision import reason_against
from app.notifications.events.catalogue import PUSH
from app.notifications.live.queries import unread_of


async def read_pushes(session: AsyncSession, claim: str) -> Sequence[Row[Any]]:
    """For each delivery that is still held under a claim: what its message needs, its device
    (None where it was removed), and `reason`: why not to send it, or None. A test has a `letter`
    and no notice.
    """
    return (await session.execute(_pushes(), {"claim": claim})).all()


@cache
def _pushes() -> Select[*tuple[Any, ...]]:
    # What is hidden in the app is on no page, however long somebody looks at one.
    may_be_spared = ~User.pushes_always & Notification.hidden.is_(False)
    looks_until = case((may_be_spared, User.visible_until))
    return (
        select(
            Delivery.id.label("delivery_id"),
            Delivery.letter,
            Delivery.created_at,
            Delivery.error,
            User.id.label("user_id"),
            User.language,
            looks_until.label("looks_until"),
            unread_of(User.id).label("unread"),
            Delivery.notification_id,
            Event.id.label("event_id"),
            Event.type,
            Event.affected_id,
            Event.team_id,
            Event.project_id,
            Event.context,
            PushSubscription.id.label("device_id"),
            PushSubscription.endpoint,
            PushSubscription.endpoint_hash,
            PushSubscription.p256dh,
            PushSubscription.auth,
            reason_against(PUSH),
        )
        .where(Delivery.claimed_by == bindparam("claim"), is_pending)
        .join(User, User.id == Delivery.user_id)
        .outerjoin(
            PushSubscription,
            and_(
                PushSubscription.id == Delivery.subscription_id,
                PushSubscription.user_id == Delivery.user_id,
            ),
        )
        .outerjoin(Notification, Notification.id == Delivery.notification_id)
        .outerjoin(Event, Event.id == Notification.event_id)
    )


class Findings:
    """What became of the deliveries so far, and of their devices."""

    def __init__(self) -> None:
        self._deliveries: defaultdict[Outcome, list[int]] = defaultdict(list)
        self._devices: defaultdict[str, dict[str, str]] = defaultdict(dict)

    def add(self, row: Row[Any], answer: Answer) -> None:
        self._deliveries[answer.outcome].append(row.delivery_id)
        self._devices[answer.device][row.endpoint_hash] = answer.outcome.error or ""

    async def take(self, db: Database) -> list[Settled]:
        """What was added since; the devices' part is written down."""
        deliveries, self._deliveries = self._deliveries, defaultdict(list)
        devices, self._devices = self._devices, defaultdict(dict)
        if devices.keys() & {WELL, GONE, TROUBLED}:
            async with db.write() as session:
                await note_answers(
                    session,
                    well=list(devices[WELL]),
                    gone=list(devices[GONE]),
                    troubled=devices[TROUBLED],
                )
        return [(ids, outcome) for outcome, ids in deliveries.items()]
