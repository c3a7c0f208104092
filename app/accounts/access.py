"""Who may do what with an account: administrators, and users who are not suspended."""

from app.errors import Forbidden, NotFound
from app.language import _
from app.models import User


def require_admin(user: User) -> None:
    """Every admin page starts here. Raises NotFound: for everyone else these pages do not exist."""
    if not user.is_admin:
        raise NotFound


def refuse_suspended(user: User) -> None:
    """Raises Forbidden for a suspended account."""
    if user.suspended_at:
        raise Forbidden(_("This account is suspended. Please contact the administrator."))
