"""An administrator suspends an account, and restores it.

A suspended account keeps its data, but its sessions and access tokens are refused. It gets no mail
or pushes, and the invitations it made are not sent. Sessions end permanently; access tokens work
again once the account is restored.
"""

from sqlalchemy.ext.asyncio import AsyncSession

from app import clock
from app.accounts.sessions import end_all_sessions
from app.errors import Conflict, NotFound
from app.language import _
from app.models import Delivery, User
from app.notifications.delivery.decision import SUSPENDED, Skip
from app.notifications.delivery.settling import skip_pending


async def suspend(session: AsyncSession, admin: User, user_id: int) -> User:
    """Raises as `find_managed` does."""
    user = await find_managed(session, admin, user_id)
    if user.suspended_at is None:
        user.suspended_at = clock.now()
        await end_all_sessions(session, user)
        await skip_pending(session, Delivery.user_id == user.id, Skip(SUSPENDED))
    return user


async def restore(session: AsyncSession, admin: User, user_id: int) -> User:
    """Raises as `find_managed` does. Deliveries that were skipped meanwhile stay skipped."""
    user = await find_managed(session, admin, user_id)
    user.suspended_at = None
    return user


async def find_managed(session: AsyncSession, admin: User, user_id: int) -> User:
    """The account, for an administrator to suspend, restore or delete.

    Raises NotFound, and Conflict for their own account and for that of another administrator.
    """
    user = await session.get(User, user_id)
    if user is None:
        raise NotFound
    if user.id == admin.id:
        raise Conflict(_("This is your own account."))
    if user.is_admin:
        sentence = _(
            "{name} is an administrator. Administrators can only be added and removed on the "
            "command line."
        )
        raise Conflict(sentence.format(name=user.username))
    return user
