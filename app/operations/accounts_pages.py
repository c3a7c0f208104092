"""/admin/accounts: search, suspend, restore and delete accounts."""

from typing import Any

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from app.account_lifecycle.closing import delete_managed_account
from app.account_lifecycle.suspension import find_managed, restore, suspend
from app.accounts.access import require_admin
from app.database import Database
from app.http import AnyRequest, page_number, redirect, search_text
from app.language import _
from app.layout import ask, page
from app.models import User
from app.operations.accounts import read_accounts
from app.settings import Settings
from app.telemetry.security_log import record
from app.values.names import isolate

URL = "/admin/accounts"
LONGEST_SEARCH = 254


@get()
async def index(
    request: AnyRequest,
    db: NamedDependency[Database],
    settings: NamedDependency[Settings],
    user: NamedDependency[User],
) -> Response[Any]:
    require_admin(user)
    q = search_text(request)[:LONGEST_SEARCH]
    async with db.read() as session:
        found = await read_accounts(session, settings, q, page_number(request))
    return await page(
        request, "operations/accounts.html", found=found, q=q, days=settings.retention_days
    )


@post()
async def suspend_account(
    db: NamedDependency[Database], user: NamedDependency[User], user_id: FromPath[int]
) -> Response[None]:
    require_admin(user)
    async with db.exclusive() as session:
        account = await suspend(session, user, user_id)
    record("suspended", user=user.username, account=account.username)
    return redirect(
        _at(account),
        _("{name} is suspended.").format(name=isolate(account.username)),
        undo_url=f"{URL}/{user_id}/restore",
        undo_label=_("Restore"),
    )


@post()
async def restore_account(
    db: NamedDependency[Database], user: NamedDependency[User], user_id: FromPath[int]
) -> Response[None]:
    require_admin(user)
    async with db.exclusive() as session:
        account = await restore(session, user, user_id)
    record("restored", user=user.username, account=account.username)
    return redirect(
        _at(account), _("{name} can sign in again.").format(name=isolate(account.username))
    )


@get()
async def ask_to_delete(
    request: AnyRequest,
    db: NamedDependency[Database],
    user: NamedDependency[User],
    user_id: FromPath[int],
) -> Response[Any]:
    require_admin(user)
    async with db.read() as session:
        account = await find_managed(session, user, user_id)
    explanation = _(
        "This also deletes their projects with all clips and videos. Each team that they own goes to "
        "its oldest admin; a team without an admin is deleted. This cannot be undone."
    )
    return await ask(
        request,
        question=_("Delete the account of {name}?").format(name=isolate(account.username)),
        explanation=explanation,
        action=f"{URL}/{user_id}/delete",
        button_label=_("Delete account"),
        cancel_url=_at(account),
    )


@post()
async def delete_account(
    db: NamedDependency[Database],
    settings: NamedDependency[Settings],
    user: NamedDependency[User],
    user_id: FromPath[int],
) -> Response[None]:
    require_admin(user)
    account = await delete_managed_account(db, settings, user, user_id)
    record("account_deleted", user=user.username, account=account.username)
    return redirect(
        URL, _("The account of {name} was deleted.").format(name=isolate(account.username))
    )


def _at(account: User) -> str:
    """The list, narrowed to this account."""
    return f"{URL}?q={account.username}"
