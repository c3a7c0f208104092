"""Static files, under one address that changes when any of them does: /static/<digest>/<path>.

The digest covers the whole tree: a module's relative imports stay within one version, and browsers
may keep every file without asking again. The files are read once, so that nothing in a request ever
becomes a path on disk.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

from litestar import Response, get
from litestar.params import FromPath

from app.errors import NotFound
from app.http import AnyRequest, is_known
from app.settings import ROOT
from app.web.compression import ONCE, chosen_encoding, is_compressible

FOREVER = "public, max-age=31536000, immutable"
NO_CACHE = "public, no-cache"  # caches may keep it, but ask before each use whether it has changed
# What is served; `mimetypes` would depend on the machine's own table.
MEDIA_TYPES = {
    ".css": "text/css",
    ".js": "text/javascript",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".txt": "text/plain",
    ".wav": "audio/wav",
    ".webmanifest": "application/manifest+json",
}
# In scripts and styles of ours: a comment that has its lines to itself.
COMMENTS = {
    ".css": re.compile(rb"^ */\*.*?\*/\n", re.MULTILINE | re.DOTALL),
    ".js": re.compile(rb"^ *//.*\n", re.MULTILINE),
}


@dataclass(frozen=True)
class StaticFile:
    content: bytes
    media_type: str
    digest: str

    @cached_property
    def encoded(self) -> Mapping[str, bytes]:
        """Its compressed forms by their names, made for the first request. Empty for an image."""
        if not is_compressible(self.media_type):
            return {}
        return {name: encode(self.content) for name, encode in ONCE.items()}


@dataclass(frozen=True)
class StaticTree:
    """Files by their path below the folder, and the digest of all of them."""

    files: Mapping[str, StaticFile]
    digest: str


def asset(path: str) -> str:
    """The address of a static file. Raises LookupError for one that does not exist."""
    if path not in tree().files:
        raise LookupError(f"There is no static file {path!r}.")
    return f"/static/{tree().digest}/{path}"


@get(
    sync_to_thread=False,
    opt={"exclude_from_csrf": True},  # otherwise a response in a shared cache would set a cookie
)
def static_file(
    request: AnyRequest, digest: FromPath[str], path: FromPath[str]
) -> Response[bytes | None]:
    """The current file, even if the URL names another version.

    After an upgrade such URLs are still requested: by open pages, by earlier pushes (they name an
    icon), and during a rolling upgrade by pages of the other host. The current file serves them
    better than a 404, but browsers must not keep it under that URL.
    """
    is_current = digest == tree().digest
    return respond(request, path.removeprefix("/"), FOREVER if is_current else NO_CACHE)


def respond(request: AnyRequest, path: str, cache_control: str) -> Response[bytes | None]:
    """The file, or 304 when the browser has it. Raises NotFound."""
    file = tree().files.get(path)
    if file is None:
        raise NotFound
    encoding = chosen_encoding(request.headers.get("Accept-Encoding", ""))
    if encoding not in file.encoded:
        encoding = ""
    etag = f'"{file.digest}-{encoding}"' if encoding else f'"{file.digest}"'
    headers = {"Cache-Control": cache_control, "ETag": etag}
    if file.encoded:
        headers["Vary"] = "Accept-Encoding"
    if is_known(request, etag):
        return Response(None, status_code=304, headers=headers)
    if encoding:
        headers["Content-Encoding"] = encoding
    content = file.encoded.get(encoding, file.content)
    return Response(content, media_type=file.media_type, headers=headers)


@cache
def tree() -> StaticTree:
    return read_tree(ROOT / "static")


def read_tree(folder: Path) -> StaticTree:
    files = {
        file.relative_to(folder).as_posix(): _read(file)
        for file in sorted(folder.rglob("*"))
        if file.suffix in MEDIA_TYPES
    }
    listing = "".join(f"{path} {file.digest}\n" for path, file in files.items())
    return StaticTree(files, _digest(listing.encode()))


def _read(file: Path) -> StaticFile:
    content = without_comments(file)
    return StaticFile(content, MEDIA_TYPES[file.suffix], _digest(content))


def without_comments(file: Path) -> bytes:
    """The content of the file. Comments in ours are a seventh of what a browser would load."""
    content = file.read_bytes()
    comment = None if file.parent.name == "vendor" else COMMENTS.get(file.suffix)
    return comment.sub(b"", content) if comment else content


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:12]
