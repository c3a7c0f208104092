"""A person's mail address: confirmed by a mailed link, changed by confirming the new one."""

from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession

from app import clock
from app.accounts.passwords import require_password
from app.accounts.registration import (
    CONFIRM,
    DAYS_TO_CONFIRM,
    ask_to_confirm,
    greet,
    is_unconfirmed,
)
from app.accounts.validation import require_free, require_right, wrong_email
from app.database import Database
from app.errors import NotFound
from app.language import _
from app.mail.transactional import add_transactional_mail
from app.models import Delivery, User
from app.security import signer_of
from app.settings import Settings


async def change_address(
    db: Database, settings: Settings, account: User, *, email: str, password: str
) -> User:
    """Change to `email` once it is confirmed, or at once where no mail can be sent.

    The old address is told. Raises Invalid for `email`, `password`.
    """
    same = _("This is your address already.") if email == account.email else ""
    require_right(email=wrong_email(email) or same)
    await require_password(account, password)
    async with db.act() as session:
        account = await session.get_one(User, account.id)
        if email.casefold() != account.email_key:
            await require_free(session, email=email)
        if settings.sends_mail:
            account.pending_email = email
            await ask_to_confirm(session, account, email)
        else:
            await _move_to(session, account, email)
    return account


async def read_confirmation(session: AsyncSession, token: str) -> tuple[User, str]:
    """Whose link this is, and the address it confirms. Raises NotFound when it is of no use."""
    user_id, address = signer_of(session).unsign(CONFIRM, token, max_age=DAYS_TO_CONFIRM * 86400)
    account = await session.get(User, user_id)
    if account is None or not is_unconfirmed(account, address):
        raise NotFound(_("This link has been used or is too old."))
    return account, address


async def confirm_address(session: AsyncSession, token: str) -> User:
    """Take the address that the link was mailed to as the person's. Raises NotFound, Invalid."""
    account, address = await read_confirmation(session, token)
    if address == account.email:
        account.email_confirmed_at, account.email_gone_at = clock.now(), None
        await greet(session, account)
        return account
    if address.casefold() != account.email_key:
        await require_free(session, email=address)
    await _move_to(session, account, address)
    return account


async def try_address_again(session: AsyncSession, account: User) -> None:
    """Mail goes to the address once more, though it was refused for good."""
    account = await session.get_one(User, account.id)
    account.email_gone_at = None


async def _move_to(session: AsyncSession, account: User, address: str) -> None:
    """What was to go to the old address goes to the new one; the old one only hears of it."""
    old = account.email
    account.email, account.email_key, account.pending_email = address, address.casefold(), None
    account.email_confirmed_at, account.email_gone_at = clock.now(), None
    await session.execute(
        update(Delivery)
        .where(
            Delivery.user_id == account.id,
            Delivery.notification_id.is_not(None),
            Delivery.address == old,
            Delivery.state == "pending",
        )
        .values(address=address)
    )
    facts = {"username": account.username, "email": address}
    await add_transactional_mail(
        session, "address_changed", address=old, user_id=account.id, **facts
    )
    await greet(session, account)
