"""/admin/deliveries: dead letters, for administrators to redeliver."""

from litestar import Response, get, post
from litestar.di import NamedDependency

from app.accounts.access import require_admin
from app.database import Database
from app.http import AnyRequest, Form, page_number, redirect
from app.language import _, ngettext
from app.layout import page
from app.models import User
from app.notifications.delivery.dead_letters import read_dead_letters, redeliver
from app.values.numbers import whole_number

URL = "/admin/deliveries"


@get()
async def dead_letters(
    request: AnyRequest, db: NamedDependency[Database], user: NamedDependency[User]
) -> Response[str]:
    require_admin(user)
    async with db.read() as session:
        found = await read_dead_letters(session, page_number(request))
    return await page(request, "operations/dead_letters.html", found=found)


@post()
async def redeliver_selected(
    db: NamedDependency[Database], user: NamedDependency[User], form: NamedDependency[Form]
) -> Response[None]:
    """The selected ones, or all of them where that button was pressed."""
    require_admin(user)
    ids = [number for one in form.all("ids") if (number := whole_number(one))]
    if not ids and not form["all"]:
        return redirect(URL, _("Select some deliveries first."), kind="problem")
    async with db.act() as session:
        count = await redeliver(session, None if form["all"] else ids)
    if not count:
        return redirect(URL, _("There was nothing left to send again."), kind="problem")
    sentence = ngettext(
        "{n} delivery will be sent again.", "{n} deliveries will be sent again.", count
    )
    return redirect(URL, sentence.format(n=count))
