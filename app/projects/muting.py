"""Muting a project: its ordinary events no longer reach this person."""

from sqlalchemy import ColumnElement, delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.models import Account, Mute, Project


async def mute_project(
    session: AsyncSession, person: Account, project: Project, *, muted: bool
) -> None:
    """Mute or unmute; doing it twice changes nothing."""
    if not muted:
        await session.execute(delete(Mute).where(*_its_mute(person, project)))
    elif not await is_muted(session, person, project):
        session.add(Mute(user_id=person.id, project_id=project.id))


async def is_muted(session: AsyncSession, person: Account, project: Project) -> bool:
    found = select(Mute.id).where(*_its_mute(person, project))
    return (await session.execute(found)).first() is not None


def _its_mute(person: Account, project: Project) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return (Mute.user_id == person.id, Mute.project_id == project.id)
