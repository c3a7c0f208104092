"""Accounts in JSON, for administrators: listed, suspended, restored, deleted."""

from datetime import datetime
from typing import Annotated

from litestar import delete, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, QueryParameter

from app.account_lifecycle.closing import delete_managed_account
from app.account_lifecycle.suspension import restore, suspend
from app.accounts.access import require_admin
from app.api.problems import problems
from app.api.shapes import NO_NUL, Message, PageNumber, ResponseBody, like, whole_seconds
from app.database import Database
from app.language import _
from app.models import User
from app.operations.accounts import PER_PAGE, Account, read_account, read_accounts
from app.settings import Settings
from app.telemetry.security_log import record

Search = Annotated[
    str, QueryParameter(max_length=254, pattern=NO_NUL, description="Part of a name or address.")
]


class AccountObject(ResponseBody):
    """`storage` is in bytes. `mails_sent` went to others because of what the user did,
    `mails_received` to the user, as far back as the delivery log is kept. `last_seen_at` is
    accurate to ten minutes.
    """

    id: int
    username: str
    email: str
    is_confirmed: bool
    is_admin: bool
    created_at: datetime
    last_seen_at: datetime | None
    suspended_at: datetime | None
    storage: int
    mails_sent: int
    mails_received: int

    example = like(
        id=7,
        username="bob",
        email="bob@example.com",
        is_confirmed=True,
        is_admin=False,
        created_at="2025-11-01T09:00:00Z",
        last_seen_at="2025-11-29T12:30:00Z",
        suspended_at=None,
        storage=41_943_040,
        mails_sent=3,
        mails_received=12,
    )


class AccountList(ResponseBody):
    """`total` counts the accounts that match, on all pages."""

    accounts: list[AccountObject]
    total: int
    page: int
    pages: int
    per_page: int

    example = like(accounts=[AccountObject.example], total=1, page=1, pages=1, per_page=PER_PAGE)


@get(responses=problems(404))
async def index(
    db: NamedDependency[Database],
    settings: NamedDependency[Settings],
    user: NamedDependency[User],
    q: Search = "",
    page: PageNumber = 1,
) -> AccountList:
    """List accounts, newest first. For administrators only, like all of /api/admin."""
    require_admin(user)
    async with db.read() as session:
        found = await read_accounts(session, settings, q.strip(), page)
    accounts = [_account_object(account) for account in found.accounts]
    return AccountList(accounts, found.total, found.page, found.pages, PER_PAGE)


@post(status_code=200, responses=problems(409))
async def suspend_account(
    db: NamedDependency[Database],
    settings: NamedDependency[Settings],
    user: NamedDependency[User],
    user_id: FromPath[int],
) -> AccountObject:
    """Suspend an account. It is signed out everywhere, and nothing is sent to it."""
    require_admin(user)
    async with db.exclusive() as session:
        account = await read_account(session, settings, await suspend(session, user, user_id))
    record("suspended", user=user.username, account=account.user.username)
    return _account_object(account)


@post(status_code=200, responses=problems(409))
async def restore_account(
    db: NamedDependency[Database],
    settings: NamedDependency[Settings],
    user: NamedDependency[User],
    user_id: FromPath[int],
) -> AccountObject:
    """Restore a suspended account. Its user can sign in again, and its access tokens work again."""
    require_admin(user)
    async with db.exclusive() as session:
        account = await read_account(session, settings, await restore(session, user, user_id))
    record("restored", user=user.username, account=account.user.username)
    return _account_object(account)


@delete(status_code=200, responses=problems(409))
async def delete_account(
    db: NamedDependency[Database],
    settings: NamedDependency[Settings],
    user: NamedDependency[User],
    user_id: FromPath[int],
) -> Message:
    """Delete an account. Each of its teams goes to its oldest admin, or is deleted without one."""
    require_admin(user)
    account = await delete_managed_account(db, settings, user, user_id)
    record("account_deleted", user=user.username, account=account.username)
    return Message(_("The account of {name} was deleted.").format(name=account.username))


def _account_object(account: Account) -> AccountObject:
    user, usage = account.user, account.usage
    return AccountObject(
        id=user.id,
        username=user.username,
        email=user.email,
        is_confirmed=user.is_confirmed,
        is_admin=user.is_admin,
        created_at=whole_seconds(user.created_at),
        last_seen_at=user.last_seen_at and whole_seconds(user.last_seen_at),
        suspended_at=user.suspended_at and whole_seconds(user.suspended_at),
        storage=usage.storage,
        mails_sent=usage.mails_sent,
        mails_received=usage.mails_received,
    )
