"""What browsers fetch by themselves: the service worker and what it asks, and the app's manifest."""

from typing import Any

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery

from app.database import Database
from app.http import AnyRequest, Form, csrf_token, proven_same_origin, signed_in
from app.language import _
from app.layout import fragment
from app.models import User
from app.notifications.channels.push import devices
from app.notifications.channels.push.vapid_keys import VapidKeys
from app.notifications.channels.push.visibility import note_visible
from app.notifications.inbox import feed
from app.notifications.inbox.selection import Selection
from app.numbers import whole_number
from app.static_files import NO_CACHE, asset, respond

PRIVATE = {"Cache-Control": "no-store"}
MOST_ASKED = 100
ICONS = (
    ("icons/192.png", 192, "any"),
    ("icons/512.png", 512, "any"),
    ("icons/maskable-192.png", 192, "maskable"),
    ("icons/maskable-512.png", 512, "maskable"),
)


@get("/sw.js", sync_to_thread=False)
def service_worker(request: AnyRequest) -> Response[bytes | None]:
    """The service worker. At the root, because it controls only pages below its own address."""
    return respond(request, "sw.js", NO_CACHE)


@get("/offline.js", sync_to_thread=False)
def service_worker_offline(request: AnyRequest) -> Response[bytes | None]:
    """What the service worker imports."""
    return respond(request, "offline.js", NO_CACHE)


@get("/manifest.webmanifest", sync_to_thread=False)
def manifest() -> Response[dict[str, Any]]:
    """With which the app can be installed (W3C Web Application Manifest)."""
    described = {
        "id": "/",
        "name": "ClippyFront",
        "short_name": "ClippyFront",
        "description": _("Teams turn video clips into compilations."),
        "start_url": "/",
        "scope": "/",
        "display": "standalone",
        "background_color": "#f8f7f3",
        "theme_color": "#0b6e66",
        "icons": [
            {"src": asset(path), "sizes": f"{size}x{size}", "type": "image/png", "purpose": purpose}
            for path, size, purpose in ICONS
        ],
        "shortcuts": [{"name": _("Notifications"), "url": "/notifications"}],
    }
    return Response(
        described, media_type="application/manifest+json", headers={"Cache-Control": NO_CACHE}
    )


@get("/offline")
async def offline(request: AnyRequest) -> Response[str]:
    """What the service worker shows while the server cannot be reached. Kept there, so nobody's."""
    return fragment(request, "offline.html")


@get("/push/words", media_type="text/plain", sync_to_thread=False)
def words() -> str:
    """What the service worker shows of a push that says nothing it can read. Kept there."""
    return _("Something new has happened.")


@get("/push/state", guards=[signed_in], sync_to_thread=False)
def state(request: AnyRequest, vapid_keys: NamedDependency[VapidKeys]) -> Response[dict[str, str]]:
    """What a service worker needs in order to subscribe again by itself."""
    told = {"key": vapid_keys.public, "csrf_token": csrf_token(request)}
    return Response(told, headers=PRIVATE)


@get("/push/unread")
async def unread(
    db: NamedDependency[Database], user: NamedDependency[User], ids: FromQuery[str] = ""
) -> Response[dict[str, Any]]:
    """Which of these notices are still unread: only those stay on the screen."""
    asked = [number for one in ids.split(",")[:MOST_ASKED] if (number := whole_number(one))]
    async with db.read() as session:
        told = {
            "unread": await feed.still_unread(session, user.id, asked),
            "unread_count": await feed.unread_count(session, user.id, feed.MOST_COUNTED),
        }
    return Response(told, headers=PRIVATE)


@post(
    "/push/{notification_id:int}/read",
    status_code=204,
    guards=[proven_same_origin],
    opt={"exclude_from_csrf": True},
)
async def read(
    db: NamedDependency[Database], user: NamedDependency[User], notification_id: FromPath[int]
) -> None:
    """Mark the notice read that was clicked on the screen."""
    async with db.act() as session:
        await feed.find(session, user.id, notification_id, also_hidden=True)
        await feed.mark(session, user.id, Selection([notification_id]), read=True)


@post("/push/subscription", status_code=200)
async def subscription(
    db: NamedDependency[Database],
    user: NamedDependency[User],
    form: NamedDependency[Form],
) -> dict[str, str]:
    """What has become of the subscription that a browser has (`endpoint`): see devices.state_of."""
    async with db.read() as session:
        return {"state": await devices.state_of(session, user, form["endpoint"])}


@post("/push/presence", status_code=200)
async def presence(
    db: NamedDependency[Database],
    user: NamedDependency[User],
    form: NamedDependency[Form],
) -> dict[str, bool]:
    """A page is in view (`visible` is 1) or no more; `is_wanted` says whether that is of use."""
    async with db.write() as session:
        is_wanted = await note_visible(session, user, is_visible=form["visible"] == "1")
    return {"is_wanted": is_wanted}


routes = [
    service_worker,
    service_worker_offline,
    manifest,
    offline,
    words,
    state,
    unread,
    read,
    subscription,
    presence,
]
