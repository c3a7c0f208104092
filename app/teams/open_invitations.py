"""Whether an invitation can still be answered and, if not, why."""

from datetime import timedelta

from sqlalchemy import Select, select

from app.language import _
from app.models import Invitation, Team, User

LIFETIME = timedelta(days=7)


def with_team_and_inviter() -> Select[Invitation, Team, User]:
    """Every invitation with its team and its inviter, who is None once their account is deleted."""
    return (
        select(Invitation, Team, User)
        .join(Team, Team.id == Invitation.team_id)
        .join(User, User.id == Invitation.inviter_id, isouter=True)
    )


def closed_reason(invitation: Invitation) -> str:
    """Why the invitation can no longer be answered, or ""."""
    if invitation.status == "pending":
        expired = _("This invitation has expired. Ask for a new one.")
        return expired if invitation.is_expired else ""
    return {
        "accepted": _("This invitation was already accepted."),
        "declined": _("This invitation was declined."),
        "revoked": _("This invitation was revoked."),
    }[invitation.status]
