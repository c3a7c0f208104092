"""The browsers on which a person enabled push: RFC 8030's subscriptions, devices before people.

A subscription belongs to one browser, and moves to whoever is signed in there. What waits for it
stays behind: nobody sees on their screen what was meant for somebody else.

It is lost in many ways: its push service gives it up, a new password ends all of them, a 21st
device takes its place. Its browser then renews it at the next visit, except where its person has
removed it from the list.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import count

from cryptography.hazmat.primitives.asymmetric import ec
from sqlalchemy import ColumnElement, and_, delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from app import clock
from app.database.upsert import insert_into
from app.errors import Invalid, NotFound
from app.language import _
from app.models import PushSubscription, RemovedDevice, User
from app.notifications.channels.push import device_tests
from app.notifications.channels.push.base64url import decode, encode
from app.notifications.channels.push.services import NotAllowed, PushServices, canonical

MOST_DEVICES = 20
MOST_REMOVED = 100
DIGITS = " 0123456789"
ENABLED, FAILING, REMOVED, UNKNOWN = "enabled", "failing", "removed", "unknown"


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
    user: User,
    *,
    endpoint: str,
    keys: Keys,
    vapid_key: str,
    name: str,
    session_id: int | None,
) -> PushSubscription:
    """Enable push in one browser, or renew it; `session_id` is where the person is signed in there.

    `name` gets a number where another device of theirs is called so; one that is renewed keeps what
    it has. Beyond 20 devices, the one that has not been used for longest gives way.
    """
    digest = _digest(endpoint)
    await _clear_the_way(session, user, digest)
    left = await _leave_behind(session, user, digest, vapid_key, session_id)
    name = _known_name(left, name) or await _free_name(session, user, digest, name)
    added = {"endpoint": endpoint, "endpoint_hash": digest, "name": name}
    renewed = {
        "user_id": user.id,
        "session_id": session_id,
        "p256dh": keys.p256dh,
        "auth": keys.auth,
        "vapid_key": vapid_key,
        "error": None,
        "failing_since": None,
        "refused_at": None,
    }
    device = await _upsert(session, added, renewed)
    await _make_room(session, user, device)
    return device


def _digest(endpoint: str) -> str:
    return sha256(canonical(endpoint).encode()).hexdigest()


async def _clear_the_way(session: AsyncSession, user: User, digest: str) -> None:
    """Whoever had this browser before, and that it was ever removed."""
    is_it = PushSubscription.endpoint_hash == digest
    before = delete(PushSubscription).where(is_it, PushSubscription.user_id != user.id)
    await session.execute(before)
    await session.execute(delete(RemovedDevice).where(RemovedDevice.endpoint_hash == digest))


async def _leave_behind(
    session: AsyncSession, user: User, digest: str, vapid_key: str, session_id: int | None
) -> Sequence[str]:
    """What this browser had under a key that is no longer ours; returns its names."""
    outdated = delete(PushSubscription).where(
        PushSubscription.user_id == user.id,
        PushSubscription.session_id == session_id,
        PushSubscription.vapid_key != vapid_key,
        PushSubscription.endpoint_hash != digest,
    )
    return (await session.scalars(outdated.returning(PushSubscription.name))).all()


def _known_name(left: Sequence[str], name: str) -> str | None:
    """The one among `left` that is `name`, or `name` with a number."""
    return next((one for one in left if not one.removeprefix(name).strip(DIGITS)), None)


async def _free_name(session: AsyncSession, user: User, digest: str, name: str) -> str:
    """`name`, with a number where another device of theirs is called so."""
    others = select(PushSubscription.name).where(
        PushSubscription.user_id == user.id, PushSubscription.endpoint_hash != digest
    )
    taken = set(await session.scalars(others))
    if name not in taken:
        return name
    return next(one for n in count(2) if (one := f"{name} {n}") not in taken)


async def _upsert(
    session: AsyncSession, added: Mapping[str, object], renewed: Mapping[str, object]
) -> PushSubscription:
    """One statement: two tabs of a browser may subscribe it in the same moment."""
    row = insert_into(session, PushSubscription).values({**added, **renewed})
    either = row.on_conflict_do_update(
        index_elements=[PushSubscription.endpoint_hash], set_=dict(renewed)
    )
    found = either.returning(PushSubscription).execution_options(populate_existing=True)
    device: PushSubscription = (await session.scalars(found)).one()
    return device


async def _make_room(session: AsyncSession, user: User, newest: PushSubscription) -> None:
    last_used = func.coalesce(PushSubscription.last_used_at, PushSubscription.created_at)
    kept = (
        select(PushSubscription.id)
        .where(PushSubscription.user_id == user.id, PushSubscription.id != newest.id)
        .order_by(last_used.desc(), PushSubscription.id.desc())
        .limit(MOST_DEVICES - 1)
    )
    theirs = and_(PushSubscription.user_id == user.id, PushSubscription.id != newest.id)
    await session.execute(delete(PushSubscription).where(theirs, PushSubscription.id.not_in(kept)))


async def state_of(session: AsyncSession, user: User, endpoint: str) -> str:
    """What a browser that has this subscription is to know of it: ENABLED, FAILING (its push
    service refuses us), REMOVED (by this person) or UNKNOWN.
    """
    digest = _digest(endpoint)
    is_it = PushSubscription.endpoint_hash == digest
    device = await session.scalar(
        select(PushSubscription).where(PushSubscription.user_id == user.id, is_it)
    )
    if device:
        return FAILING if device.failing_since else ENABLED
    removed = select(RemovedDevice.id).where(
        RemovedDevice.user_id == user.id, RemovedDevice.endpoint_hash == digest
    )
    return UNKNOWN if await session.scalar(removed) is None else REMOVED


async def unsubscribe(session: AsyncSession, user: User, endpoint: str) -> None:
    """Raises NotFound for an endpoint that is not theirs."""
    await _remove(session, user, PushSubscription.endpoint_hash == _digest(endpoint))


async def remove(session: AsyncSession, user: User, device_id: int) -> None:
    """For good: its browser, which may be another one, gives it up at the next visit.

    Raises NotFound for a device that is not theirs.
    """
    digest = await _remove(session, user, PushSubscription.id == device_id)
    now = clock.now()
    row = insert_into(session, RemovedDevice).values(
        user_id=user.id, endpoint_hash=digest, removed_at=now
    )
    known = [RemovedDevice.user_id, RemovedDevice.endpoint_hash]
    await session.execute(row.on_conflict_do_update(index_elements=known, set_={"removed_at": now}))
    await _forget_oldest(session, user)


async def _forget_oldest(session: AsyncSession, user: User) -> None:
    theirs = RemovedDevice.user_id == user.id
    kept = (
        select(RemovedDevice.id)
        .where(theirs)
        .order_by(RemovedDevice.removed_at.desc(), RemovedDevice.id.desc())
        .limit(MOST_REMOVED)
    )
    await session.execute(delete(RemovedDevice).where(theirs, RemovedDevice.id.not_in(kept)))


async def _remove(session: AsyncSession, user: User, which: ColumnElement[bool]) -> str:
    """Returns the hash of its endpoint."""
    gone = delete(PushSubscription).where(PushSubscription.user_id == user.id, which)
    known = gone.returning(PushSubscription.endpoint_hash, PushSubscription.name)
    removed = (await session.execute(known)).one_or_none()
    if removed is None:
        raise NotFound
    await device_tests.forget(session, user, removed.name)
    digest: str = removed.endpoint_hash
    return digest


async def remove_of_session(session: AsyncSession, user: User, session_id: int) -> None:
    """What the person enabled in a browser where this session of theirs is about to end."""
    theirs = PushSubscription.user_id == user.id
    await session.execute(
        delete(PushSubscription).where(theirs, PushSubscription.session_id == session_id)
    )


async def remove_all(
    session: AsyncSession, user: User, *, except_session: int | None = None
) -> None:
    """Every device of the person, but for those of one session."""
    theirs = delete(PushSubscription).where(PushSubscription.user_id == user.id)
    if except_session is not None:
        theirs = theirs.where(PushSubscription.session_id.is_distinct_from(except_session))
    await session.execute(theirs)


async def devices_of(session: AsyncSession, user: User) -> Sequence[PushSubscription]:
    """The oldest first."""
    theirs = select(PushSubscription).where(PushSubscription.user_id == user.id)
    return (await session.scalars(theirs.order_by(PushSubscription.id))).all()


async def find(session: AsyncSession, user: User, device_id: int) -> PushSubscription:
    """Raises NotFound for a device that is not theirs."""
    device = await session.get(PushSubscription, device_id)
    if device is None or device.user_id != user.id:
        raise NotFound
    return device


async def note_answers(
    session: AsyncSession,
    *,
    well: Collection[str],
    gone: Collection[str],
    troubled: Mapping[str, str],
) -> None:
    """What the push services said of devices: that was right, is no more, or was refused and why.

    They are named by the hashes of their endpoints: an id may be another device's by now.
    """
    now = clock.now()
    change = update(PushSubscription).execution_options(synchronize_session=False)
    if well:
        fine = change.where(PushSubscription.endpoint_hash.in_(well))
        await session.execute(fine.values(last_used_at=now, error=None, failing_since=None))
    if gone:
        await session.execute(
            delete(PushSubscription).where(PushSubscription.endpoint_hash.in_(gone))
        )
    for digest, error in troubled.items():
        since = func.coalesce(PushSubscription.failing_since, now)
        one = change.where(PushSubscription.endpoint_hash == digest)
        await session.execute(one.values(error=error, failing_since=since, refused_at=now))
