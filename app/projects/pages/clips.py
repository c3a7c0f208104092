"""Pages: upload, move and delete clips."""

from typing import Any

from litestar import Response, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from app.database import Database
from app.errors import Failure, Invalid, TooLarge
from app.http import AnyRequest, Form, is_partial, redirect, same_origin, signed_in
from app.language import _, ngettext
from app.models import Clip, User
from app.projects.clip_upload import sentences_of, upload_clips
from app.projects.clips import delete_clip, move_clip
from app.projects.media_storage import remove
from app.projects.pages.projects import project_page
from app.projects.upload_stream import FIELD
from app.settings import Settings

STEPS = {"up": -1, "down": 1}


@post(
    "/projects/{project_id:int}/clips",
    guards=[signed_in, same_origin],
    exclude_from_csrf=True,
    request_max_body_size=None,
)
async def upload(
    request: AnyRequest,
    db: NamedDependency[Database],
    settings: NamedDependency[Settings],
    user: NamedDependency[User],
    project_id: FromPath[int],
) -> Response[Any]:
    """Adds the files that are videos; the others are reported in the form."""
    clips: list[Clip] = []
    failures: list[Failure] = []
    try:
        clips, failures = await upload_clips(request, db, settings, user, project_id)
    except (Invalid, TooLarge) as failure:
        failures = [failure]
    if failures and is_partial(request):
        raise failures[0]
    if failures:
        return await _form_again(request, db, settings, user, project_id, failures)
    if is_partial(request):
        return Response(None, status_code=204)
    sentence = ngettext("{n} clip added.", "{n} clips added.", len(clips)).format(n=len(clips))
    return redirect(f"/projects/{project_id}#clips-of-project", sentence)


@post("/projects/{project_id:int}/clips/{clip_id:int}/move")
async def move(
    db: NamedDependency[Database],
    user: NamedDependency[User],
    form: NamedDependency[Form],
    project_id: FromPath[int],
    clip_id: FromPath[int],
) -> Response[Any]:
    by = STEPS.get(form["to"])
    if by is None:
        raise Invalid({"to": _("Choose up or down.")})
    async with db.act() as session:
        await move_clip(session, user, project_id, clip_id, by=by)
    return redirect(f"/projects/{project_id}#clip-{clip_id}")


@post("/projects/{project_id:int}/clips/{clip_id:int}/delete")
async def delete(
    db: NamedDependency[Database],
    settings: NamedDependency[Settings],
    user: NamedDependency[User],
    project_id: FromPath[int],
    clip_id: FromPath[int],
) -> Response[Any]:
    async with db.act() as session:
        file = await delete_clip(session, settings, user, project_id, clip_id)
    await remove([file])
    return redirect(f"/projects/{project_id}#clips-of-project", _("Clip deleted."))


async def _form_again(
    request: AnyRequest,
    db: Database,
    settings: Settings,
    user: User,
    project_id: int,
    failures: list[Failure],
) -> Response[Any]:
    """The page again, with the failures at the file field."""
    is_too_large = any(isinstance(failure, TooLarge) for failure in failures)
    errors = {FIELD: " ".join(sentences_of(failures))}
    status = 413 if is_too_large else 422
    return await project_page(request, db, settings, user, project_id, errors=errors, status=status)


routes = [upload, move, delete]
