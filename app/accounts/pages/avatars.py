"""/account/picture: upload and remove one's picture; /avatars: see those of all users."""

import asyncio
from typing import Any

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.exceptions import ClientException
from litestar.params import FromPath

from app.accounts.avatars import (
    FIELD,
    MAX_BYTES,
    MEDIA_TYPE,
    avatar_path,
    remove_avatar,
    set_avatar,
    too_large,
)
from app.accounts.pages.account import show_account
from app.database import Database
from app.errors import Invalid, NotFound, TooLarge
from app.http import AnyRequest, boundary_of, is_known, redirect, signed_in, unreadable_upload
from app.language import _
from app.models import User
from app.settings import Settings
from app.values.sizes import MB
from app.web.parsing import FileField, parse_file

FOREVER = "private, max-age=31536000, immutable"
# What the multipart framing and the other fields may add to the file.
FRAMING = 65_536
# A browser reads no response before it has sent the whole body, so a body that is too large is
# received and discarded, up to this size.
MOST_DISCARDED = 50 * MB


@post(
    guards=[signed_in],
    file_field=FileField(FIELD),
    request_max_body_size=None,
)
async def upload(
    request: AnyRequest,
    db: NamedDependency[Database],
    settings: NamedDependency[Settings],
    user: NamedDependency[User],
    session_id: NamedDependency[int],
) -> Response[Any]:
    try:
        await set_avatar(db, settings, user, await _chosen_file(request))
    except Invalid as invalid:
        return await show_account(request, db, user, session_id, invalid=invalid)
    except TooLarge as failure:
        at_field = Invalid({FIELD: failure.sentence})
        return await show_account(
            request, db, user, session_id, invalid=at_field, status=failure.status
        )
    return redirect("/account", _("Your picture was changed."))


@post()
async def remove(
    db: NamedDependency[Database],
    settings: NamedDependency[Settings],
    user: NamedDependency[User],
) -> Response[Any]:
    await remove_avatar(db, settings, user)
    return redirect("/account", _("Your picture was removed."))


@get(guards=[signed_in])
async def picture(
    request: AnyRequest,
    settings: NamedDependency[Settings],
    user_id: FromPath[int],
    avatar: FromPath[str],
) -> Response[bytes | None]:
    etag = f'"{avatar}"'
    headers = {"Cache-Control": FOREVER, "ETag": etag}
    content = await asyncio.to_thread(_read, settings, user_id, avatar)
    if is_known(request, etag):
        return Response(None, status_code=304, headers=headers)
    return Response(content, media_type=MEDIA_TYPE, headers=headers)


async def _chosen_file(request: AnyRequest) -> bytes:
    """Raises Invalid if no file was chosen."""
    try:
        content = parse_file(boundary_of(request), await _body(request), FIELD)
    except ClientException:
        raise unreadable_upload(FIELD) from None
    if not content:
        raise Invalid({FIELD: _("Choose an image first.")})
    return content


async def _body(request: AnyRequest) -> bytes:
    body, arrived = bytearray(), 0
    async for chunk in request.stream():
        arrived += len(chunk)
        if arrived <= MAX_BYTES + FRAMING:
            body += chunk
        if arrived > MOST_DISCARDED:
            break
    if arrived > MAX_BYTES + FRAMING:
        raise too_large()
    return bytes(body)


def _read(settings: Settings, user_id: int, avatar: str) -> bytes:
    """Raises NotFound. Only a hash becomes part of a path."""
    if not (avatar.isascii() and avatar.isalnum()):
        raise NotFound
    try:
        return avatar_path(settings, user_id, avatar).read_bytes()
    except OSError:
        raise NotFound from None
