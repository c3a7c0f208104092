"""The service worker, the app manifest, and the endpoints for the worker and the push scripts."""

from typing import Any

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery

from app.database import Database
from app.http import AnyRequest, Form, signed_in
from app.language import _
from app.layout import fragment
from app.models import User
from app.notifications.channels.push import devices
from app.notifications.channels.push.vapid_keys import VapidKeys
from app.notifications.channels.push.visibility import note_visible
from app.notifications.inbox import acts, feed
from app.notifications.inbox.selection import Selection
from app.values.numbers import whole_number
from app.web.csrf import csrf_token
from app.web.static_files import NO_CACHE, asset, respond

PRIVATE = {"Cache-Control": "private, no-store"}
KEPT = {"Cache-Control": "private, no-cache"}  # in the user's language
MOST_REQUESTED = 100
ICONS = (
    ("icons/192.png", 192, "any"),
    ("icons/512.png", 512, "any"),
    ("icons/maskable-192.png", 192, "maskable"),
    ("icons/maskable-512.png", 512, "maskable"),
)


@get(sync_to_thread=False)
def service_worker(request: AnyRequest) -> Response[bytes | None]:
    """The service worker, served from the root because it controls only pages below its path."""
    return respond(request, "sw.js", NO_CACHE)


@get(sync_to_thread=False)
def service_worker_offline(request: AnyRequest) -> Response[bytes | None]:
    """The script that the service worker imports."""
    return respond(request, "offline.js", NO_CACHE)


@get(sync_to_thread=False)
def manifest() -> Response[dict[str, Any]]:
    """The W3C Web Application Manifest, which makes the app installable."""
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
    return Response(described, media_type="application/manifest+json", headers=KEPT)


@get()
async def offline(request: AnyRequest) -> Response[str]:
    """The page shown while the server is unreachable. The service worker caches it, so it must
    contain nothing about a user.
    """
    return fragment(request, "offline.html")


@get(media_type="text/plain", sync_to_thread=False)
def words() -> str:
    """The text shown for a push with an unreadable payload. The service worker caches it."""
    return _("Something new has happened.")


@get(guards=[signed_in], sync_to_thread=False)
def state(request: AnyRequest, vapid_keys: NamedDependency[VapidKeys]) -> Response[dict[str, str]]:
    """The values that a service worker, which has no page, needs for its requests."""
    values = {"key": vapid_keys.public, "csrf_token": csrf_token(request)}
    return Response(values, headers=PRIVATE)


@get()
async def unread(
    db: NamedDependency[Database], user: NamedDependency[User], ids: FromQuery[str] = ""
) -> Response[dict[str, Any]]:
    """The requested notifications that are still unread: the others are closed on the screen."""
    parts = ids.split(",")[:MOST_REQUESTED]
    requested = [number for part in parts if (number := whole_number(part))]
    async with db.read() as session:
        counts = {
            "unread": await feed.still_unread(session, user.id, requested),
            "unread_count": await feed.unread_count(session, user.id),
        }
    return Response(counts, headers=PRIVATE)


@post(status_code=204)
async def read(
    db: NamedDependency[Database], user: NamedDependency[User], notification_id: FromPath[int]
) -> None:
    """Marks as read the notification that the user clicked on the screen."""
    async with db.act() as session:
        await feed.find(session, user.id, notification_id, also_hidden=True)
        await acts.mark(session, user.id, Selection([notification_id]), read=True)


@post(status_code=200)
async def subscription(
    db: NamedDependency[Database],
    user: NamedDependency[User],
    form: NamedDependency[Form],
) -> dict[str, str]:
    """The state of a browser's subscription (`endpoint`): see devices.state_of."""
    async with db.read() as session:
        return {"state": await devices.state_of(session, user, form["endpoint"])}


@post(status_code=200)
async def visibility(
    db: NamedDependency[Database],
    user: NamedDependency[User],
    form: NamedDependency[Form],
) -> dict[str, bool]:
    """A page reports that it is in view (`visible` is 1) or no longer is; `is_wanted` tells it
    whether to keep reporting.
    """
    async with db.write() as session:
        is_wanted = await note_visible(session, user, is_visible=form["visible"] == "1")
    return {"is_wanted": is_wanted}
