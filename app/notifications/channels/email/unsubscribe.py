"""Stopping mail from within a mail: a signed link that needs no login and reveals no data.

The token names a user and an event type, or everything. It does not expire, since an old mail's
link must work as well (RFC 8058, section 3.1); it is signed for this purpose alone. It ends with
the account, and when the user's address changes: someone else may read the old one.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from app.errors import NotFound
from app.models import User
from app.notifications.events.catalogue import TYPES
from app.notifications.events.event_type import EMAIL
from app.notifications.preferences import switches as preferences
from app.security import Signer, signer_of
from app.settings import Settings

STOP, RESUME = "unsubscribe", "resume_mail"
EVERYTHING = "everything"


@dataclass(frozen=True)
class UnsubscribeLink:
    """The user, and which mail the link stops: that of one event type, or EVERYTHING."""

    user: User
    scope: str

    @property
    def types(self) -> list[str]:
        """The event types whose mail the link stops; mandatory mail is never among them."""
        chosen = list(TYPES) if self.scope == EVERYTHING else [self.scope]
        return [name for name in chosen if EMAIL not in TYPES[name].mandatory]


def unsubscribe_url(settings: Settings, signer: Signer, user: User, scope: str) -> str:
    return f"{settings.base_url}/unsubscribe/{signer.sign(STOP, [user.id, user.link_nonce, scope])}"


async def read_link(session: AsyncSession, token: str) -> UnsubscribeLink:
    """Raises NotFound for an altered link, and for one that is no longer valid."""
    value, signed_at = signer_of(session).unsign_with_time(STOP, token)
    match value:
        case [int(user_id), str(nonce), str(scope)]:
            user = await session.get(User, user_id)
            is_theirs = user is not None and user.link_nonce == nonce
        case [int(user_id), str(scope)]:
            user = await session.get(User, user_id)
            is_theirs = user is not None and _is_old_link_of(user, signed_at)
        case _:
            raise NotFound
    if user is None or not is_theirs or (scope != EVERYTHING and scope not in TYPES):
        raise NotFound
    return UnsubscribeLink(user, scope)


def _is_old_link_of(user: User, signed_at: datetime) -> bool:
    """Whether a link without a nonce was mailed to this user: an earlier account could have the
    same id. `signed_at` is in whole seconds.
    """
    return user.has_old_links and signed_at >= user.created_at.replace(microsecond=0)


async def stop(session: AsyncSession, link: UnsubscribeLink) -> str:
    """Stop mail of these types; returns a token that undoes it. Stopping twice does no harm."""
    present = (await preferences.read(session, link.user)).preferences
    stopped = [name for name in link.types if present[name][EMAIL]]
    await _switch(session, link.user, stopped, wanted=False)
    return signer_of(session).sign(RESUME, [link.user.id, link.user.link_nonce, stopped])


async def resume(session: AsyncSession, token: str) -> None:
    """Undo a `stop`. Raises NotFound for an altered token, and for one that is no longer valid."""
    match signer_of(session).unsign(RESUME, token):
        case [int(user_id), str(nonce), list(stopped)]:
            user = await session.get(User, user_id)
        case _:  # made by a version without nonces
            raise NotFound
    if user is None or user.link_nonce != nonce:
        raise NotFound
    await _switch(session, user, [name for name in stopped if name in TYPES], wanted=True)


async def _switch(session: AsyncSession, user: User, types: list[str], *, wanted: bool) -> None:
    switches = {name: {EMAIL: wanted} for name in types}
    await preferences.change(session, user, {"preferences": switches})
