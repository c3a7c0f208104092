"""Push subscriptions (RFC 8030): the browsers on which a user enabled push, shown as devices.

A subscription belongs to one browser and moves to the user who signs in there. Pending deliveries
do not move with it, so a user never sees another user's notifications.

A subscription ends when its push service drops it, when the user changes the password, or when a
21st device replaces it. The browser then renews it at the next visit, unless the user removed the
device from the list.
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
from app.notifications.channels.push.allowed_services import NotAllowed, PushServices, canonical
from app.notifications.channels.push.base64url import decode, encode

MOST_DEVICES = 20
MOST_REMOVED = 100
DIGITS = " 0123456789"
ENABLED, FAILING, REMOVED, UNKNOWN = "enabled", "failing", "removed", "unknown"


@dataclass(frozen=True)
class DeviceKeys:
    """The validated keys of a subscription (RFC 8291, section 2)."""

    p256dh: str
    auth: str


def read_keys(services: PushServices, endpoint: str, p256dh: str, auth: str) -> DeviceKeys:
    """Raises Invalid naming every wrong field: `endpoint`, `keys.p256dh`, `keys.auth`."""
    point, secret = decode(p256dh), decode(auth)
    wrong = {
        "endpoint": _wrong_endpoint(services, endpoint),
        "keys.p256dh": "" if _is_on_curve(point) else _("This is not a P-256 public key."),
        "keys.auth": "" if len(secret) == 16 else _("This is not a 16-byte secret."),
    }
    if any(wrong.values()):
        raise Invalid({field: sentence for field, sentence in wrong.items() if sentence})
    return DeviceKeys(encode(point), encode(secret))


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
    keys: DeviceKeys,
    vapid_key: str,
    name: str,
    session_id: int | None,
) -> PushSubscription:
    """Creates or renews the subscription of one browser. `session_id` is the user's session there.

    `name` gets a number if another device of the user has it; a renewed device keeps its name.
    Beyond 20 devices, the least recently used one is deleted.
    """
    digest = _digest(endpoint)
    await _delete_former(session, user, digest)
    former_names = await _delete_outdated(session, user, digest, vapid_key, session_id)
    name = _former_name(former_names, name) or await _free_name(session, user, digest, name)
    added = {"endpoint": endpoint, "endpoint_hash": digest, "name": name}
    renewed = {
        "user_id": user.id,
        "session_id": session_id,
        "p256dh": keys.p256dh,
        "auth": keys.auth,
        "vapid_key": vapid_key,
        "refused_status": None,
        "failing_since": None,
        "refused_at": None,
    }
    device = await _upsert(session, added, renewed)
    await _make_room(session, user, device)
    return device


def _digest(endpoint: str) -> str:
    return sha256(canonical(endpoint).encode()).hexdigest()


async def _delete_former(session: AsyncSession, user: User, digest: str) -> None:
    """Deletes other users' subscriptions of this browser, and all records of its removal."""
    is_same_browser = PushSubscription.endpoint_hash == digest
    of_others = delete(PushSubscription).where(is_same_browser, PushSubscription.user_id != user.id)
    await session.execute(of_others)
    await session.execute(delete(RemovedDevice).where(RemovedDevice.endpoint_hash == digest))


async def _delete_outdated(
    session: AsyncSession, user: User, digest: str, vapid_key: str, session_id: int | None
) -> Sequence[str]:
    """Deletes this browser's subscriptions under a former VAPID key; returns their names."""
    outdated = delete(PushSubscription).where(
        PushSubscription.user_id == user.id,
        PushSubscription.session_id == session_id,
        PushSubscription.vapid_key != vapid_key,
        PushSubscription.endpoint_hash != digest,
    )
    return (await session.scalars(outdated.returning(PushSubscription.name))).all()


def _former_name(names: Sequence[str], name: str) -> str | None:
    """The first of `names` that equals `name`, apart from its number."""
    return next((former for former in names if not former.removeprefix(name).strip(DIGITS)), None)


async def _free_name(session: AsyncSession, user: User, digest: str, name: str) -> str:
    """`name`, with a number if another device of the user already has it."""
    others = select(PushSubscription.name).where(
        PushSubscription.user_id == user.id, PushSubscription.endpoint_hash != digest
    )
    taken = set(await session.scalars(others))
    if name not in taken:
        return name
    return next(free for n in count(2) if (free := f"{name} {n}") not in taken)


async def _upsert(
    session: AsyncSession, added: Mapping[str, object], renewed: Mapping[str, object]
) -> PushSubscription:
    """A single statement, because two tabs of a browser may subscribe at the same time."""
    row = insert_into(session, PushSubscription).values({**added, **renewed})
    upsert = row.on_conflict_do_update(
        index_elements=[PushSubscription.endpoint_hash], set_=dict(renewed)
    )
    found = upsert.returning(PushSubscription).execution_options(populate_existing=True)
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
    others = and_(PushSubscription.user_id == user.id, PushSubscription.id != newest.id)
    await session.execute(delete(PushSubscription).where(others, PushSubscription.id.not_in(kept)))


async def state_of(session: AsyncSession, user: User, endpoint: str) -> str:
    """The state of a browser's subscription: ENABLED, FAILING (its push service refuses our
    pushes), REMOVED (by this user) or UNKNOWN.
    """
    digest = _digest(endpoint)
    is_same_browser = PushSubscription.endpoint_hash == digest
    device = await session.scalar(
        select(PushSubscription).where(PushSubscription.user_id == user.id, is_same_browser)
    )
    if device:
        return FAILING if device.failing_since else ENABLED
    removed = select(RemovedDevice.id).where(
        RemovedDevice.user_id == user.id, RemovedDevice.endpoint_hash == digest
    )
    return UNKNOWN if await session.scalar(removed) is None else REMOVED


async def unsubscribe(session: AsyncSession, user: User, endpoint: str) -> None:
    """Raises NotFound for an endpoint that is not one of the user's."""
    await _remove(session, user, PushSubscription.endpoint_hash == _digest(endpoint))


async def remove(session: AsyncSession, user: User, device_id: int) -> None:
    """Removes a device permanently: its browser unsubscribes at the next visit.

    Raises NotFound for a device that is not one of the user's.
    """
    digest = await _remove(session, user, PushSubscription.id == device_id)
    now = clock.now()
    row = insert_into(session, RemovedDevice).values(
        user_id=user.id, endpoint_hash=digest, removed_at=now
    )
    known = [RemovedDevice.user_id, RemovedDevice.endpoint_hash]
    await session.execute(row.on_conflict_do_update(index_elements=known, set_={"removed_at": now}))
    await _delete_oldest_removed(session, user)


async def _delete_oldest_removed(session: AsyncSession, user: User) -> None:
    is_of_user = RemovedDevice.user_id == user.id
    kept = (
        select(RemovedDevice.id)
        .where(is_of_user)
        .order_by(RemovedDevice.removed_at.desc(), RemovedDevice.id.desc())
        .limit(MOST_REMOVED)
    )
    await session.execute(delete(RemovedDevice).where(is_of_user, RemovedDevice.id.not_in(kept)))


async def _remove(session: AsyncSession, user: User, condition: ColumnElement[bool]) -> str:
    """Deletes a device and its tests; returns the hash of its endpoint."""
    deletion = delete(PushSubscription).where(PushSubscription.user_id == user.id, condition)
    returned = deletion.returning(PushSubscription.endpoint_hash, PushSubscription.name)
    removed = (await session.execute(returned)).one_or_none()
    if removed is None:
        raise NotFound
    await device_tests.forget(session, user, removed.name)
    digest: str = removed.endpoint_hash
    return digest


async def remove_of_session(session: AsyncSession, user: User, session_id: int) -> None:
    """Deletes the subscription made in this session of the user, which is about to end."""
    is_of_user = PushSubscription.user_id == user.id
    await session.execute(
        delete(PushSubscription).where(is_of_user, PushSubscription.session_id == session_id)
    )


async def remove_all(
    session: AsyncSession, user: User, *, except_session: int | None = None
) -> None:
    """Deletes every device of the user, except those of one session."""
    deletion = delete(PushSubscription).where(PushSubscription.user_id == user.id)
    if except_session is not None:
        deletion = deletion.where(PushSubscription.session_id.is_distinct_from(except_session))
    await session.execute(deletion)


async def devices_of(session: AsyncSession, user: User) -> Sequence[PushSubscription]:
    """The user's devices, oldest first."""
    found = select(PushSubscription).where(PushSubscription.user_id == user.id)
    return (await session.scalars(found.order_by(PushSubscription.id))).all()


async def find(session: AsyncSession, user: User, device_id: int) -> PushSubscription:
    """Raises NotFound for a device that is not one of the user's."""
    device = await session.get(PushSubscription, device_id)
    if device is None or device.user_id != user.id:
        raise NotFound
    return device


async def note_replies(
    session: AsyncSession,
    *,
    well: Collection[str],
    gone: Collection[str],
    refusing: Mapping[str, int | None],
) -> None:
    """Records the responses of push services for devices: `well` (accepted), `gone`
    (unsubscribed, so the device is deleted) or `refusing` (with the HTTP status).

    Devices are identified by endpoint hash because a database id may have been reused.
    """
    now = clock.now()
    change = update(PushSubscription).execution_options(synchronize_session=False)
    if well:
        accepting = change.where(PushSubscription.endpoint_hash.in_(well))
        await session.execute(
            accepting.values(last_used_at=now, refused_status=None, failing_since=None)
        )
    if gone:
        await session.execute(
            delete(PushSubscription).where(PushSubscription.endpoint_hash.in_(gone))
        )
    for digest, status in refusing.items():
        since = func.coalesce(PushSubscription.failing_since, now)
        refused = change.where(PushSubscription.endpoint_hash == digest)
        await session.execute(
            refused.values(refused_status=status, failing_since=since, refused_at=now)
        )
