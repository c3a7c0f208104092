"""Pages: compile a project, show the progress, cancel, watch and download; retry from a notification."""

from typing import Any

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from app.broker import Broker
from app.database import Database
from app.http import AnyRequest, is_partial, redirect
from app.language import _
from app.layout import fragment
from app.models import User
from app.notifications.inbox import acts
from app.notifications.inbox.selection import Selection
from app.notifications.pages.actions import answer_in_place
from app.notifications.throttles import throttle_notifying
from app.projects.access import find_project
from app.projects.compilations import (
    cancel_compilation,
    enqueue,
    find_notified_project,
    request_compilation,
    start_compilation,
)
from app.projects.downloads import or_neutral, send_thumbnail, send_video
from app.projects.project_views import view_compilation
from app.settings import Settings


@post()
async def compile_project(
    request: AnyRequest,
    db: NamedDependency[Database],
    broker: NamedDependency[Broker],
    settings: NamedDependency[Settings],
    user: NamedDependency[User],
    project_id: FromPath[int],
) -> Response[Any]:
    await throttle_notifying(db, settings, user)
    await start_compilation(db, broker, settings, user, project_id)
    return await _card(request, db, user, project_id)


@get()
async def progress(
    request: AnyRequest,
    db: NamedDependency[Database],
    user: NamedDependency[User],
    project_id: FromPath[int],
) -> Response[Any]:
    """An open page requests this whenever a running compilation has progressed."""
    return await _card(request, db, user, project_id)


@post()
async def cancel(
    request: AnyRequest,
    db: NamedDependency[Database],
    settings: NamedDependency[Settings],
    user: NamedDependency[User],
    project_id: FromPath[int],
    compilation_id: FromPath[int],
) -> Response[Any]:
    await throttle_notifying(db, settings, user)
    async with db.act() as session:
        await cancel_compilation(session, user, project_id, compilation_id)
    return await _card(request, db, user, project_id)


@get()
async def video(
    request: AnyRequest,
    db: NamedDependency[Database],
    settings: NamedDependency[Settings],
    user: NamedDependency[User],
    project_id: FromPath[int],
    compilation_id: FromPath[int],
) -> Response[Any]:
    return await send_video(request, db, settings, user, project_id, compilation_id)


@get()
async def thumbnail(
    request: AnyRequest,
    db: NamedDependency[Database],
    settings: NamedDependency[Settings],
    user: NamedDependency[User],
    project_id: FromPath[int],
    compilation_id: FromPath[int],
) -> Response[Any]:
    picture = send_thumbnail(request, db, settings, user, project_id, compilation_id)
    return await or_neutral(picture)


@post(status_code=200)
async def retry(
    request: AnyRequest,
    db: NamedDependency[Database],
    broker: NamedDependency[Broker],
    settings: NamedDependency[Settings],
    user: NamedDependency[User],
    notification_id: FromPath[int],
) -> Response[Any]:
    """Compiles the project again whose failure this notification reports, and marks it as read."""
    await throttle_notifying(db, settings, user)
    async with db.act() as session:
        project = await find_notified_project(session, user, notification_id)
        compilation = await request_compilation(session, settings, project, user)
        await acts.mark(session, user.id, Selection([notification_id]), read=True)
    await enqueue(broker, compilation)
    url, text = f"/projects/{project.id}", _("Compiling again.")
    return await answer_in_place(request, db, user, notification_id, url, text)


async def _card(request: AnyRequest, db: Database, user: User, project_id: int) -> Response[Any]:
    """The page's compilation card for htmx, a redirect to the page otherwise."""
    async with db.read() as session:
        project = await find_project(session, user, project_id)
        if not is_partial(request):
            return redirect(f"/projects/{project_id}#compilation")
        compiling = await view_compilation(session, user, project)
    return fragment(request, "projects/_compilation.html", project=project, compiling=compiling)
