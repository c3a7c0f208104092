"""Who may do what in a team, as data. A right is a word; a role has those it is listed under."""

from typing import Final

from app.errors import Invalid
from app.language import _
from app.notifications.events.catalogue import ROLES

OWNER, ADMIN, EDITOR, VIEWER = ROLES
GRANTABLE: Final = (ADMIN, EDITOR, VIEWER)

RIGHTS: Final[dict[str, tuple[str, ...]]] = {
    "look": ROLES,
    "share": (OWNER, ADMIN, EDITOR),
    "compile": (OWNER, ADMIN, EDITOR),
    "unshare": (OWNER, ADMIN),
    "invite": (OWNER, ADMIN),
    "add": (OWNER, ADMIN),
    "remove": (OWNER, ADMIN),
    "change_role": (OWNER, ADMIN),
    "rename": (OWNER, ADMIN),
    "tell": (OWNER, ADMIN),
    "delete": (OWNER,),
    "hand_over": (OWNER,),
    "leave": (ADMIN, EDITOR, VIEWER),
}


def wrong_role(role: str) -> str:
    """What is wrong with granting `role`, or ""; `owner` is handed over, never granted."""
    return "" if role in GRANTABLE else _("Choose one of the roles.")


def require_grantable(role: str) -> None:
    if wrong := wrong_role(role):
        raise Invalid({"role": wrong})
