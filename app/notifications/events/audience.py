"""Who hears of an event: each rule a SELECT of (account_id, team_id).

`team_id` is the team through which somebody is concerned, or NULL when it is about themselves;
a muted team is left out by it. A person may appear twice: the unique row makes it one notice.
"""

from collections.abc import Callable
from typing import Any

from sqlalchemy import Select, literal, null, select, union_all
from sqlalchemy.sql.selectable import CompoundSelect

from app.models import Event, Invitation, Membership, Project, Share, User

People = Select[*tuple[Any, ...]] | CompoundSelect[*tuple[Any, ...]]
Audience = Callable[[Event], People]


def affected_only(event: Event) -> People:
    return _one(event.affected_id)


def team_members(event: Event) -> People:
    return select(Membership.user_id, Membership.team_id).where(Membership.team_id == event.team_id)


def team_members_and_affected(event: Event) -> People:
    """The affected first: who was just removed is no member any more, but is told."""
    return union_all(_one(event.affected_id), team_members(event))


def inviter(event: Event) -> People:
    return _personal(Invitation.inviter_id).where(
        Invitation.id == event.invitation_id, Invitation.inviter_id.is_not(None)
    )


def project_owner(event: Event) -> People:
    return _personal(Project.owner_id).where(Project.id == event.project_id)


def project_people(event: Event) -> People:
    """The owner, and the members of every team the project is shared with."""
    members = (
        select(Membership.user_id, Membership.team_id)
        .join(Share, Share.team_id == Membership.team_id)
        .where(Share.project_id == event.project_id)
    )
    return union_all(project_owner(event), members)


# Whom these name is concerned as themselves, whatever team or project it is about.
PERSONAL = (affected_only, inviter, project_owner)


def everybody(_event: Event) -> People:
    return _personal(User.id)


def nobody(_event: Event) -> People:
    return _one(None)


def _one(user_id: int | None) -> Select[Any]:
    return _personal(literal(user_id)).where(literal(user_id is not None))


def _personal(user_id: Any) -> Select[Any]:
    """Somebody concerned as themselves, through no team."""
    return select(user_id.label("user_id"), null().label("team_id"))
