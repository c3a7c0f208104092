"""Access control: every admin page starts here."""

from app.errors import NotFound
from app.models import User


def require_admin(user: User) -> None:
    """Raises NotFound: for everyone else these pages do not exist."""
    if not user.is_admin:
        raise NotFound
