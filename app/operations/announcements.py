"""/admin/announcements: an administrator sends a notification to every user."""

from typing import Any

from litestar import Response, get, post
from litestar.di import NamedDependency
from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts.access import require_admin
from app.database import Database
from app.errors import Invalid
from app.http import AnyRequest, Form, redirect
from app.language import ngettext
from app.layout import page
from app.models import User
from app.notifications.events.catalogue import ANNOUNCEMENT
from app.notifications.events.custom import CustomMessage
from app.notifications.events.event_type import HIGH, NORMAL
from app.notifications.notify import count_recipients, notify

URL = "/admin/announcements"


async def announce(session: AsyncSession, user: User, message: CustomMessage) -> int:
    """Notify every other user and return their number. Raises Invalid for `title`, `body`, `url`."""
    message.require_valid()
    event = await notify(session, ANNOUNCEMENT, actor=user, **message.facts())
    return await count_recipients(session, event)


@get()
async def new_announcement(request: AnyRequest, user: NamedDependency[User]) -> Response[Any]:
    require_admin(user)
    return await page(request, "operations/announcement.html")


@post()
async def send_announcement(
    request: AnyRequest,
    db: NamedDependency[Database],
    user: NamedDependency[User],
    form: NamedDependency[Form],
) -> Response[Any]:
    require_admin(user)
    priority = HIGH if form["urgent"] else NORMAL
    message = CustomMessage(form["title"], form["body"], form["url"], priority)
    try:
        async with db.act() as session:
            count = await announce(session, user, message)
    except Invalid as invalid:
        again = {"typed": form, "errors": invalid.fields}
        return await page(request, "operations/announcement.html", status=422, **again)
    sentence = ngettext("Sent to {n} user.", "Sent to {n} users.", count).format(n=count)
    return redirect("/admin", sentence)
