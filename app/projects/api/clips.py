"""Clips for programs: uploaded, moved, deleted."""

from litestar.di import NamedDependency
from litestar.params import FromPath

from app import api
from app.api.shapes import FieldProblem, Message
from app.database import Database
from app.errors import Failure, Forbidden, Invalid, NotFound, TooLarge
from app.http import AnyRequest
from app.language import _
from app.models import User
from app.projects.api.shapes import ClipsAdded, Step, clip_object
from app.projects.clip_upload import arriving, said_of_clips
from app.projects.clips import add_clips, delete_clip, move_clip
from app.projects.media_storage import remove
from app.projects.upload_stream import FIELD
from app.settings import Settings


@api.post(
    "/api/projects/{project_id:int}/clips", status=201, upload=FIELD, request_max_body_size=None
)
async def upload(
    request: AnyRequest,
    db: NamedDependency[Database],
    settings: NamedDependency[Settings],
    user: NamedDependency[User],
    project_id: FromPath[int],
) -> ClipsAdded:
    """Upload videos, one or more.

    Those that are videos stay; what was wrong with the others is told in `errors`.
    """
    async with arriving(request, db, settings, user, project_id) as uploads:
        clips, problems = await add_clips(db, settings, user, project_id, uploads)
    if not clips:
        raise _together(problems)
    errors = [FieldProblem(FIELD, sentence) for sentence in said_of_clips(problems)]
    return ClipsAdded([clip_object(clip) for clip in clips], errors)


def _together(problems: list[Failure]) -> Failure:
    """One answer for all files: what weighs more than a file that is no video comes first."""
    grave = (NotFound, Forbidden, TooLarge)
    invalid = Invalid({FIELD: " ".join(said_of_clips(problems))})
    return next((problem for problem in problems if isinstance(problem, grave)), invalid)


@api.post("/api/projects/{project_id:int}/clips/{clip_id:int}/move")
async def move(
    db: NamedDependency[Database],
    user: NamedDependency[User],
    project_id: FromPath[int],
    clip_id: FromPath[int],
    sent: NamedDependency[Step],
) -> Message:
    """Move a clip up or down, as far as there are places."""
    async with db.act() as session:
        await move_clip(session, user, project_id, clip_id, by=sent.by)
    return Message(_("Clip moved."))


@api.delete("/api/projects/{project_id:int}/clips/{clip_id:int}")
async def delete(
    db: NamedDependency[Database],
    settings: NamedDependency[Settings],
    user: NamedDependency[User],
    project_id: FromPath[int],
    clip_id: FromPath[int],
) -> Message:
    """Delete a clip."""
    async with db.act() as session:
        file = await delete_clip(session, settings, user, project_id, clip_id)
    await remove([file])
    return Message(_("Clip deleted."))


routes = [upload, move, delete]
