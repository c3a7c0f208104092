"""The cookies by which browsers are recognized: that of a session, and that of a device."""

from datetime import timedelta

from litestar.datastructures import Cookie

from app.settings import Settings


def cookie_name(settings: Settings, name: str) -> str:
    """Under HTTPS the name has the prefix `__Host-`: browsers then refuse the cookie from another
    host or over plain HTTP (RFC 6265bis, 4.1.3.2), and we ignore a cookie without the prefix.
    """
    return f"__Host-{name}" if settings.is_https else name


def browser_cookie(settings: Settings, name: str, value: str, lifetime: timedelta) -> Cookie:
    """Scripts cannot read it, and other sites send it only with links. An empty `value` removes it."""
    return Cookie(
        key=cookie_name(settings, name),
        value=value,
        path="/",
        max_age=int(lifetime.total_seconds()) if value else 0,
        secure=settings.is_https,
        httponly=True,
        samesite="lax",
    )
