"""Conditional responses (ETag) and links to other pages."""

import hashlib
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

import msgspec
from litestar import MediaType, Response
from litestar.datastructures import ResponseHeader
from litestar.openapi import ResponseSpec

from app.api.shapes import ResponseBody
from app.http import AnyRequest, is_known

NOT_MODIFIED = {304: ResponseSpec(None)}
CACHING = {
    "Cache-Control": "private, no-cache",
    "Vary": "Authorization, Cookie, Accept-Language",
}


def documented_header(name: str, description: str) -> ResponseHeader:
    """A header that the handler sets itself."""
    # Litestar derives the header's schema from its value.
    return ResponseHeader(name, value="", description=description, documentation_only=True)


ETAG = documented_header("ETag", "Send it back in If-None-Match")
LOCATION = documented_header("Location", "The address of what was created")
LINK = documented_header("Link", "First, previous, next and last page")


def conditional(
    request: AnyRequest, body: ResponseBody, headers: dict[str, str] | None = None
) -> Response[Any]:
    """`body` with an ETag, or 304 if the client already has it (RFC 9110, section 13.1.2).

    The tag is a hash of the content. The position of the user's last change would be cheaper, but
    it stays the same when retention deletes notifications or someone renames a team.
    """
    content = msgspec.json.encode(body)
    tag = f'"{hashlib.blake2b(content, digest_size=12).hexdigest()}"'
    headers = CACHING | {"ETag": tag} | (headers or {})
    if is_known(request, tag):
        return Response(None, status_code=304, headers=headers)
    return Response(content, media_type=MediaType.JSON, headers=headers)


def page_links(request: AnyRequest, page: int, pages: int, **others: str) -> dict[str, str]:
    """The Link header to the first, previous, next and last page (RFC 8288).

    Besides the request's parameters they have these others.
    """
    neighbours = {"prev": page - 1, "next": page + 1}
    existing = {rel: number for rel, number in neighbours.items() if 1 <= number <= pages}
    links = {"first": 1, "last": pages} | existing
    start = _without_page(request, others)
    return {"Link": ", ".join(f'<{start}page={n}>; rel="{rel}"' for rel, n in links.items())}


def _without_page(request: AnyRequest, others: Mapping[str, str]) -> str:
    """The URL of this request up to its page number."""
    parameters = sorted(request.query_params.multi_items())
    replaced = ("page", "offset", *others)
    kept = [(name, value) for name, value in parameters if name not in replaced]
    query = urlencode([*kept, *others.items()])
    return f"{request.scope['path']}?{query}{'&' if query else ''}"
