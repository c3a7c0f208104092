"""Who is notified of an event.

Each audience is a SELECT of (user_id, team_id). `team_id` is the team through which the event concerns
a user, so that muting that team leaves them out; NULL if it concerns them personally. A user may be
selected twice and still gets one notice.
"""

from collections.abc import Callable
from typing import Any

from sqlalchemy import Select, cast, literal, null, select, union_all
from sqlalchemy.sql.selectable import CompoundSelect

from app.models import Event, Invitation, Membership, Project, Share, User

Recipients = Select[*tuple[Any, ...]] | CompoundSelect[*tuple[Any, ...]]
Audience = Callable[[Event], Recipients]


def affected_only(event: Event) -> Recipients:
    return _one(event.affected_id)


def team_members(event: Event) -> Recipients:
    return select(Membership.user_id, Membership.team_id).where(Membership.team_id == event.team_id)


def team_members_and_affected(event: Event) -> Recipients:
    """Adds the affected user, who is no longer a member after a removal."""
    return union_all(_one(event.affected_id), team_members(event))


def inviter(event: Event) -> Recipients:
    return personally(Invitation.inviter_id).where(
        Invitation.id == event.invitation_id, Invitation.inviter_id.is_not(None)
    )


def project_owner(event: Event) -> Recipients:
    return personally(Project.owner_id).where(Project.id == event.project_id)


def project_members(event: Event) -> Recipients:
    """The owner, and the members of every team the project is shared with."""
    members = (
        select(Membership.user_id, Membership.team_id)
        .join(Share, Share.team_id == Membership.team_id)
        .where(Share.project_id == event.project_id)
    )
    return union_all(project_owner(event), members)


def everybody(_event: Event) -> Recipients:
    return personally(User.id)


def nobody(_event: Event) -> Recipients:
    return _one(None)


# The audiences whose users are concerned personally, whatever team or project the event is about.
PERSONAL = (affected_only, inviter, project_owner)


def _one(user_id: int | None) -> Select[Any]:
    return personally(literal(user_id, User.id.type)).where(literal(user_id is not None))


def personally(user_id: Any) -> Select[Any]:
    """Users whom an event concerns whatever team or project it is about."""
    # PostgreSQL would take a bare NULL for text.
    return select(user_id.label("user_id"), cast(null(), Membership.team_id.type).label("team_id"))
