"""JSON API: upload, move and delete clips; download their thumbnails."""

from dataclasses import dataclass

from litestar import Response, delete, get, post
from litestar.di import NamedDependency
from litestar.enums import RequestEncodingType
from litestar.openapi.spec import (
    OpenAPIFormat,
    OpenAPIMediaType,
    OpenAPIType,
    Operation,
    RequestBody,
    Schema,
)
from litestar.params import FromPath, JSONBody

from app.api.problems import FieldProblem
from app.api.shapes import Message
from app.database import Database
from app.errors import Failure, Invalid
from app.http import AnyRequest
from app.language import _
from app.models import User
from app.projects.api.files import FILE_HEADERS, file_responses
from app.projects.api.shapes import ClipsAdded, Step, clip_object
from app.projects.clip_upload import ABOUT_CONTENT, prevailing, sentences_of, upload_clips
from app.projects.clips import delete_clip, move_clip
from app.projects.downloads import THUMBNAIL, send_clip_thumbnail
from app.projects.media_storage import remove
from app.projects.upload_stream import FIELD
from app.settings import Settings


@dataclass
class UploadOperation(Operation):
    """The handler reads its body as it arrives, so Litestar cannot derive its schema."""

    def __post_init__(self) -> None:
        file = Schema(type=OpenAPIType.STRING, format=OpenAPIFormat.BINARY)
        files = Schema(type=OpenAPIType.ARRAY, items=file, min_items=1)
        form = Schema(type=OpenAPIType.OBJECT, properties={FIELD: files}, required=[FIELD])
        content = {RequestEncodingType.MULTI_PART.value: OpenAPIMediaType(schema=form)}
        self.request_body = RequestBody(content=content, required=True)


@post(operation_class=UploadOperation, request_max_body_size=None)
async def upload(
    request: AnyRequest,
    db: NamedDependency[Database],
    settings: NamedDependency[Settings],
    user: NamedDependency[User],
    project_id: FromPath[int],
) -> ClipsAdded:
    """Upload one or more videos.

    Files that are not videos are skipped; `errors` has a message for each of them.
    """
    clips, failures = await upload_clips(request, db, settings, user, project_id)
    if not clips:
        raise _combined(failures)
    errors = [FieldProblem(FIELD, sentence) for sentence in sentences_of(failures)]
    return ClipsAdded([clip_object(clip) for clip in clips], errors)


def _combined(failures: list[Failure]) -> Failure:
    """One failure for all files: those about their content name the field."""
    failure = prevailing(failures)
    if failure.status != ABOUT_CONTENT:
        return failure
    return Invalid({FIELD: " ".join(sentences_of(failures))})


@post(status_code=200)
async def move(
    db: NamedDependency[Database],
    user: NamedDependency[User],
    project_id: FromPath[int],
    clip_id: FromPath[int],
    data: JSONBody[Step],
) -> Message:
    """Move a clip up or down in the list. It stops at either end."""
    async with db.act() as session:
        await move_clip(session, user, project_id, clip_id, by=data.by)
    return Message(_("Clip moved."))


@get(
    media_type=THUMBNAIL,
    responses=file_responses(THUMBNAIL),
    response_headers=FILE_HEADERS,
)
async def thumbnail(
    request: AnyRequest,
    db: NamedDependency[Database],
    settings: NamedDependency[Settings],
    user: NamedDependency[User],
    project_id: FromPath[int],
    clip_id: FromPath[int],
) -> Response[bytes]:
    """Download the clip's thumbnail. A clip of which none can be made answers 404."""
    return await send_clip_thumbnail(request, db, settings, user, project_id, clip_id)


@delete(status_code=200)
async def destroy(
    db: NamedDependency[Database],
    settings: NamedDependency[Settings],
    user: NamedDependency[User],
    project_id: FromPath[int],
    clip_id: FromPath[int],
) -> Message:
    """Delete a clip."""
    async with db.act() as session:
        files = await delete_clip(session, settings, user, project_id, clip_id)
    await remove(files)
    return Message(_("Clip deleted."))
