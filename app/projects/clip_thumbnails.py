"""The thumbnails of clips, made at upload. A missing one is made at the first request.

An empty file says that none can be made.
"""

import asyncio
import logging
import secrets
from pathlib import Path

from app.errors import NoPicture
from app.models import Clip
from app.projects.media_storage import UPLOADING, clip_path, clip_thumbnail_path
from app.projects.video.ffmpeg import CompilationError, FfmpegFailed, Unusable
from app.projects.video.probe import ClipFacts, probe
from app.projects.video.thumbnail import write_thumbnail
from app.settings import Settings

_log = logging.getLogger(__name__)


async def find_thumbnail(settings: Settings, clip: Clip) -> Path:
    """The file, which is made if it is missing. Raises NoPicture if the clip has none."""
    path = clip_thumbnail_path(settings, clip.stored_as)
    if not await asyncio.to_thread(path.exists):
        await make_thumbnail(settings, clip)
    if not await asyncio.to_thread(_has_content, path):
        raise NoPicture
    return path


async def make_thumbnail(settings: Settings, clip: Clip, facts: ClipFacts | None = None) -> None:
    """Generates the clip's thumbnail; pass `facts` if the clip was probed already. A clip is
    complete without a thumbnail, so failures are only logged, and the next request tries again.
    """
    target = clip_thumbnail_path(settings, clip.stored_as)
    draft = target.with_name(f"{secrets.token_hex(16)}{UPLOADING}")
    try:
        await asyncio.to_thread(target.parent.mkdir, parents=True, exist_ok=True)
        await _write(settings, clip, facts, draft)
        await asyncio.to_thread(draft.replace, target)
    except (CompilationError, OSError) as failure:
        _log.info("No thumbnail of clip %s could be made: %s", clip.id, failure)
    finally:
        await asyncio.to_thread(draft.unlink, missing_ok=True)


async def _write(settings: Settings, clip: Clip, facts: ClipFacts | None, draft: Path) -> None:
    source = clip_path(settings, clip.stored_as)
    try:
        facts = facts or await probe(source, clip.filename)
        await write_thumbnail(
            source, facts.container, draft, last_frame=facts.duration, colours=facts.colours
        )
    except (Unusable, FfmpegFailed):
        await asyncio.to_thread(draft.write_bytes, b"")


def _has_content(path: Path) -> bool:
    try:
        return path.stat().st_size > 0
    except OSError:
        return False
