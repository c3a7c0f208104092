"""JSON endpoints for browser push, also used by our own pages."""

from datetime import datetime

from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import JSONBody

from app.api.problems import problems
from app.api.shapes import Message, RequestBody, ResponseBody, Text, like, whole_seconds
from app.database import Database
from app.errors import Conflict
from app.http import AnyRequest
from app.language import _, ngettext
from app.models import PushSubscription, User
from app.notifications.channels.push import device_tests, devices
from app.notifications.channels.push.allowed_services import PushServices
from app.notifications.channels.push.throttles import throttle_tests
from app.notifications.channels.push.vapid_keys import VapidKeys
from app.settings import Settings
from app.web.user_agents import device_name

ENDPOINT = "https://fcm.googleapis.com/fcm/send/dpH5lCsTSSM"
P256DH = "BNThgjl5_l3WGzRLtD2_hiBxRzDBiFQ9akthG6H4GYbBxibxV9qTNKqWffoprKmyJZ8RCrQYK3ShXidFEzJ4NrU"


class SubscriptionKeys(RequestBody):
    """Base64url: a P-256 public key and a 16-byte secret (RFC 8291)."""

    p256dh: Text
    auth: Text

    example = like(p256dh=P256DH, auth="8eDyX_uCN0XRhSbY5hs7Hg")


class NewSubscription(RequestBody):
    """What `PushSubscription.toJSON()` returns in a browser."""

    endpoint: Text
    keys: SubscriptionKeys
    expirationTime: float | None = None

    example = like(endpoint=ENDPOINT, keys=SubscriptionKeys.example)


class OldSubscription(RequestBody):
    endpoint: Text

    example = like(endpoint=ENDPOINT)


class Subscribed(ResponseBody):
    message: str
    subscription_id: int

    example = like(message="Push subscription saved", subscription_id=42)


class SubscriptionInList(ResponseBody):
    """`last_used_at` is when the push service last accepted a push for this browser."""

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


class SubscriptionList(ResponseBody):
    subscriptions: list[SubscriptionInList]

    example = like(subscriptions=[SubscriptionInList.example])


class Tested(ResponseBody):
    """`count` is the number of devices."""

    message: str
    count: int

    example = like(message="Test push on its way to 2 devices", count=2)


@post(status_code=200)
async def subscribe(
    request: AnyRequest,
    db: NamedDependency[Database],
    settings: NamedDependency[Settings],
    vapid_keys: NamedDependency[VapidKeys],
    user: NamedDependency[User],
    data: JSONBody[NewSubscription],
) -> Subscribed:
    """Subscribe a browser to push notifications, or renew its subscription.

    A browser belongs to one user: if someone else subscribed it before, it becomes yours.
    """
    services = PushServices(settings.push_allowed_hosts)
    keys = devices.read_keys(services, data.endpoint, data.keys.p256dh, data.keys.auth)
    async with db.exclusive() as session:
        device = await devices.subscribe(
            session,
            user,
            endpoint=data.endpoint,
            keys=keys,
            vapid_key=vapid_keys.public,
            name=device_name(request.headers.get("User-Agent", "")),
            session_id=request.scope["state"].get("session_id"),
        )
    return Subscribed(_("Push subscription saved"), device.id)


@post(status_code=200, responses=problems(404))
async def unsubscribe(
    db: NamedDependency[Database],
    user: NamedDependency[User],
    data: JSONBody[OldSubscription],
) -> Message:
    """Unsubscribe a browser from push notifications."""
    async with db.exclusive() as session:
        await devices.unsubscribe(session, user, data.endpoint)
    return Message(_("Push subscription removed"))


@get()
async def index(db: NamedDependency[Database], user: NamedDependency[User]) -> SubscriptionList:
    """List your subscribed browsers, oldest first."""
    async with db.read() as session:
        return SubscriptionList(
            [_in_list(device) for device in await devices.devices_of(session, user)]
        )


@post(status_code=200, responses=problems(409, 429))
async def test(
    db: NamedDependency[Database],
    settings: NamedDependency[Settings],
    user: NamedDependency[User],
) -> Tested:
    """Send a test push to each of your browsers, right after the response."""
    await throttle_tests(db, settings, user)
    async with db.exclusive() as session:
        current = await devices.devices_of(session, user)
        if not current:
            raise Conflict(_("You have not enabled push on any device."))
        for device in current:
            await device_tests.add(session, device)
    count = len(current)
    sentence = ngettext(
        "Test push on its way to {n} device", "Test push on its way to {n} devices", count
    )
    return Tested(sentence.format(n=count), count)


def _in_list(device: PushSubscription) -> SubscriptionInList:
    created_at = whole_seconds(device.created_at)
    last_used_at = device.last_used_at and whole_seconds(device.last_used_at)
    return SubscriptionInList(device.id, device.endpoint, created_at, last_used_at)
