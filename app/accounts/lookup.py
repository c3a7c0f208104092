"""Finds accounts: by login or address, and again in the transaction that acts on a password check.

An address belongs to the account that has confirmed it. Other accounts may have it unconfirmed,
since anyone can enter any address.
"""

from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.errors import Conflict
from app.language import _
from app.models import User
from app.values.email_addresses import address_key


def has_confirmed(address: str) -> ColumnElement[bool]:
    """True of the one account that has confirmed this address, in any spelling."""
    return and_(User.email_key == address_key(address), User.email_confirmed_at.is_not(None))


def has_login(login: str) -> ColumnElement[bool]:
    """True of the account with this username or confirmed address. Usernames contain no @, so it is one at
    most.
    """
    return or_(User.username_key == login.casefold(), has_confirmed(login))


async def find_by_login(session: AsyncSession, login: str) -> User | None:
    """The account with this username or confirmed address."""
    return await session.scalar(select(User).where(has_login(login)))


async def find_holder(session: AsyncSession, address: str) -> User | None:
    """The account that has confirmed this address."""
    return await session.scalar(select(User).where(has_confirmed(address)))


async def get_unchanged(session: AsyncSession, user: User) -> User:
    """Load the user again, before an action that `user`'s password has just authorized.

    Raises Conflict if the password was replaced since it was checked.
    """
    stored = await session.get_one(User, user.id)
    if stored.password_hash != user.password_hash:
        raise Conflict(_("This password was changed a moment ago."))
    return stored


async def lock_user(session: AsyncSession, user: User) -> None:
    """Lock the user's row until the transaction ends, on PostgreSQL; SQLite has one writer anyway.

    A transaction that changes the user and rows that belong to them, such as sessions, must change
    the user first or begin with this: in any other order, two of them could deadlock.
    """
    row = select(User.id).where(User.id == user.id)
    await session.execute(row.with_for_update(key_share=True))
