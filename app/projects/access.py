"""Who may see, change and compile a project.

A project is visible to its owner and to the members of the teams it is shared with. For everyone
else it does not exist: NotFound, whether or not there is such a project.
"""

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.errors import Forbidden, NotFound
from app.language import _
from app.models import Membership, Project, Share, User
from app.teams.roles import RIGHTS
from app.topics import PROJECT, touch
from app.visibility import project_viewers, sees_project


async def find_project(session: AsyncSession, user: User, project_id: int) -> Project:
    """Returns the project. Raises NotFound if the user may not see it.

    In a transaction that writes, this also touches the project's topic, so that the open pages of
    everyone who sees it are refreshed without each verb having to think of it.
    """
    project = await find_visible_project(session, user, project_id)
    touch(session, PROJECT, project_id)
    return project


async def find_visible_project(session: AsyncSession, user: User, project_id: int) -> Project:
    """The same for a change that others do not see: touches nothing."""
    visible = select(Project).where(Project.id == project_id, sees_project(user.id))
    project = (await session.scalars(visible)).one_or_none()
    if project is None:
        raise NotFound
    return project


async def count_others(session: AsyncSession, user: User, project_id: int) -> int:
    """How many others may see the project."""
    everyone = project_viewers([project_id]).subquery()
    others = select(func.count()).where(everyone.c.user_id != user.id)
    return await session.scalar(others) or 0


async def find_own_project(session: AsyncSession, user: User, project_id: int) -> Project:
    """Returns the project if the user owns it. Raises Forbidden for others who may see it."""
    project = await find_project(session, user, project_id)
    if project.owner_id != user.id:
        raise Forbidden(_("Only the owner of this project can do that."))
    return project


async def may_compile(session: AsyncSession, user: User, project: Project) -> bool:
    """True for the owner, and for editors, admins and owners of a team it is shared with."""
    if project.owner_id == user.id:
        return True
    as_editor = (
        select(Membership.team_id)
        .join(Share, Share.team_id == Membership.team_id)
        .where(
            Share.project_id == project.id,
            Membership.user_id == user.id,
            Membership.role.in_(RIGHTS["compile"]),
        )
    )
    return (await session.execute(as_editor.limit(1))).first() is not None
