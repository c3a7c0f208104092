"""A project of alice's, and ways to fill it."""

import secrets
import shutil

import pytest

from app.database import Database
from app.models import Clip, Project, User
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
    """Add the test clip of this name, as an upload would."""
    return await add_clip(db, settings, owner, project.id, lay_down(settings, clip))


def lay_down(settings: Settings, clip: str) -> Upload:
    """A file that has just arrived."""
    source = clips.make(clip)
    settings.clips_dir.mkdir(exist_ok=True)
    path = settings.clips_dir / f"{secrets.token_hex(4)}.upload"
    shutil.copy(source, path)
    return Upload(path, source.name, path.stat().st_size)
