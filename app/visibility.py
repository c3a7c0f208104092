"""Which teams and projects a user sees.

A team is visible to its members; a project to its owner and to the members of the teams it is shared
with.
"""

from typing import Any

from sqlalchemy import ColumnElement, CompoundSelect, Select, or_, select, union

from app.models import Membership, Project, Share, Team


def sees_team(user_id: Any) -> ColumnElement[bool]:
    """The condition on Team that selects the teams this user sees; the user may be a parameter."""
    return Team.id.in_(_teams_of(user_id))


def sees_project(user_id: Any) -> ColumnElement[bool]:
    """The condition on Project that selects the projects this user sees."""
    shared = select(Share.project_id).where(Share.team_id.in_(_teams_of(user_id)))
    return or_(Project.owner_id == user_id, Project.id.in_(shared))


def team_viewers(ids: Any, users: Any) -> Select[int, int]:
    """(team_id, user_id) pairs: which of these users see which of these teams. Both are lists of
    ids or queries for ids.
    """
    return select(Membership.team_id, Membership.user_id).where(
        Membership.team_id.in_(ids), Membership.user_id.in_(users)
    )


def project_viewers(ids: Any, users: Any = None) -> CompoundSelect[Any]:
    """(project_id, user_id) pairs: the same for projects; by default, of all users.

    The conditions are repeated in both parts of the union: SQLite does not push them down, and
    would scan all projects.
    """
    owners = select(Project.id.label("project_id"), Project.owner_id.label("user_id"))
    members = select(Share.project_id, Membership.user_id).join(
        Membership, Membership.team_id == Share.team_id
    )
    if users is not None:
        owners = owners.where(Project.owner_id.in_(users))
        members = members.where(Membership.user_id.in_(users))
    return union(owners.where(Project.id.in_(ids)), members.where(Share.project_id.in_(ids)))


def _teams_of(user_id: Any) -> Select[Any]:
    return select(Membership.team_id).where(Membership.user_id == user_id)
