"""Passwords, and values signed for one purpose so that they can travel through links and cookies."""

import asyncio
import os
from typing import Any

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from itsdangerous import BadSignature, URLSafeTimedSerializer

from app.errors import NotFound

_secret = ""
_hasher = PasswordHasher()
# A hash takes 64 MiB and a core: no more at once than there are cores.
_at_once = asyncio.Semaphore(os.cpu_count() or 1)


def configure(secret_key: str) -> None:
    """Called once at start; every signature depends on this key."""
    global _secret
    _secret = secret_key


def sign(purpose: str, value: Any) -> str:
    """`value` (JSON) as a URL-safe token good for `purpose` only."""
    return str(_serializer(purpose).dumps(value))


def unsign(purpose: str, token: str, *, max_age: int | None = None) -> Any:
    """The signed value; raises NotFound for a changed, foreign or (after `max_age` seconds) old one."""
    try:
        return _serializer(purpose).loads(token, max_age=max_age)
    except BadSignature:
        raise NotFound from None


def _serializer(purpose: str) -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(_secret, salt=f"clippyfront.{purpose}")


async def hash_password(password: str) -> str:
    async with _at_once:
        return await asyncio.to_thread(_hasher.hash, password)


async def verify_password(password: str, password_hash: str) -> bool:
    async with _at_once:
        return await asyncio.to_thread(_matches, password, password_hash)


def needs_rehash(password_hash: str) -> bool:
    return _hasher.check_needs_rehash(password_hash)


def _matches(password: str, password_hash: str) -> bool:
    try:
        return _hasher.verify(password_hash, password)
    except (VerificationError, InvalidHashError):
        return False
