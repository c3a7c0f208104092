"""JSON API: start, show and cancel compilations; download the video and its thumbnail."""

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from app.api.problems import problems
from app.broker import Broker
from app.database import Database
from app.http import AnyRequest
from app.models import User
from app.notifications.throttles import throttle_notifying
from app.projects.access import find_project
from app.projects.api.files import FILE_HEADERS, file_responses
from app.projects.api.shapes import CompilationObject, compilation_object
from app.projects.compilations import (
    cancel_compilation,
    find_compilation,
    start_compilation,
)
from app.projects.downloads import THUMBNAIL, VIDEO, send_thumbnail, send_video
from app.settings import Settings


@post(status_code=202, responses=problems(409, 429))
async def start(
    db: NamedDependency[Database],
    broker: NamedDependency[Broker],
    settings: NamedDependency[Settings],
    user: NamedDependency[User],
    project_id: FromPath[int],
) -> CompilationObject:
    """Compile a project's clips into a video. Returns the unfinished compilation if there is one."""
    await throttle_notifying(db, settings, user)
    return compilation_object(await start_compilation(db, broker, settings, user, project_id))


@get()
async def show(
    db: NamedDependency[Database],
    user: NamedDependency[User],
    project_id: FromPath[int],
    compilation_id: FromPath[int],
) -> CompilationObject:
    """Show a compilation and its progress."""
    return await _compilation(db, user, project_id, compilation_id)


@post(
    status_code=200,
    responses=problems(409, 429),
)
async def cancel(
    db: NamedDependency[Database],
    settings: NamedDependency[Settings],
    user: NamedDependency[User],
    project_id: FromPath[int],
    compilation_id: FromPath[int],
) -> CompilationObject:
    """Cancel a queued or running compilation."""
    await throttle_notifying(db, settings, user)
    async with db.act() as session:
        await cancel_compilation(session, user, project_id, compilation_id)
    return await _compilation(db, user, project_id, compilation_id)


@get(
    media_type=VIDEO,
    responses=file_responses(VIDEO) | problems(410),
    response_headers=FILE_HEADERS,
)
async def video(
    request: AnyRequest,
    db: NamedDependency[Database],
    settings: NamedDependency[Settings],
    user: NamedDependency[User],
    project_id: FromPath[int],
    compilation_id: FromPath[int],
) -> Response[bytes]:
    """Download the video, or the part of it in `Range`.

    A project keeps its newest three videos; an older one answers 410.
    """
    return await send_video(request, db, settings, user, project_id, compilation_id)


@get(
    media_type=THUMBNAIL,
    responses=file_responses(THUMBNAIL),
    response_headers=FILE_HEADERS,
)
async def thumbnail(
    request: AnyRequest,
    db: NamedDependency[Database],
    settings: NamedDependency[Settings],
    user: NamedDependency[User],
    project_id: FromPath[int],
    compilation_id: FromPath[int],
) -> Response[bytes]:
    """Download the video's thumbnail."""
    return await send_thumbnail(request, db, settings, user, project_id, compilation_id)


async def _compilation(
    db: Database, user: User, project_id: int, compilation_id: int
) -> CompilationObject:
    async with db.read() as session:
        project = await find_project(session, user, project_id)
        return compilation_object(await find_compilation(session, project, compilation_id))
