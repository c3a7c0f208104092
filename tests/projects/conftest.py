"""A project of alice, and functions to add clips to it."""

import secrets
import shutil

import pytest

from app import clock
from app.database import Database
from app.models import Clip, Compilation, Project, User
from app.projects.clips import add_clip
from app.projects.projects import create_project
from app.projects.upload_stream import Upload
from app.settings import Settings
from tests import clips


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


def finished(project: Project, *, size: int = 1) -> Compilation:
    """A row of a compilation whose video is there; without the file."""
    now = clock.now()
    return Compilation(
        project_id=project.id, status="completed", size=size, duration=1.0, finished_at=now
    )
