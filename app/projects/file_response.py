"""A response with a video or image, whole or in byte ranges (RFC 9110, sections 13 and 14)."""

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

from litestar import Response
from litestar.response import Stream

from app.errors import BadRange, NotFound
from app.http import AnyRequest, is_known

CHUNK = 262_144
RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")


async def send_file(
    request: AnyRequest,
    path: Path,
    media_type: str,
    name: str,
    *,
    caching: str = "private, no-cache",
) -> Response[Any]:
    """The file (200), the part in `Range` (206), or 304 if the browser has it. `name` is the file
    name for a download, `caching` says how long a browser may use it without asking again.

    HEAD, and a request for several ranges, get the whole file. Raises BadRange for a range beyond
    its end, NotFound if the file does not exist.
    """
    try:
        stat = await asyncio.to_thread(path.stat)
    except OSError:
        raise NotFound from None
    tag = f'"{stat.st_mtime_ns:x}-{stat.st_size:x}"'
    headers = _headers(tag, name, caching)
    if is_known(request, tag):
        return Response(None, status_code=304, headers=headers)
    part = _requested_part(request, tag, stat.st_size)
    if part is None:
        return _stream(request, path, media_type, range(stat.st_size), headers, status=200)
    if not part:
        raise BadRange(stat.st_size)
    headers["Content-Range"] = f"bytes {part.start}-{part.stop - 1}/{stat.st_size}"
    return _stream(request, path, media_type, part, headers, status=206)


def _headers(tag: str, name: str, caching: str) -> dict[str, str]:
    """A browser that opens the URL downloads the file and cannot run anything in it."""
    return {
        "ETag": tag,
        "Accept-Ranges": "bytes",
        "Cache-Control": caching,
        "Content-Disposition": f"attachment; filename*=UTF-8''{quote(name, safe='')}",
        "Content-Security-Policy": "default-src 'none'; sandbox",
    }


def _requested_part(request: AnyRequest, tag: str, size: int) -> range | None:
    """The bytes in `Range`, empty if beyond the end. None for the whole file: only GET has ranges
    (RFC 9110, 14.2).
    """
    if request.method != "GET":
        return None
    found = RANGE.fullmatch(request.headers.get("Range", "").replace(" ", ""))
    if not found or found[0] == "bytes=-" or request.headers.get("If-Range", tag) != tag:
        return None
    first, last = found[1], found[2]
    if not first:
        return range(max(0, size - int(last)), size)
    if last and int(last) < int(first):
        return None
    return range(int(first), min(size, int(last) + 1 if last else size))


def _stream(
    request: AnyRequest,
    path: Path,
    media_type: str,
    part: range,
    headers: dict[str, str],
    *,
    status: int,
) -> Stream:
    headers = headers | {"Content-Length": str(len(part))}
    sent = range(0) if request.method == "HEAD" else part
    return Stream(_read(path, sent), status_code=status, headers=headers, media_type=media_type)


async def _read(path: Path, part: range) -> AsyncIterator[bytes]:
    file = await asyncio.to_thread(path.open, "rb")
    try:
        await asyncio.to_thread(file.seek, part.start)
        left = len(part)
        while left and (chunk := await asyncio.to_thread(file.read, min(CHUNK, left))):
            left -= len(chunk)
            yield chunk
    finally:
        file.close()
