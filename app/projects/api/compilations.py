"""Compilations for programs: asked for, watched, cancelled; the video and its picture."""

from typing import Any

from litestar import Response
from litestar.di import NamedDependency
from litestar.params import FromPath

from app import api
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
from app.projects.file_response import send_file
from app.projects.media_storage import thumbnail_path, video_path
from app.settings import Settings

VIDEO, PICTURE = "video/mp4", "image/jpeg"


@api.post("/api/projects/{project_id:int}/compile", status=202, problems={409})
async def start(
    db: NamedDependency[Database],
    broker: NamedDependency[Broker],
    user: NamedDependency[User],
    project_id: FromPath[int],
) -> CompilationObject:
    """Compile a project's clips into a video. While one is being made, that one is answered."""
    async with db.act() as session:
        project = await find_project(session, user, project_id)
        compilation = await request_compilation(session, project, user)
    await enqueue(broker, compilation)
    return compilation_object(compilation)


@api.get("/api/projects/{project_id:int}/compilations/{compilation_id:int}")
async def show(
    db: NamedDependency[Database],
    user: NamedDependency[User],
    project_id: FromPath[int],
    compilation_id: FromPath[int],
) -> CompilationObject:
    """One compilation, and how far it is."""
    async with db.read() as session:
        project = await find_project(session, user, project_id)
        return compilation_object(await find_compilation(session, project, compilation_id))


@api.post("/api/projects/{project_id:int}/compilations/{compilation_id:int}/cancel", problems={409})
async def cancel(
    db: NamedDependency[Database],
    user: NamedDependency[User],
    project_id: FromPath[int],
    compilation_id: FromPath[int],
) -> CompilationObject:
    """Call a compilation off, waiting or running."""
    async with db.act() as session:
        project = await find_project(session, user, project_id)
        await cancel_compilation(session, user, project, compilation_id)
    async with db.read() as session:
        return compilation_object(await find_compilation(session, project, compilation_id))


@api.get(
    "/api/projects/{project_id:int}/compilations/{compilation_id:int}/video",
    answers={200: VIDEO, 206: VIDEO, 304: None},
    problems={416},
    headers={"ETag": "For If-None-Match and If-Range", "Accept-Ranges": "bytes"},
)
async def video(
    request: AnyRequest,
    db: NamedDependency[Database],
    settings: NamedDependency[Settings],
    user: NamedDependency[User],
    project_id: FromPath[int],
    compilation_id: FromPath[int],
) -> Response[Any]:
    """The video, or the part of it in `Range`."""
    async with db.read() as session:
        project = await find_result(session, user, project_id, compilation_id)
    path = video_path(settings, compilation_id)
    return await send_file(request, path, VIDEO, f"{project.name}.mp4")


@api.get(
    "/api/projects/{project_id:int}/compilations/{compilation_id:int}/thumbnail",
    answers={200: PICTURE, 206: PICTURE, 304: None},
    problems={416},
    headers={"ETag": "For If-None-Match and If-Range", "Accept-Ranges": "bytes"},
)
async def thumbnail(
    request: AnyRequest,
    db: NamedDependency[Database],
    settings: NamedDependency[Settings],
    user: NamedDependency[User],
    project_id: FromPath[int],
    compilation_id: FromPath[int],
) -> Response[Any]:
    """A picture out of the video."""
    async with db.read() as session:
        project = await find_result(session, user, project_id, compilation_id)
    path = thumbnail_path(settings, compilation_id)
    return await send_file(request, path, PICTURE, f"{project.name}.jpg")


routes = [start, show, cancel, video, thumbnail]
