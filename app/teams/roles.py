"""The roles of a team, and which of them have which right."""

from typing import Final

from app.language import _
from app.notifications.events.catalogue import ROLES

OWNER, ADMIN, EDITOR, VIEWER = ROLES
GRANTABLE: Final = (ADMIN, EDITOR, VIEWER)

RIGHTS: Final[dict[str, tuple[str, ...]]] = {
    "view": ROLES,
    "share": (OWNER, ADMIN, EDITOR),
    "compile": (OWNER, ADMIN, EDITOR),
    "unshare": (OWNER, ADMIN),
    "invite": (OWNER, ADMIN),
    "add": (OWNER, ADMIN),
    "remove": (OWNER, ADMIN),
    "change_role": (OWNER, ADMIN),
    "rename": (OWNER, ADMIN),
    "send_event": (OWNER, ADMIN),
    "delete": (OWNER,),
    "hand_over": (OWNER,),
    "leave": (ADMIN, EDITOR, VIEWER),
}


def role_error(role: str) -> str:
    """Why `role` cannot be granted, or "". The role of the owner is handed over, not granted."""
    return "" if role in GRANTABLE else _("Choose a role.")
