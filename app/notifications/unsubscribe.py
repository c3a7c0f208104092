"""Stopping mail from within a mail: a signed link that needs no login and reads nothing.

The token names a person and a type of event, or everything. It never expires: an old mail's
link must work as well (RFC 8058).
"""

from sqlalchemy.ext.asyncio import AsyncSession

from app.errors import NotFound
from app.models import Account
from app.notifications.catalogue import TYPES
from app.security import sign, unsign
from app.settings import Settings

PURPOSE = "unsubscribe"
EVERYTHING = "everything"


def unsubscribe_url(settings: Settings, user_id: int, scope: str) -> str:
    """`scope` is a type's name or EVERYTHING."""
    return f"{settings.base_url}/unsubscribe/{sign(PURPOSE, [user_id, scope])}"


async def read_link(session: AsyncSession, token: str) -> tuple[Account, str]:
    """Whose mail the link stops, and its scope. Raises NotFound for a changed link."""
    user_id, scope = unsign(PURPOSE, token)
    account = await session.get(Account, user_id)
    if account is None or (scope != EVERYTHING and scope not in TYPES):
        raise NotFound
    return account, scope
