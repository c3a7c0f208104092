"""A user's mail address: confirmed by a mailed link, replaced once the new one is confirmed."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from app import clock
from app.accounts.validation import require_available
from app.errors import NotFound
from app.language import _
from app.mail.transactional import TransactionalMail, add_transactional_mail
from app.models import Delivery, Notification, User
from app.notifications.events.catalogue import (
    ACCOUNT_ADDRESS_CHANGE_REQUESTED,
    EMAIL,
    types_with_mandatory,
)
from app.notifications.notify import notify
from app.security import Signer, signer_of

CONFIRM = "confirm_address"
DAYS_TO_CONFIRM = 7


async def request_change(session: AsyncSession, user: User, address: str) -> None:
    """Mail a link to `address`, which replaces the present address once it is confirmed.

    Raises Invalid when another account has `address`.
    """
    await _require_available(session, user, address)
    user.pending_email = address
    await send_confirmation(session, user, address)
    await notify_of_request(session, user, address)


async def notify_of_request(session: AsyncSession, user: User, address: str) -> None:
    """Notify the user, by mail to the present address, that a change to `address` was requested."""
    await notify(session, ACCOUNT_ADDRESS_CHANGE_REQUESTED, affected=user, address=address)


async def send_confirmation(session: AsyncSession, user: User, address: str) -> None:
    """Mail a link to `address` by which its holder confirms it as the user's address."""
    await add_transactional_mail(
        session,
        CONFIRM,
        address=address,
        user_id=user.id,
        username=user.username,
        email=address,
    )


async def read_confirmation(session: AsyncSession, token: str) -> tuple[User, str]:
    """The user whose link this is, and the address that it confirms.

    Raises NotFound for a link that was altered, used, superseded, or is older than seven days.
    """
    user_id, address = signer_of(session).unsign(CONFIRM, token, max_age=DAYS_TO_CONFIRM * 86400)
    user = await session.get(User, user_id)
    if user is None or not is_unconfirmed(user, address):
        raise NotFound(_("This link has already been used, or has expired."))
    return user, address


def is_unconfirmed(user: User, address: str) -> bool:
    """Whether `address` is the user's present or pending address, and is not confirmed yet."""
    is_present = address == user.email and not user.is_confirmed
    return is_present or address == user.pending_email


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
    """Another spelling of the user's own address, like capital letters, is available to them."""
    if address.casefold() != user.email_key:
        await require_available(session, email=address)


async def _replace_address(session: AsyncSession, user: User, address: str) -> None:
    """Pending notification mail moves to the new address; the old one is informed of the change.

    Mail that nobody can switch off stays at the old one, so that its holder learns of a theft.
    """
    old_address = user.email
    user.email, user.email_key, user.pending_email = address, address.casefold(), None
    await session.execute(
        update(Delivery)
        .where(
            Delivery.user_id == user.id,
            Delivery.notification_id.is_not(None),
            Delivery.address == old_address,
            Delivery.state == "pending",
            Delivery.notification_id.not_in(
                select(Notification.id).where(
                    Notification.user_id == user.id,
                    Notification.type.in_(types_with_mandatory(EMAIL)),
                )
            ),
        )
        .values(address=address)
    )
    facts = {"username": user.username, "email": address}
    await add_transactional_mail(
        session, "address_changed", address=old_address, user_id=user.id, **facts
    )


def _links(signer: Signer, facts: Mapping[str, Any]) -> Mapping[str, Any]:
    token = signer.sign(CONFIRM, [facts["user_id"], facts["email"]])
    return {"token": token, "days": DAYS_TO_CONFIRM}


async def _skip_reason(session: AsyncSession, facts: Mapping[str, Any]) -> str | None:
    user = await session.get(User, facts["user_id"])
    return None if user and is_unconfirmed(user, facts["email"]) else "confirmed"


CONFIRM_MAIL = TransactionalMail(CONFIRM, _links, _skip_reason)
