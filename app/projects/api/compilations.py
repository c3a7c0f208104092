"""JSON API: start, show and cancel compilations; download the video and its thumbnail."""

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.openapi import ResponseSpec
from litestar.params import FromPath

from app.api.problems import problems
from app.api.responses import ETAG, NOT_MODIFIED, documented_header
from app.broker import Broker
from app.database import Database
from app.http import AnyRequest
from app.models import User
from app.projects.access import find_project
from app.projects.api.shapes import CompilationObject, compilation_object
from app.projects.compilations import (
    cancel_compilation,
    enqueue,
    find_compilation,
    find_result,
    request_compilation,
)
from app.projects.files import send_file
from app.projects.storage import thumbnail_path, video_path
from app.settings import Settings

VIDEO, PICTURE = "video/mp4", "image/jpeg"
FILE_HEADERS = [ETAG, documented_header("Accept-Ranges", "bytes")]


def _file_responses(media_type: str) -> dict[int, ResponseSpec]:
    part = ResponseSpec(bytes, generate_examples=False, media_type=media_type)
    return {206: part} | NOT_MODIFIED | problems(416)


@post("/api/projects/{project_id:int}/compile", status_code=202, responses=problems(409))
async def start(
    db: NamedDependency[Database],
    broker: NamedDependency[Broker],
    user: NamedDependency[User],
    project_id: FromPath[int],
) -> CompilationObject:
    """Compile a project's clips into a video. Returns the unfinished compilation if there is one."""
    async with db.act() as session:
        project = await find_project(session, user, project_id)
        compilation = await request_compilation(session, project, user)
    await enqueue(broker, compilation)
    return compilation_object(compilation)


@get("/api/projects/{project_id:int}/compilations/{compilation_id:int}")
async def show(
    db: NamedDependency[Database],
    user: NamedDependency[User],
    project_id: FromPath[int],
    compilation_id: FromPath[int],
) -> CompilationObject:
    """Show a compilation and its progress."""
    async with db.read() as session:
        project = await find_project(session, user, project_id)
        return compilation_object(await find_compilation(session, project, compilation_id))


@post(
    "/api/projects/{project_id:int}/compilations/{compilation_id:int}/cancel",
    status_code=200,
    responses=problems(409),
)
async def cancel(
    db: NamedDependency[Database],
    user: NamedDependency[User],
    project_id: FromPath[int],
    compilation_id: FromPath[int],
) -> CompilationObject:
    """Cancel a queued or running compilation."""
    async with db.act() as session:
        project = await find_project(session, user, project_id)
        await cancel_compilation(session, user, project, compilation_id)
    async with db.read() as session:
        return compilation_object(await find_compilation(session, project, compilation_id))


@get(
    "/api/projects/{project_id:int}/compilations/{compilation_id:int}/video",
    media_type=VIDEO,
    responses=_file_responses(VIDEO),
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
    """Download the video, or the part of it in `Range`."""
    async with db.read() as session:
        project = await find_result(session, user, project_id, compilation_id)
    path = video_path(settings, compilation_id)
    return await send_file(request, path, VIDEO, f"{project.name}.mp4")


@get(
    "/api/projects/{project_id:int}/compilations/{compilation_id:int}/thumbnail",
    media_type=PICTURE,
    responses=_file_responses(PICTURE),
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
    async with db.read() as session:
        project = await find_result(session, user, project_id, compilation_id)
    path = thumbnail_path(settings, compilation_id)
    return await send_file(request, path, PICTURE, f"{project.name}.jpg")


routes = [start, show, cancel, video, thumbnail]
