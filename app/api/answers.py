"""What many answers need: a tag by which they are known again, and links to other pages."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlencode

import msgspec
from litestar import MediaType, Response

from app.api.shapes import Answer
from app.errors import Invalid
from app.http import AnyRequest, is_known

PAGED = {"Link": "First, previous, next and last page"}
TAGGED = {"ETag": "For If-None-Match"}
HEADERS = {
    "Cache-Control": "private, no-cache",
    "Vary": "Authorization, Cookie, Accept-Language",
}


def unless_known(
    request: AnyRequest, answer: Answer, headers: dict[str, str] | None = None
) -> Response[Any]:
    """`answer`, or 304 where the program has it (RFC 9110, 13.1.2).

    The tag is that of the content. The position of the person's last change would be cheaper, but
    retention takes notices away, and a team changes its name, without any change of theirs.
    """
    content = msgspec.json.encode(answer)
    tag = f'"{hashlib.blake2b(content, digest_size=12).hexdigest()}"'
    headers = HEADERS | {"ETag": tag} | (headers or {})
    if is_known(request, tag):
        return Response(None, status_code=304, headers=headers)
    return Response(content, media_type=MediaType.JSON, headers=headers)


@contextmanager
def calling(**names: str) -> Iterator[None]:
    """Within this block, what is wrong is told by the names that fields have in JSON."""
    try:
        yield
    except Invalid as invalid:
        found = invalid.fields.items()
        invalid.fields = {names.get(field, field): sentence for field, sentence in found}
        raise


def page_links(request: AnyRequest, page: int, pages: int) -> dict[str, str]:
    """The header that leads to the other pages (RFC 8288), as far as there are any."""
    near = {"prev": page - 1, "next": page + 1}
    there = {rel: number for rel, number in near.items() if 1 <= number <= pages}
    links = {"first": 1, "last": pages} | there
    return {"Link": ", ".join(f'<{_at(request, n)}>; rel="{rel}"' for rel, n in links.items())}


def _at(request: AnyRequest, page: int) -> str:
    """This address, with another page."""
    given = sorted(request.query_params.multi_items())
    others = [(name, value) for name, value in given if name not in ("page", "offset")]
    return f"{request.url.path}?{urlencode([*others, ('page', str(page))])}"
