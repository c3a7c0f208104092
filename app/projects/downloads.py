"""Sends the video and the thumbnail of a finished compilation to users who may see the project."""

from typing import Any

from litestar import Response

from app.database import Database
from app.http import AnyRequest
from app.models import User
from app.projects.compilations import find_result, find_video
from app.projects.file_response import send_file
from app.projects.media_storage import thumbnail_path, video_path
from app.settings import Settings

VIDEO, THUMBNAIL = "video/mp4", "image/jpeg"


async def send_video(
    request: AnyRequest,
    db: Database,
    settings: Settings,
    user: User,
    project_id: int,
    compilation_id: int,
) -> Response[Any]:
    async with db.read() as session:
        project = await find_video(session, user, project_id, compilation_id)
    path = video_path(settings, compilation_id)
    return await send_file(request, path, VIDEO, f"{project.name}.mp4")


async def send_thumbnail(
    request: AnyRequest,
    db: Database,
    settings: Settings,
    user: User,
    project_id: int,
    compilation_id: int,
) -> Response[Any]:
    async with db.read() as session:
        project = await find_result(session, user, project_id, compilation_id)
    path = thumbnail_path(settings, compilation_id)
    return await send_file(request, path, THUMBNAIL, f"{project.name}.jpg")
