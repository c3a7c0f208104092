"""Pages that only the users of the machine may see, and only while mail does not leave it."""

from app.errors import NotFound
from app.settings import Settings
from app.web.reachability import others_can_reach


def require_local_installation(settings: Settings) -> None:
    """Raises NotFound if others can reach the server, or mail leaves the machine."""
    if others_can_reach() or settings.sends_mail:
        raise NotFound
