"""/account/export and /account/delete"""

from typing import Any

from litestar import Response, get, post
from litestar.di import NamedDependency

from app.account_lifecycle.archive import export_account
from app.account_lifecycle.closing import delete_account
from app.accounts.pages.login import sign_out
from app.accounts.throttles import throttle_password_check
from app.database import Database
from app.errors import Invalid
from app.http import AnyRequest, Form, redirect
from app.language import _
from app.layout import page
from app.models import User
from app.settings import Settings
from app.telemetry.security_log import record


@get()
async def download(
    db: NamedDependency[Database], user: NamedDependency[User]
) -> Response[dict[str, Any]]:
    async with db.read() as session:
        archive = await export_account(session, user)
    name = f'attachment; filename="clippyfront-{user.id}.json"'
    return Response(archive, headers={"Content-Disposition": name, "Cache-Control": "no-store"})


@get()
async def deletion_page(request: AnyRequest, user: NamedDependency[User]) -> Response[Any]:  # noqa: ARG001
    return await page(request, "accounts/delete.html")


@post()
async def delete(
    request: AnyRequest,
    db: NamedDependency[Database],
    settings: NamedDependency[Settings],
    user: NamedDependency[User],
    form: NamedDependency[Form],
) -> Response[Any]:
    await throttle_password_check(request, db, settings, user)
    try:
        await delete_account(db, settings, user, form.exact("password"))
    except Invalid as invalid:
        return await page(request, "accounts/delete.html", status=422, errors=invalid.fields)
    record("account_deleted", user=user.username, account=user.username)
    return sign_out(settings, redirect("/login", _("Your account was deleted.")))
