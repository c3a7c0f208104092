"""The browsers on which a person enabled push: RFC 8030's subscriptions, devices before people.

A subscription belongs to one browser, and moves to whoever is signed in there. What waits for it
stays behind: nobody sees on their screen what was meant for somebody else.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256

from cryptography.hazmat.primitives.asymmetric import ec
from sqlalchemy import ColumnElement, and_, delete, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from app import clock
from app.base64url import decode, encode
from app.errors import Invalid, NotFound
from app.language import _
from app.models import Account, Delivery, PushSubscription
from app.notifications.catalogue import PUSH
from app.notifications.push_message import TEST
from app.notifications.push_services import NotAllowed, PushServices

MOST_DEVICES = 20


@dataclass(frozen=True)
class Keys:
    """What a browser gives along with its endpoint, checked: RFC 8291, section 2."""

    p256dh: str
    auth: str


def read_keys(services: PushServices, endpoint: str, p256dh: str, auth: str) -> Keys:
    """Raises Invalid naming every wrong field: `endpoint`, `keys.p256dh`, `keys.auth`."""
    point, secret = decode(p256dh), decode(auth)
    wrong = {
        "endpoint": _wrong_endpoint(services, endpoint),
        "keys.p256dh": "" if _is_on_curve(point) else _("This is not a public key on P-256."),
        "keys.auth": "" if len(secret) == 16 else _("This is not a secret of 16 bytes."),
    }
    if any(wrong.values()):
        raise Invalid({field: sentence for field, sentence in wrong.items() if sentence})
    return Keys(encode(point), encode(secret))


def _wrong_endpoint(services: PushServices, endpoint: str) -> str:
    try:
        services.find(endpoint)
    except NotAllowed as error:
        return str(error)
    return ""


def _is_on_curve(point: bytes) -> bool:
    try:
        ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point)
    except ValueError:
        return False
    return len(point) == 65


async def subscribe(
    session: AsyncSession,
    person: Account,
    *,
    endpoint: str,
    keys: Keys,
    vapid_key: str,
    name: str,
    session_id: int | None,
) -> PushSubscription:
    """Enable push in one browser, or renew it; `session_id` is where the person is signed in there.

    Beyond 20 devices, the one that has not been used for longest gives way.
    """
    digest = _digest(endpoint)
    await _clear_the_way(session, person, digest, vapid_key, session_id)
    known = select(PushSubscription).where(PushSubscription.endpoint_hash == digest)
    device = await session.scalar(known) or PushSubscription(
        account_id=person.id, endpoint=endpoint, endpoint_hash=digest
    )
    device.p256dh, device.auth, device.vapid_key = keys.p256dh, keys.auth, vapid_key
    device.name, device.session_id = name, session_id
    device.error = device.failing_since = None
    session.add(device)
    await session.flush()
    await _make_room(session, person, device)
    return device


def _digest(endpoint: str) -> str:
    return sha256(endpoint.encode()).hexdigest()


async def _clear_the_way(
    session: AsyncSession, person: Account, digest: str, vapid_key: str, session_id: int | None
) -> None:
    """Whoever had this browser before, and what it had under a key that is no longer ours."""
    taken_over = and_(
        PushSubscription.endpoint_hash == digest, PushSubscription.account_id != person.id
    )
    outdated = and_(
        PushSubscription.account_id == person.id,
        PushSubscription.session_id == session_id,
        PushSubscription.vapid_key != vapid_key,
    )
    await session.execute(delete(PushSubscription).where(or_(taken_over, outdated)))


async def _make_room(session: AsyncSession, person: Account, newest: PushSubscription) -> None:
    last_used = func.coalesce(PushSubscription.last_used_at, PushSubscription.created_at)
    kept = (
        select(PushSubscription.id)
        .where(PushSubscription.account_id == person.id, PushSubscription.id != newest.id)
        .order_by(last_used.desc(), PushSubscription.id.desc())
        .limit(MOST_DEVICES - 1)
    )
    theirs = and_(PushSubscription.account_id == person.id, PushSubscription.id != newest.id)
    await session.execute(delete(PushSubscription).where(theirs, PushSubscription.id.not_in(kept)))


async def unsubscribe(session: AsyncSession, person: Account, endpoint: str) -> None:
    """Raises NotFound for an endpoint that is not theirs."""
    await _remove(session, person, PushSubscription.endpoint_hash == _digest(endpoint))


async def remove(session: AsyncSession, person: Account, device_id: int) -> None:
    """Raises NotFound for a device that is not theirs."""
    await _remove(session, person, PushSubscription.id == device_id)


async def _remove(session: AsyncSession, person: Account, which: ColumnElement[bool]) -> None:
    gone = delete(PushSubscription).where(PushSubscription.account_id == person.id, which)
    if await session.scalar(gone.returning(PushSubscription.id)) is None:
        raise NotFound


async def remove_of_session(session: AsyncSession, person: Account, session_id: int) -> None:
    """What the person enabled in a browser where this session of theirs is about to end."""
    theirs = PushSubscription.account_id == person.id
    await session.execute(
        delete(PushSubscription).where(theirs, PushSubscription.session_id == session_id)
    )


async def remove_all(
    session: AsyncSession, person: Account, *, except_session: int | None = None
) -> None:
    """Every device of the person, but for those of one session."""
    theirs = delete(PushSubscription).where(PushSubscription.account_id == person.id)
    if except_session is not None:
        theirs = theirs.where(PushSubscription.session_id.is_distinct_from(except_session))
    await session.execute(theirs)


async def devices_of(session: AsyncSession, person: Account) -> Sequence[PushSubscription]:
    """The oldest first."""
    theirs = select(PushSubscription).where(PushSubscription.account_id == person.id)
    return (await session.scalars(theirs.order_by(PushSubscription.id))).all()


async def find(session: AsyncSession, person: Account, device_id: int) -> PushSubscription:
    """Raises NotFound for a device that is not theirs."""
    device = await session.get(PushSubscription, device_id)
    if device is None or device.account_id != person.id:
        raise NotFound
    return device


async def add_test(session: AsyncSession, device: PushSubscription) -> Delivery:
    """Have a test sent there. Poke the relay after the commit, so that it leaves at once."""
    test = Delivery(
        channel=PUSH,
        address=f"{device.name} #{device.id}",
        letter=TEST,
        user_id=device.account_id,
        subscription_id=device.id,
        due_at=clock.now(),
    )
    session.add(test)
    await session.flush()
    return test


async def last_tests(session: AsyncSession, person: Account) -> dict[int, Delivery]:
    """What became of the newest test of each device."""
    newest = (
        select(func.max(Delivery.id))
        .where(Delivery.user_id == person.id, Delivery.channel == PUSH, Delivery.letter == TEST)
        .group_by(Delivery.subscription_id)
    )
    rows = await session.scalars(select(Delivery).where(Delivery.id.in_(newest)))
    return {row.subscription_id: row for row in rows if row.subscription_id}


async def note_answers(
    session: AsyncSession,
    *,
    well: Collection[int],
    gone: Collection[int],
    troubled: Mapping[int, str],
) -> None:
    """What the push services said of devices: that was right, is no more, or was refused and why."""
    now = clock.now()
    change = update(PushSubscription).execution_options(synchronize_session=False)
    if well:
        fine = change.where(PushSubscription.id.in_(well))
        await session.execute(fine.values(last_used_at=now, error=None, failing_since=None))
    if gone:
        await session.execute(delete(PushSubscription).where(PushSubscription.id.in_(gone)))
    for device_id, error in troubled.items():
        since = func.coalesce(PushSubscription.failing_since, now)
        one = change.where(PushSubscription.id == device_id)
        await session.execute(one.values(error=error, failing_since=since, refused_at=now))
