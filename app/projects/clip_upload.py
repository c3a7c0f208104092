"""Who may start an upload, and how much may come: settled before its body is read.

The CSRF middleware would read the whole body in search of its token, so this route is exempt from
it and asks the browser instead where the request comes from (Fetch Metadata, W3C).
"""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

from app.database import Database
from app.errors import Failure, Invalid
from app.http import AnyRequest
from app.models import User
from app.projects.access import find_own_project
from app.projects.clips import no_room, room_left
from app.projects.upload_stream import FIELD, MB, Upload, receive
from app.settings import Settings


@asynccontextmanager
async def arriving(
    request: AnyRequest, db: Database, settings: Settings, user: User, project_id: int
) -> AsyncIterator[list[Upload]]:
    """The files sent to a project of the person's own; the size is held to while they arrive.

    Raises NotFound, Forbidden, and TooLarge or Invalid for what does not fit or make sense.
    """
    async with db.read() as session:
        await find_own_project(session, user, project_id)
        left = await room_left(session, settings, user)
    if (request.content_length or 0) > left + MB:
        raise no_room(settings)
    boundary = str(request.content_type[1].get("boundary", ""))
    most = min(settings.max_upload_mb * MB, left)
    async with receive(request.stream(), boundary, settings.clips_dir, most=most) as uploads:
        yield uploads


def said_of_clips(problems: Iterable[Failure]) -> list[str]:
    """What was wrong with the files, each in a sentence."""
    return [one.fields[FIELD] if isinstance(one, Invalid) else one.sentence for one in problems]
