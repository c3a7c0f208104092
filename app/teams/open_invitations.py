"""Whether an invitation can still be answered and, if not, why."""

from datetime import timedelta

from sqlalchemy import ColumnElement, Select, and_, bindparam, select

from app import clock
from app.language import _
from app.models import Invitation, Team, User

LIFETIME = timedelta(days=7)


def is_open() -> ColumnElement[bool]:
    """Whether an Invitation row can still be accepted or declined."""
    # Asked for when the statement runs, which may have been built long before.
    now = bindparam(None, callable_=lambda: clock.now(), type_=Invitation.expires_at.type)
    return and_(Invitation.status == "pending", Invitation.expires_at > now)


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
        is_expired = invitation.expires_at <= clock.now()
        return _("This invitation has expired. Ask for a new one.") if is_expired else ""
    return {
        "accepted": _("This invitation was already accepted."),
        "declined": _("This invitation was declined."),
        "revoked": _("This invitation was revoked."),
    }[invitation.status]
