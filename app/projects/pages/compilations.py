"""Compile, watch how far it is, cancel, watch and download the result; Retry from a notice."""

from typing import Any

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from app.broker import Broker
from app.database import Database
from app.http import AnyRequest, is_partial, redirect
from app.language import _
from app.layout import fragment
from app.models import Project, User
from app.notifications.inbox import feed
from app.notifications.inbox.selection import Selection
from app.notifications.pages.actions import answer_in_place
from app.projects.access import find_project
from app.projects.compilations import (
    cancel_compilation,
    enqueue,
    find_result,
    project_of_notice,
    request_compilation,
)
from app.projects.files import send_file
from app.projects.queries import view_compilation
from app.projects.storage import thumbnail_path, video_path
from app.settings import Settings


@post("/projects/{project_id:int}/compile")
async def compile_project(
    request: AnyRequest,
    db: NamedDependency[Database],
    broker: NamedDependency[Broker],
    user: NamedDependency[User],
    project_id: FromPath[int],
) -> Response[Any]:
    async with db.act() as session:
        project = await find_project(session, user, project_id)
        compilation = await request_compilation(session, project, user)
    await enqueue(broker, compilation)
    return await _card(request, db, user, project)


@get("/projects/{project_id:int}/compilation")
async def progress(
    request: AnyRequest,
    db: NamedDependency[Database],
    user: NamedDependency[User],
    project_id: FromPath[int],
) -> Response[Any]:
    """What an open page asks for every second while a compilation is unfinished."""
    async with db.read() as session:
        project = await find_project(session, user, project_id)
    return await _card(request, db, user, project)


@post("/projects/{project_id:int}/compilations/{compilation_id:int}/cancel")
async def cancel(
    request: AnyRequest,
    db: NamedDependency[Database],
    user: NamedDependency[User],
    project_id: FromPath[int],
    compilation_id: FromPath[int],
) -> Response[Any]:
    async with db.act() as session:
        project = await find_project(session, user, project_id)
        await cancel_compilation(session, user, project, compilation_id)
    return await _card(request, db, user, project)


@get("/projects/{project_id:int}/compilations/{compilation_id:int}/video")
async def video(
    request: AnyRequest,
    db: NamedDependency[Database],
    settings: NamedDependency[Settings],
    user: NamedDependency[User],
    project_id: FromPath[int],
    compilation_id: FromPath[int],
) -> Response[Any]:
    async with db.read() as session:
        project = await find_result(session, user, project_id, compilation_id)
    path = video_path(settings, compilation_id)
    return await send_file(request, path, "video/mp4", f"{project.name}.mp4")


@get("/projects/{project_id:int}/compilations/{compilation_id:int}/thumbnail")
async def thumbnail(
    request: AnyRequest,
    db: NamedDependency[Database],
    settings: NamedDependency[Settings],
    user: NamedDependency[User],
    project_id: FromPath[int],
    compilation_id: FromPath[int],
) -> Response[Any]:
    async with db.read() as session:
        project = await find_result(session, user, project_id, compilation_id)
    path = thumbnail_path(settings, compilation_id)
    return await send_file(request, path, "image/jpeg", f"{project.name}.jpg")


@post("/notifications/{notification_id:int}/retry", status_code=200)
async def retry(
    request: AnyRequest,
    db: NamedDependency[Database],
    broker: NamedDependency[Broker],
    user: NamedDependency[User],
    notification_id: FromPath[int],
) -> Response[Any]:
    """Compile again what this notice says has failed; the notice counts as read."""
    async with db.act() as session:
        project = await project_of_notice(session, user, notification_id)
        compilation = await request_compilation(session, project, user)
        await feed.mark(session, user.id, Selection([notification_id]), read=True)
    await enqueue(broker, compilation)
    place, text = f"/projects/{project.id}", _("Compiling again.")
    answer = await answer_in_place(request, db, user, notification_id, place, text)
    # Where the project's own page is open behind the panel, it looks again. (The event needs a
    # target: the button that was pressed is swapped out by then.)
    answer.headers["HX-Trigger"] = '{"compilation-begun": {"target": "body"}}'
    return answer


async def _card(request: AnyRequest, db: Database, user: User, project: Project) -> Response[Any]:
    """The part of the page that is about compiling, or the page."""
    if not is_partial(request):
        return redirect(f"/projects/{project.id}#compilation")
    async with db.read() as session:
        compiling = await view_compilation(session, user, project)
    return fragment(request, "projects/_compilation.html", project=project, compiling=compiling)


routes = [compile_project, progress, cancel, video, thumbnail, retry]
