"""Who is notified of an event, and which teams and projects a user sees.

Each audience is a SELECT of (user_id, team_id). `team_id` is the team through which the event concerns
a user, so that muting that team leaves them out; NULL if it concerns them personally. A user may be
selected twice and still gets one notice.
"""

from collections.abc import Callable
from typing import Any

from sqlalchemy import ColumnElement, Select, cast, literal, null, or_, select, union_all
from sqlalchemy.sql.selectable import CompoundSelect

from app.models import Event, Invitation, Membership, Project, Share, Team, User

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


def sees_team(user_id: Any) -> ColumnElement[bool]:
    """The condition on Team that selects the teams of this user."""
    return Team.id.in_(_teams_of(user_id))


def sees_project(user_id: Any) -> ColumnElement[bool]:
    """The condition on Project that selects the projects this user may see."""
    shared = select(Share.project_id).where(Share.team_id.in_(_teams_of(user_id)))
    return or_(Project.owner_id == user_id, Project.id.in_(shared))


def _teams_of(user_id: Any) -> Select[Any]:
    return select(Membership.team_id).where(Membership.user_id == user_id)


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
