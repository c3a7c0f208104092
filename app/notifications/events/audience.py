"""Who is notified of an event.

Each audience is a SELECT of (user_id, team_id), built once for each event type, with the ids of the
event as parameters. `team_id` is the team through which the event concerns the user, so that muting
the team excludes them; NULL if it concerns them personally. A user who is selected twice gets one
notification.
"""

from collections.abc import Callable
from typing import Any

from sqlalchemy import BindParameter, Select, bindparam, cast, false, null, select, union_all
from sqlalchemy.sql.selectable import CompoundSelect

from app.models import Event, Invitation, Membership, Project, Share, User

Recipients = Select[*tuple[Any, ...]] | CompoundSelect[*tuple[Any, ...]]
Audience = Callable[[], Recipients]


def id_parameter(name: str) -> BindParameter[Any]:
    return bindparam(name, type_=Event.id.type)


# The ids of the event and of its subjects; NULL for subjects that it does not have.
EVENT, AFFECTED, TEAM, PROJECT, INVITATION = map(
    id_parameter, ("event", "affected", "team", "project", "invitation")
)


def ids_of(event: Event) -> dict[str, int | None]:
    """The values of these parameters."""
    return {
        EVENT.key: event.id,
        AFFECTED.key: event.affected_id,
        TEAM.key: event.team_id,
        PROJECT.key: event.project_id,
        INVITATION.key: event.invitation_id,
    }


def affected_only() -> Recipients:
    return personally(AFFECTED).where(AFFECTED.is_not(None))


def team_members() -> Recipients:
    return select(Membership.user_id, Membership.team_id).where(Membership.team_id == TEAM)


def team_members_and_affected() -> Recipients:
    """Adds the affected user, who is no longer a member after a removal."""
    return union_all(affected_only(), team_members())


def inviter() -> Recipients:
    return personally(Invitation.inviter_id).where(
        Invitation.id == INVITATION, Invitation.inviter_id.is_not(None)
    )


def project_owner() -> Recipients:
    return personally(Project.owner_id).where(Project.id == PROJECT)


def project_members() -> Recipients:
    """The owner, and the members of every team the project is shared with."""
    members = (
        select(Membership.user_id, Membership.team_id)
        .join(Share, Share.team_id == Membership.team_id)
        .where(Share.project_id == PROJECT)
    )
    return union_all(project_owner(), members)


def everybody() -> Recipients:
    return personally(User.id)


def nobody() -> Recipients:
    return personally(User.id).where(false())


# The audiences that select users personally, not through a team or project.
PERSONAL = (affected_only, inviter, project_owner)


def personally(user_id: Any) -> Select[Any]:
    """Users whom an event concerns whatever team or project it is about."""
    # PostgreSQL would take a bare NULL for text.
    return select(user_id.label("user_id"), cast(null(), Membership.team_id.type).label("team_id"))
