"""A user's mail address: confirmed by a mailed link, replaced once the new one is confirmed.

Until then the change is pending. The old address gets a mail with a link to cancel the change. The
change also ends when the password changes, on "Log out everywhere", and after seven days.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from app import clock
from app.accounts.lookup import find_holder
from app.accounts.validation import require_available
from app.errors import NotFound
from app.language import _
from app.mail.limits import mail_refusal, too_many
from app.mail.transactional import TransactionalMail, add_transactional_mail
from app.models import Delivery, Notification, User
from app.models.delivery import is_pending
from app.notifications.events.catalogue import (
    ACCOUNT_ADDRESS_CHANGE_REQUESTED,
    CANCEL_ADDRESS_CHANGE,
    types_with_mandatory,
)
from app.notifications.events.event_type import EMAIL
from app.notifications.notify import notify
from app.security import Signer, new_nonce, signer_of
from app.values.email_addresses import address_key

CONFIRM = "confirm_address"
IN_USE = "address_in_use"
TIME_TO_CONFIRM = timedelta(days=7)


async def request_address_change(session: AsyncSession, user: User, address: str) -> None:
    """Mail a link to `address`, which replaces the present address once it is confirmed.

    Raises TooMany when too many such mails were sent.
    """
    user.pending_email, user.pending_email_nonce = address, new_nonce()
    if refusal := await send_confirmation(session, user, address):
        raise too_many(CONFIRM, refusal)
    await notify_of_request(session, user, address, nonce=user.pending_email_nonce)


async def notify_of_request(
    session: AsyncSession, user: User, address: str, **cancellation: str | None
) -> None:
    """Notify the user that a change to `address` was requested. The mail goes to the present
    address, with a link that cancels the change if its `nonce` is given.
    """
    facts: dict[str, Any] = {"address": address, **cancellation}
    await notify(session, ACCOUNT_ADDRESS_CHANGE_REQUESTED, affected=user, **facts)


async def send_confirmation(session: AsyncSession, user: User, address: str) -> str | None:
    """Mail a link to `address` by which its holder confirms it as the user's address.

    If another account has confirmed the address, its owner gets a warning instead, and the caller
    cannot tell the difference. Returns what `mail_refusal` returns if too many such mails were sent.
    """
    user = await session.get_one(User, user.id)
    if address == user.pending_email:
        user.pending_email_until = clock.now() + TIME_TO_CONFIRM
    if refusal := await mail_refusal(session, CONFIRM, address, sender=user):
        return refusal
    owner = await find_holder(session, address)
    if owner and owner.id != user.id:
        await _tell_owner(session, owner, sender=user)
        return None
    await add_transactional_mail(
        session,
        CONFIRM,
        address=address,
        user_id=user.id,
        username=user.username,
        email=address,
        nonce=_nonce_of(user, address),
    )
    return None


async def _tell_owner(session: AsyncSession, owner: User, *, sender: User) -> None:
    """Mail the owner that someone else entered their address."""
    if not await mail_refusal(session, IN_USE, owner.email, sender=sender):
        await add_transactional_mail(
            session, IN_USE, address=owner.email, user_id=owner.id, username=owner.username
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
    match signer_of(session).unsign(CANCEL_ADDRESS_CHANGE, token):
        case [int(user_id), str(nonce)]:
            user = await session.get(User, user_id)
            if user and user.awaited_email and nonce == user.pending_email_nonce:
                return user
    raise NotFound(_("This change of address was already made or cancelled, or has expired."))


async def cancel_address_change(session: AsyncSession, user: User) -> None:
    """End the pending change, if there is one: its links no longer work."""
    stored = await session.get_one(User, user.id)
    stored.pending_email = stored.pending_email_nonce = stored.pending_email_until = None


async def set_confirmed_address(session: AsyncSession, user: User, address: str) -> None:
    """Make `address` the user's confirmed address. Raises Invalid when another account has it."""
    if not (user.is_confirmed and address_key(address) == user.email_key):
        await require_available(session, email=address)
    if address != user.email:
        await _replace_address(session, user, address)
    user.email_confirmed_at, user.email_gone_at = clock.now(), None


async def resume_mail(session: AsyncSession, user: User) -> None:
    """Send mail to the user's address again, although a server refused it permanently."""
    (await session.get_one(User, user.id)).email_gone_at = None


async def _replace_address(session: AsyncSession, user: User, address: str) -> None:
    """Moves pending notification mail to the new address, tells the old one of the change, and ends
    the links that were mailed there.
    """
    old_address, was_confirmed = user.email, user.is_confirmed
    user.email, user.email_key = address, address_key(address)
    user.link_nonce, user.has_old_links = new_nonce(), False
    await cancel_address_change(session, user)
    await _move_pending_mail(session, user, old_address, address)
    if was_confirmed:
        facts = {"username": user.username, "email": address}
        await add_transactional_mail(
            session, "address_changed", address=old_address, user_id=user.id, **facts
        )


async def _move_pending_mail(session: AsyncSession, user: User, old: str, new: str) -> None:
    """Except mail that nobody can switch off: it still goes to the old address, so that its holder
    learns of a theft.
    """
    mandatory = select(Notification.id).where(
        Notification.user_id == user.id, Notification.type.in_(types_with_mandatory(EMAIL))
    )
    await session.execute(
        update(Delivery)
        .where(
            Delivery.user_id == user.id,
            Delivery.notification_id.is_not(None),
            Delivery.address == old,
            is_pending,
            Delivery.notification_id.not_in(mandatory),
        )
        .values(address=new)
    )


def _confirm_links(signer: Signer, facts: Mapping[str, Any]) -> Mapping[str, Any]:
    token = signer.sign(CONFIRM, [facts["user_id"], facts["nonce"], facts["email"]])
    return {"token": token, "days": TIME_TO_CONFIRM.days}


async def _skip_reason(session: AsyncSession, facts: Mapping[str, Any]) -> str | None:
    user = await session.get(User, facts["user_id"])
    is_of_use = user and facts["nonce"] == _nonce_of(user, facts["email"])
    return None if is_of_use else "confirmed"


CONFIRM_MAIL = TransactionalMail(CONFIRM, _confirm_links, _skip_reason)
