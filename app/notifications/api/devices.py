"""Browser push for programs and for our own pages; shapes as the specification has them."""

from datetime import datetime

from litestar.di import NamedDependency

from app import api
from app.accounts.user_agents import device_name
from app.api.shapes import Answer, Message, Sent, Text, like, moment
from app.broker import Broker
from app.broker.relay import CHANGES
from app.database import Database
from app.errors import Conflict
from app.http import AnyRequest
from app.language import _, ngettext
from app.models import PushSubscription, User
from app.notifications.channels.push import device_tests, devices
from app.notifications.channels.push.services import PushServices
from app.notifications.channels.push.vapid_keys import VapidKeys
from app.settings import Settings
from app.throttle import throttle

MOST_TESTS = 10
TESTS_WITHIN = 600  # seconds
ENDPOINT = "https://fcm.googleapis.com/fcm/send/dpH5lCsTSSM"
P256DH = "BNThgjl5_l3WGzRLtD2_hiBxRzDBiFQ9akthG6H4GYbBxibxV9qTNKqWffoprKmyJZ8RCrQYK3ShXidFEzJ4NrU"


class SubscriptionKeys(Sent):
    """Base64url: a public key on P-256 and a secret of 16 bytes (RFC 8291)."""

    p256dh: Text
    auth: Text

    example = like(p256dh=P256DH, auth="8eDyX_uCN0XRhSbY5hs7Hg")


class NewSubscription(Sent):
    """What `PushSubscription.toJSON()` gives in a browser."""

    endpoint: Text
    keys: SubscriptionKeys
    expirationTime: float | None = None

    example = like(endpoint=ENDPOINT, keys=SubscriptionKeys.example)


class OldSubscription(Sent):
    endpoint: Text

    example = like(endpoint=ENDPOINT)


class Subscribed(Answer):
    message: str
    subscription_id: int

    example = like(message="Push subscription saved", subscription_id=42)


class SubscriptionInList(Answer):
    """`last_used_at` is when a push was last taken for it."""

    id: int
    endpoint: str
    created_at: datetime
    last_used_at: datetime | None

    example = like(
        id=42,
        endpoint=ENDPOINT,
        created_at="2025-11-29T10:00:00Z",
        last_used_at="2025-11-29T12:30:00Z",
    )


class SubscriptionList(Answer):
    subscriptions: list[SubscriptionInList]

    example = like(subscriptions=[SubscriptionInList.example])


class Tested(Answer):
    """`count` is the number of devices."""

    message: str
    count: int

    example = like(message="Test push on its way to 2 devices", count=2)


@api.post("/api/push/subscribe")
async def subscribe(
    request: AnyRequest,
    db: NamedDependency[Database],
    settings: NamedDependency[Settings],
    vapid_keys: NamedDependency[VapidKeys],
    user: NamedDependency[User],
    sent: NamedDependency[NewSubscription],
) -> Subscribed:
    """Have pushes sent to a browser, or renew what is sent there.

    It belongs to whoever is signed in there: from anybody else it is taken over.
    """
    services = PushServices(settings.push_allowed_hosts)
    keys = devices.read_keys(services, sent.endpoint, sent.keys.p256dh, sent.keys.auth)
    async with db.write() as session:
        device = await devices.subscribe(
            session,
            user,
            endpoint=sent.endpoint,
            keys=keys,
            vapid_key=vapid_keys.public,
            name=device_name(request.headers.get("User-Agent", "")),
            session_id=request.scope["state"].get("session_id"),
        )
    return Subscribed(_("Push subscription saved"), device.id)


@api.post("/api/push/unsubscribe", problems={404})
async def unsubscribe(
    db: NamedDependency[Database],
    user: NamedDependency[User],
    sent: NamedDependency[OldSubscription],
) -> Message:
    """Have no more pushes sent to a browser."""
    async with db.write() as session:
        await devices.unsubscribe(session, user, sent.endpoint)
    return Message(_("Push subscription removed"))


@api.get("/api/push/subscriptions")
async def index(db: NamedDependency[Database], user: NamedDependency[User]) -> SubscriptionList:
    """The browsers to which one's pushes are sent, the oldest first."""
    async with db.read() as session:
        return SubscriptionList([_in_list(one) for one in await devices.devices_of(session, user)])


@api.post("/api/push/test", problems={409, 429})
async def test(
    db: NamedDependency[Database],
    settings: NamedDependency[Settings],
    broker: NamedDependency[Broker],
    user: NamedDependency[User],
) -> Tested:
    """Send a test push to each of one's browsers. It leaves at once, but after the answer."""
    await require_patience(db, settings, user)
    async with db.write() as session:
        theirs = await devices.devices_of(session, user)
        if not theirs:
            raise Conflict(_("You have not enabled push on any device."))
        for device in theirs:
            await device_tests.add(session, device)
    broker.relay.poke(CHANGES)
    count = len(theirs)
    sentence = ngettext(
        "Test push on its way to {n} device", "Test push on its way to {n} devices", count
    )
    return Tested(sentence.format(n=count), count)


async def require_patience(db: Database, settings: Settings, user: User) -> None:
    """Raises TooMany for one who tests again and again: somebody else's service has to carry it."""
    key = f"push-test:{user.id}"
    await throttle(db, settings, key, limit=MOST_TESTS, seconds=TESTS_WITHIN)


def _in_list(device: PushSubscription) -> SubscriptionInList:
    used = device.last_used_at and moment(device.last_used_at)
    return SubscriptionInList(device.id, device.endpoint, moment(device.created_at), used)


routes = [subscribe, unsubscribe, index, test]
