"""Sends videos, clips and their thumbnails to users who may see the project."""

import asyncio
from collections.abc import Awaitable
from pathlib import Path
from typing import Any

from litestar import Response

from app.database import Database
from app.errors import NoPicture
from app.http import AnyRequest, redirect
from app.models import User
from app.projects.clip_thumbnails import find_thumbnail
from app.projects.clips import find_clip, find_visible_clip
from app.projects.compilations import find_result, find_video
from app.projects.file_response import send_file
from app.projects.media_storage import clip_path, thumbnail_path, video_path
from app.projects.video.probe import sniff
from app.projects.video.turns import turns_of
from app.settings import Settings
from app.web.static_files import asset

VIDEO, THUMBNAIL = "video/mp4", "image/jpeg"
# The media types of containers that browsers can play, by ffmpeg's name of the container.
PLAYABLE = {"mov": VIDEO, "matroska": "video/webm", "ogg": "video/ogg"}
NEUTRAL_PICTURE = "no-picture.svg"
# A page shows many thumbnails, so browsers should not revalidate each.
AN_HOUR = "private, max-age=3600"


async def or_neutral(picture: Awaitable[Response[Any]]) -> Response[Any]:
    """For a page: the picture or, if there is none, a redirect to a neutral one."""
    try:
        return await picture
    except NoPicture:
        return redirect(asset(NEUTRAL_PICTURE))


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
    if not await asyncio.to_thread(path.exists):
        raise NoPicture
    return await send_file(request, path, THUMBNAIL, f"{project.name}.jpg", caching=AN_HOUR)


async def send_clip(
    request: AnyRequest, db: Database, settings: Settings, user: User, project_id: int, clip_id: int
) -> Response[Any]:
    """Sends the original file, to the owner alone: it may contain the location where it was
    recorded.
    """
    async with db.read() as session:
        clip = await find_clip(session, user, project_id, clip_id)
    path = clip_path(settings, clip.stored_as)
    media_type = await asyncio.to_thread(_media_type, path)
    return await send_file(request, path, media_type, clip.filename)


async def send_clip_thumbnail(
    request: AnyRequest, db: Database, settings: Settings, user: User, project_id: int, clip_id: int
) -> Response[Any]:
    async with db.read() as session:
        clip = await find_visible_clip(session, user, project_id, clip_id)
    with turns_of(db).of(user.id):
        path = await find_thumbnail(settings, clip)
    return await send_file(request, path, THUMBNAIL, f"{clip.filename}.jpg", caching=AN_HOUR)


def _media_type(path: Path) -> str:
    try:
        container = sniff(path)
    except OSError:
        container = None
    return PLAYABLE.get(container or "", "application/octet-stream")
