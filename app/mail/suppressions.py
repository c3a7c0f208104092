"""Mailboxes whose owners want no invitation mail from this server.

An owner stops them by a signed link in such a mail, without an account. Most of them never have
one, so a row holds only a keyed hash of the mailbox, and identifies nobody. It is not tied to an
account: it outlives one, and an account that has confirmed the address can remove it in its
settings.
"""

from dataclasses import dataclass

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.database.upsert import insert_into
from app.errors import NotFound
from app.models import Suppression
from app.security import Signer, signer_of
from app.values.email_addresses import mailbox_of, masked

STOP = "stop_invitations"


@dataclass(frozen=True)
class StopLink:
    """The contents of a link: the hash of the mailbox, and part of its address."""

    mailbox_hash: str
    masked: str


def stop_token(signer: Signer, address: str) -> str:
    """The token in `/stop-invitations/{token}`. It does not expire (RFC 8058, section 3.1)."""
    return signer.sign(STOP, [_hash(signer, address), masked(address)])


def read_stop_link(signer: Signer, token: str) -> StopLink:
    """Raises NotFound for an altered link."""
    match signer.unsign(STOP, token):
        case [str(mailbox_hash), str(shown)]:
            return StopLink(mailbox_hash, shown)
    raise NotFound


async def suppress(session: AsyncSession, link: StopLink) -> None:
    """Mail no more invitations there. Doing so twice does no harm."""
    row = insert_into(session, Suppression).values(mailbox_hash=link.mailbox_hash)
    await session.execute(row.on_conflict_do_nothing())


async def lift(session: AsyncSession, mailbox_hash: str) -> None:
    """Mail invitations there again."""
    await session.execute(delete(Suppression).where(Suppression.mailbox_hash == mailbox_hash))


async def lift_of(session: AsyncSession, address: str) -> None:
    await lift(session, _hash(signer_of(session), address))


async def is_suppressed(session: AsyncSession, address: str) -> bool:
    return await has_suppression(session, _hash(signer_of(session), address))


async def has_suppression(session: AsyncSession, mailbox_hash: str) -> bool:
    row = select(Suppression.mailbox_hash).where(Suppression.mailbox_hash == mailbox_hash)
    return await session.scalar(row) is not None


def _hash(signer: Signer, address: str) -> str:
    return signer.keyed_hash(STOP, mailbox_of(address))
