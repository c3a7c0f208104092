"""Who may start an upload: settled before its body is read.

The CSRF middleware would read the whole body in search of its token, so this route is exempt from
it and asks the browser instead where the request comes from (Fetch Metadata, W3C).
"""

from typing import Any
from urllib.parse import urlsplit

from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler

from app.errors import Forbidden, SignedOut
from app.language import _

Connection = ASGIConnection[Any, Any, Any, Any]


def signed_in(connection: Connection, _handler: BaseRouteHandler) -> None:
    if connection.scope.get("user") is None:
        raise SignedOut


def same_origin(connection: Connection, _handler: BaseRouteHandler) -> None:
    """Raises Forbidden for what a page of another site sent.

    Every browser sends `Sec-Fetch-Site` or, with a POST, `Origin`; where both are missing no
    browser was misled, and the session cookie is SameSite besides.
    """
    headers = connection.headers
    site, origin = headers.get("Sec-Fetch-Site"), headers.get("Origin")
    is_ours = origin is None or urlsplit(origin).netloc == headers.get("Host")
    if site is not None:
        is_ours = site in ("same-origin", "none")
    if not is_ours:
        raise Forbidden(_("This upload was sent by another site."))
