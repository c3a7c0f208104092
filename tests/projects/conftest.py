"""A project of alice, and functions to add clips to it."""

import secrets
import shutil

import pytest
from PIL import Image

from app import clock
from app.database import Database
from app.models import Clip, Compilation, Project, User
from app.notifications.events.catalogue import COMPILATION_COMPLETED
from app.notifications.notify import notify
from app.projects.clips import add_clip
from app.projects.media_storage import thumbnail_path
from app.projects.projects import create_project
from app.projects.upload_stream import Upload
from app.settings import Settings
from tests import clips
from tests.accounts.images import saved

# Of a finished video's thumbnail.
SHAPE = (640, 360)


@pytest.fixture
async def reel(db: Database, alice: User) -> Project:
    async with db.act() as session:
        return await create_project(session, alice, "Highlight Reel")


async def add(
    db: Database, settings: Settings, project: Project, owner: User, clip: str = "silent"
) -> Clip:
    """Adds the test clip with this name, as an upload does."""
    return await add_clip(db, settings, owner, project.id, uploaded(settings, clip))


def uploaded(settings: Settings, clip: str) -> Upload:
    """A file that has just been received."""
    source = clips.make(clip)
    settings.clips_dir.mkdir(exist_ok=True)
    path = settings.clips_dir / f"{secrets.token_hex(4)}.upload"
    shutil.copy(source, path)
    return Upload(path, source.name, path.stat().st_size)


async def finish(
    db: Database, settings: Settings, project: Project, *, with_picture: bool = True
) -> Compilation:
    """A video of 65 seconds is ready, and whom that concerns is notified."""
    async with db.act() as session:
        session.add(compilation := finished(project))
        await session.flush()
        address = f"/projects/{project.id}/compilations/{compilation.id}/thumbnail"
        await notify(
            session,
            COMPILATION_COMPLETED,
            project=project,
            compilation=compilation,
            thumbnail=address,
            duration=65.0,
            size=1,
        )
    if with_picture:
        path = thumbnail_path(settings, compilation.id)
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(saved(Image.new("RGB", SHAPE, "red"), "JPEG"))
    return compilation


def finished(project: Project, *, size: int = 1) -> Compilation:
    """A row of a compilation whose video is there; without the file."""
    now = clock.now()
    return Compilation(
        project_id=project.id, status="completed", size=size, duration=1.0, finished_at=now
    )
