"""Receives an upload of clips and adds the files that are videos to the project.

The sender and the declared size are checked before the body is read. The CSRF middleware would
read the whole body to look for its token, so the upload routes are exempt from it and use the
guard `same_origin` instead.
"""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

from app.database import Database
from app.errors import Failure, Invalid
from app.http import AnyRequest
from app.models import Clip, User
from app.projects.access import find_own_project
from app.projects.clips import add_clip, over_quota, remaining_quota
from app.projects.upload_stream import FIELD, MB, Upload, receive
from app.settings import Settings


async def upload_clips(
    request: AnyRequest, db: Database, settings: Settings, user: User, project_id: int
) -> tuple[list[Clip], list[Failure]]:
    """Adds each uploaded video to the project. Returns the clips, and a failure for each file
    that could not be added.

    Raises NotFound or Forbidden unless the user owns the project, Invalid for a malformed upload,
    and TooLarge for a file over the limit or an upload over the quota.
    """
    clips, failures = [], []
    async with _received(request, db, settings, user, project_id) as uploads:
        for upload in uploads:
            try:
                clips.append(await add_clip(db, settings, user, project_id, upload))
            except Failure as failure:
                failures.append(failure)
    return clips, failures


@asynccontextmanager
async def _received(
    request: AnyRequest, db: Database, settings: Settings, user: User, project_id: int
) -> AsyncIterator[list[Upload]]:
    async with db.read() as session:
        await find_own_project(session, user, project_id)
        quota = await remaining_quota(session, settings, user)
    # The multipart framing adds a little to the size of the files.
    if (request.content_length or 0) > quota + MB:
        raise over_quota(settings)
    boundary = str(request.content_type[1].get("boundary", ""))
    limit = min(settings.max_upload_mb * MB, quota)
    async with receive(request.stream(), boundary, settings.clips_dir, limit=limit) as uploads:
        yield uploads


def sentences_of(failures: Iterable[Failure]) -> list[str]:
    """One sentence for each file that could not be added."""
    return [one.fields[FIELD] if isinstance(one, Invalid) else one.sentence for one in failures]
