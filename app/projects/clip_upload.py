"""Receives an upload of clips and adds the files that are videos to the project.

The sender and the declared size are checked before the files are read. While the body arrives, its
bytes are reserved from the user's quota.
"""

from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager

from app.database import Database
from app.errors import Failure, Invalid
from app.http import AnyRequest, boundary_of
from app.models import Clip, User
from app.projects.access import find_own_project
from app.projects.clips import add_clip
from app.projects.storage import Reservation, reserving
from app.projects.upload_stream import FIELD, Overfull, Upload, receive
from app.settings import Settings
from app.values.sizes import MB

ABOUT_CONTENT = Invalid.status


async def upload_clips(
    request: AnyRequest, db: Database, settings: Settings, user: User, project_id: int
) -> tuple[list[Clip], list[Failure]]:
    """Adds each uploaded video to the project. Returns the clips, and a failure for each file
    that could not be added.

    Raises NotFound or Forbidden unless the user owns the project, Invalid for a malformed upload,
    and TooLarge for a file over the limit or an upload over the quota.
    """
    clips, failures = [], []
    async with db.read() as session:
        await find_own_project(session, user, project_id)
    async with (
        reserving(db, settings, user.id) as reservation,
        _received(request, settings, reservation) as uploads,
    ):
        for upload in uploads:
            try:
                clips.append(await add_clip(db, settings, user, project_id, upload, reservation))
            except Failure as failure:
                failures.append(failure)
    return clips, failures


@asynccontextmanager
async def _received(
    request: AnyRequest, settings: Settings, reservation: Reservation
) -> AsyncIterator[list[Upload]]:
    """The multipart framing adds a little to the size of the files, at most MB."""
    declared, limit = request.content_length or 0, settings.max_upload_mb * MB
    if await reservation.grow_to(declared) < declared - MB:
        raise await reservation.refuse()
    body, folder, cover = request.stream(), settings.clips_dir, reservation.cover
    try:
        async with receive(body, boundary_of(request), folder, limit=limit, cover=cover) as uploads:
            yield uploads
    except Overfull:
        raise await reservation.refuse() from None


def prevailing(failures: Sequence[Failure]) -> Failure:
    """The failure whose status the answer has: one that is not about the content of a file, such as
    a full disk, before one that is.
    """
    return next((one for one in failures if one.status != ABOUT_CONTENT), failures[0])


def sentences_of(failures: Iterable[Failure]) -> list[str]:
    """One sentence for each file that could not be added."""
    return [one.fields[FIELD] if isinstance(one, Invalid) else one.sentence for one in failures]
