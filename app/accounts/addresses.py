"""A user's mail address: confirmed by a mailed link, replaced once the new one is confirmed.

Until then the change is pending. The old address gets a mail with a link to cancel the change. The
change also ends when the password changes, on "Log out everywhere", and after seven days.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession

from app import clock
from app.accounts.validation import require_available
from app.errors import NotFound
from app.language import _
from app.mail.transactional import TransactionalMail, add_transactional_mail
from app.models import Delivery, User
from app.security import Signer, new_nonce, signer_of

CONFIRM, CANCEL = "confirm_address", "cancel_address_change"
REQUESTED = "address_change_requested"
TIME_TO_CONFIRM = timedelta(days=7)


async def request_address_change(session: AsyncSession, user: User, address: str) -> None:
    """Mail a link to `address`, which replaces the present address once it is confirmed.

    Raises Invalid when another account has `address`.
    """
    await _require_available(session, user, address)
    user.pending_email, user.pending_email_nonce = address, new_nonce()
    await send_confirmation(session, user, address)
    await _tell_old_address(session, user)


async def send_confirmation(session: AsyncSession, user: User, address: str) -> None:
    """Mail a link to `address` by which its holder confirms it as the user's address."""
    user = await session.get_one(User, user.id)
    if address == user.pending_email:
        user.pending_email_until = clock.now() + TIME_TO_CONFIRM
    await add_transactional_mail(
        session,
        CONFIRM,
        address=address,
        user_id=user.id,
        username=user.username,
        email=address,
        nonce=_nonce_of(user, address),
    )


async def _tell_old_address(session: AsyncSession, user: User) -> None:
    """An address that was never confirmed may be a stranger's, who must not learn the new one."""
    if user.is_confirmed:
        await add_transactional_mail(
            session,
            REQUESTED,
            address=user.email,
            user_id=user.id,
            username=user.username,
            email=user.pending_email,
            nonce=user.pending_email_nonce,
        )


async def read_confirmation(session: AsyncSession, token: str) -> tuple[User, str]:
    """The user whose link this is, and the address that it confirms.

    Raises NotFound for a link that was altered, used, superseded, or is older than seven days.
    """
    max_age = int(TIME_TO_CONFIRM.total_seconds())
    match signer_of(session).unsign(CONFIRM, token, max_age=max_age):
        case [int(user_id), str(nonce), str(address)]:
            user = await session.get(User, user_id)
            if user and nonce == _nonce_of(user, address):
                return user, address
    raise NotFound(_("This link has already been used, or has expired."))


def _nonce_of(user: User, address: str) -> str | None:
    """The nonce of the links that confirm `address`; None if it does not await confirmation."""
    if address == user.awaited_email:
        return user.pending_email_nonce
    return user.link_nonce if address == user.email and not user.is_confirmed else None


async def read_cancellation(session: AsyncSession, token: str) -> User:
    """The user whose pending change the link to cancel it is about.

    Raises NotFound for a link that was altered, and once the change has ended in any way.
    """
    match signer_of(session).unsign(CANCEL, token):
        case [int(user_id), str(nonce)]:
            user = await session.get(User, user_id)
            if user and user.awaited_email and nonce == user.pending_email_nonce:
                return user
    raise NotFound(_("This change of address was already made or cancelled, or has expired."))


def cancellation_path(signer: Signer, user_id: int, pending_email_nonce: str) -> str:
    """The link to cancel a pending change, mailed to the old address."""
    return f"/account/address/cancel/{signer.sign(CANCEL, [user_id, pending_email_nonce])}"


async def cancel_address_change(session: AsyncSession, user: User) -> None:
    """End the pending change, if there is one: its links no longer work."""
    stored = await session.get_one(User, user.id)
    stored.pending_email = stored.pending_email_nonce = stored.pending_email_until = None


async def set_confirmed_address(session: AsyncSession, user: User, address: str) -> None:
    """Make `address` the user's confirmed address. Raises Invalid when another account has it."""
    if address != user.email:
        await _require_available(session, user, address)
        await _replace_address(session, user, address)
    user.email_confirmed_at, user.email_gone_at = clock.now(), None


async def resume_mail(session: AsyncSession, user: User) -> None:
    """Send mail to the user's address again, although a server refused it permanently."""
    (await session.get_one(User, user.id)).email_gone_at = None


async def _require_available(session: AsyncSession, user: User, address: str) -> None:
    """Another spelling of the user's own address, as with capital letters, is available to them."""
    if address.casefold() != user.email_key:
        await require_available(session, email=address)


async def _replace_address(session: AsyncSession, user: User, address: str) -> None:
    """Pending notification mail moves to the new address; the old one is informed of the change.

    Links that were mailed to the old address end.
    """
    old_address, was_confirmed = user.email, user.is_confirmed
    user.email, user.email_key = address, address.casefold()
    user.link_nonce, user.has_old_links = new_nonce(), False
    await cancel_address_change(session, user)
    await session.execute(
        update(Delivery)
        .where(
            Delivery.user_id == user.id,
            Delivery.notification_id.is_not(None),
            Delivery.address == old_address,
            Delivery.state == "pending",
        )
        .values(address=address)
    )
    if was_confirmed:
        facts = {"username": user.username, "email": address}
        await add_transactional_mail(
            session, "address_changed", address=old_address, user_id=user.id, **facts
        )


def _confirm_links(signer: Signer, facts: Mapping[str, Any]) -> Mapping[str, Any]:
    token = signer.sign(CONFIRM, [facts["user_id"], facts["nonce"], facts["email"]])
    return {"token": token, "days": TIME_TO_CONFIRM.days}


async def _skip_reason(session: AsyncSession, facts: Mapping[str, Any]) -> str | None:
    user = await session.get(User, facts["user_id"])
    is_of_use = user and facts["nonce"] == _nonce_of(user, facts["email"])
    return None if is_of_use else "confirmed"


def _cancel_links(signer: Signer, facts: Mapping[str, Any]) -> Mapping[str, Any]:
    return {"cancel_path": cancellation_path(signer, facts["user_id"], facts["nonce"])}


CONFIRM_MAIL = TransactionalMail(CONFIRM, _confirm_links, _skip_reason)
REQUESTED_MAIL = TransactionalMail(REQUESTED, _cancel_links)
