"""Which teams and projects a user sees.

A team is visible to its members; a project to its owner and to the members of the teams it is shared
with.
"""

from typing import Any

from sqlalchemy import ColumnElement, Select, or_, select, union

from app.models import Membership, Project, Share, Team


def sees_team(user_id: Any) -> ColumnElement[bool]:
    """The condition on Team that selects the teams this user sees; the user may be a parameter."""
    return Team.id.in_(_teams_of(user_id))


def sees_project(user_id: Any) -> ColumnElement[bool]:
    """The condition on Project that selects the projects this user sees."""
    shared = select(Share.project_id).where(Share.team_id.in_(_teams_of(user_id)))
    return or_(Project.owner_id == user_id, Project.id.in_(shared))


def team_viewers() -> Select[int, int]:
    """(team_id, user_id) of everyone who may see a team, for all teams."""
    return select(Membership.team_id, Membership.user_id)


def project_viewers() -> Select[Any]:
    """(project_id, user_id) of everyone who may see a project, for all projects."""
    owners = select(Project.id.label("project_id"), Project.owner_id.label("user_id"))
    members = select(Share.project_id, Membership.user_id).join(
        Membership, Membership.team_id == Share.team_id
    )
    everyone = union(owners, members).subquery()
    return select(everyone.c.project_id, everyone.c.user_id)


def _teams_of(user_id: Any) -> Select[Any]:
    return select(Membership.team_id).where(Membership.user_id == user_id)
