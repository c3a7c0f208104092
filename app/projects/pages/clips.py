"""Pages: upload, move, play and delete clips."""

from typing import Any

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from app.database import Database
from app.errors import Failure, Invalid, TooLarge
from app.http import AnyRequest, Form, is_partial, redirect, signed_in
from app.language import _, ngettext
from app.layout import ask
from app.models import Clip, User
from app.projects.clip_upload import ABOUT_CONTENT, prevailing, sentences_of, upload_clips
from app.projects.clips import delete_clip, find_clip, move_clip, note_of
from app.projects.downloads import or_neutral, send_clip, send_clip_thumbnail
from app.projects.media_storage import remove
from app.projects.pages.projects import project_page
from app.projects.upload_stream import FIELD
from app.projects.video.ffmpeg import DiskFull
from app.settings import Settings
from app.values.names import isolate
from app.web.parsing import FileField

STEPS = {"up": -1, "down": 1}


@post(
    guards=[signed_in],
    file_field=FileField(FIELD, takes_many=True),
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
    except (Invalid, TooLarge, DiskFull) as failure:
        failures = [failure]
    if failures and is_partial(request):
        raise prevailing(failures)
    if failures:
        return await _form_again(request, db, settings, user, project_id, failures)
    if is_partial(request):
        return Response(None, status_code=204)
    return redirect(f"/projects/{project_id}#clips-of-project", _added(clips))


def _added(clips: list[Clip]) -> str:
    sentence = ngettext("{n} clip added.", "{n} clips added.", len(clips)).format(n=len(clips))
    notes = [f"{isolate(clip.filename)}: {note}" for clip in clips if (note := note_of(clip))]
    return " ".join([sentence, *notes])


@post()
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


@get()
async def ask_to_delete(
    request: AnyRequest,
    db: NamedDependency[Database],
    user: NamedDependency[User],
    project_id: FromPath[int],
    clip_id: FromPath[int],
) -> Response[Any]:
    async with db.read() as session:
        clip = await find_clip(session, user, project_id, clip_id)
    return await ask(
        request,
        question=_("Delete '{name}'?").format(name=isolate(clip.filename)),
        explanation=_(
            "To get the clip back, you have to upload it again. Videos that were made with it stay."
        ),
        action=f"/projects/{project_id}/clips/{clip_id}/delete",
        button_label=_("Delete clip"),
        cancel_url=f"/projects/{project_id}#clip-{clip_id}",
    )


@post()
async def delete(
    db: NamedDependency[Database],
    settings: NamedDependency[Settings],
    user: NamedDependency[User],
    project_id: FromPath[int],
    clip_id: FromPath[int],
) -> Response[Any]:
    async with db.act() as session:
        files = await delete_clip(session, settings, user, project_id, clip_id)
    await remove(files)
    return redirect(f"/projects/{project_id}#clips-of-project", _("Clip deleted."))


@get()
async def video(
    request: AnyRequest,
    db: NamedDependency[Database],
    settings: NamedDependency[Settings],
    user: NamedDependency[User],
    project_id: FromPath[int],
    clip_id: FromPath[int],
) -> Response[Any]:
    return await send_clip(request, db, settings, user, project_id, clip_id)


@get()
async def thumbnail(
    request: AnyRequest,
    db: NamedDependency[Database],
    settings: NamedDependency[Settings],
    user: NamedDependency[User],
    project_id: FromPath[int],
    clip_id: FromPath[int],
) -> Response[Any]:
    picture = send_clip_thumbnail(request, db, settings, user, project_id, clip_id)
    return await or_neutral(picture)


async def _form_again(
    request: AnyRequest,
    db: Database,
    settings: Settings,
    user: User,
    project_id: int,
    failures: list[Failure],
) -> Response[Any]:
    """The page again, with the failures at the file field."""
    errors, failure = {FIELD: " ".join(sentences_of(failures))}, prevailing(failures)
    status = 422 if failure.status == ABOUT_CONTENT else failure.status
    again = await project_page(
        request, db, settings, user, project_id, errors=errors, status=status
    )
    again.headers.update(failure.headers)
    return again
