"""Asking for a compilation, finding it, and calling it off. `compile.py` does the work."""

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from app import clock
from app.broker import Broker
from app.errors import Conflict, Forbidden, NotFound
from app.language import _
from app.models import Clip, Compilation, Event, Notification, Project, User
from app.projects.access import find_project, may_compile

UNFINISHED = ("queued", "running")
# A worker that stays silent for so long is gone.
SILENT_SECONDS = 60


async def request_compilation(session: AsyncSession, project: Project, user: User) -> Compilation:
    """A compilation to come; while one is unfinished, that one.

    Raises Forbidden for those who may only look, Conflict when there is no clip. Acts follow one
    another, so two requests at once find the same compilation. After the commit: `enqueue`.
    """
    await _require_compiler(session, user, project)
    if unfinished := await unfinished_of(session, project.id):
        return unfinished
    if not await session.scalar(select(Clip.id).where(Clip.project_id == project.id).limit(1)):
        raise Conflict(_("There is no clip to compile yet. Upload one first."))
    compilation = Compilation(project_id=project.id, requested_by_id=user.id)
    session.add(compilation)
    await session.flush()
    return compilation


async def enqueue(broker: Broker, compilation: Compilation) -> None:
    """Have a worker take it up; one attempt is never queued twice."""
    await broker.compilations.enqueue(
        "compile",
        key=f"compile:{compilation.id}:{compilation.attempts}",
        timeout=0,
        heartbeat=SILENT_SECONDS,
        compilation_id=compilation.id,
    )


async def cancel_compilation(
    session: AsyncSession, user: User, project: Project, compilation_id: int
) -> None:
    """Call it off, waiting or running; the worker lets go within a second.

    Conflict when it has ended already.
    """
    await _require_compiler(session, user, project)
    compilation = await find_compilation(session, project, compilation_id)
    cancelled = (
        update(Compilation)
        .where(Compilation.id == compilation.id, Compilation.status.in_(UNFINISHED))
        .values(status="cancelled", finished_at=clock.now())
        .returning(Compilation.id)
        .execution_options(synchronize_session=False)
    )
    if (await session.execute(cancelled)).first() is None:
        raise Conflict(_("This compilation has already ended."))


async def find_compilation(
    session: AsyncSession, project: Project, compilation_id: int
) -> Compilation:
    compilation = await session.get(Compilation, compilation_id)
    if compilation is None or compilation.project_id != project.id:
        raise NotFound
    return compilation


async def find_result(
    session: AsyncSession, user: User, project_id: int, compilation_id: int
) -> Project:
    """The project, when the person may see it and this compilation of it is complete."""
    project = await find_project(session, user, project_id)
    compilation = await find_compilation(session, project, compilation_id)
    if compilation.status != "completed":
        raise NotFound
    return project


async def unfinished_of(session: AsyncSession, project_id: int) -> Compilation | None:
    unfinished = select(Compilation).where(
        Compilation.project_id == project_id, Compilation.status.in_(UNFINISHED)
    )
    return (await session.scalars(unfinished)).one_or_none()


async def latest_of(
    session: AsyncSession, project_id: int, *, status: str = ""
) -> Compilation | None:
    """The newest compilation of the project, or the newest with this status."""
    newest = select(Compilation).where(Compilation.project_id == project_id)
    if status:
        newest = newest.where(Compilation.status == status)
    return (await session.scalars(newest.order_by(Compilation.id.desc()).limit(1))).one_or_none()


async def compilations_of(session: AsyncSession, project_id: int, most: int) -> list[Compilation]:
    """The newest first."""
    newest = select(Compilation).where(Compilation.project_id == project_id)
    return list(await session.scalars(newest.order_by(Compilation.id.desc()).limit(most)))


async def project_of_notice(session: AsyncSession, user: User, notification_id: int) -> Project:
    """The project whose compilation this notice of the person tells of."""
    told = (
        select(Event.project_id)
        .join(Notification, Notification.event_id == Event.id)
        .where(
            Notification.id == notification_id,
            Notification.user_id == user.id,
            Event.compilation_id.is_not(None),
            Event.project_id.is_not(None),
        )
    )
    project_id = await session.scalar(told)
    if project_id is None:
        raise NotFound
    return await find_project(session, user, project_id)


async def _require_compiler(session: AsyncSession, user: User, project: Project) -> None:
    if not await may_compile(session, user, project):
        raise Forbidden(_("Viewers can watch this project, but not compile it."))
