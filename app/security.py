"""Password hashes, and signatures on values that travel through links and cookies."""

import asyncio
import hashlib
import hmac
import os
import secrets
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from itsdangerous import BadSignature, URLSafeTimedSerializer
from sqlalchemy.ext.asyncio import AsyncSession

from app.errors import NotFound

_hasher = PasswordHasher()
# A hash takes 64 MiB of memory and a whole core, so no more run at once than there are cores.
_hashing_slots = asyncio.Semaphore(os.cpu_count() or 1)


@dataclass(frozen=True)
class Signer:
    """Signs with the installation's secret key. A signature is valid for one purpose only."""

    secret_key: str = field(repr=False)

    def sign(self, purpose: str, value: Any) -> str:
        """Returns `value` (JSON) as a URL-safe token."""
        return str(self._serializer(purpose).dumps(value))

    def unsign(self, purpose: str, token: str, *, max_age: int | None = None) -> Any:
        """Returns the signed value. `max_age` is in seconds.

        Raises NotFound for a token that was altered, signed for another purpose, or is too old.
        """
        value, _signed_at = self.unsign_with_time(purpose, token, max_age=max_age)
        return value

    def unsign_with_time(
        self, purpose: str, token: str, *, max_age: int | None = None
    ) -> tuple[Any, datetime]:
        """As `unsign`, and when it was signed, in whole seconds."""
        try:
            value, signed_at = self._serializer(purpose).loads(
                token, max_age=max_age, return_timestamp=True
            )
        except BadSignature:
            raise NotFound from None
        return value, signed_at

    def keyed_hash(self, purpose: str, text: str) -> str:
        """HMAC-SHA256 of `text`, in hexadecimal digits: nobody without the key can test a guess."""
        key = f"clippyfront.{purpose} {self.secret_key}".encode()
        return hmac.digest(key, text.encode(), "sha256").hex()

    def _serializer(self, purpose: str) -> URLSafeTimedSerializer:
        return URLSafeTimedSerializer(self.secret_key, salt=f"clippyfront.{purpose}")


def new_nonce() -> str:
    """128 random bits that tell a row's links from those of another row with the same id."""
    return secrets.token_urlsafe(16)


def new_token() -> str:
    """256 random bits, for a cookie or an access token."""
    return secrets.token_urlsafe(32)


def hash_token(token: str) -> str:
    """The SHA-256 of a token, in hexadecimal digits. Rows hold only this."""
    return hashlib.sha256(token.encode()).hexdigest()


def signer_of(session: AsyncSession) -> Signer:
    """The signer of the installation that opened this session."""
    signer: Signer = session.info["signer"]
    return signer


async def hash_password(password: str) -> str:
    async with _hashing_slots:
        return await asyncio.to_thread(_hasher.hash, password)


async def verify_password(password: str, password_hash: str) -> bool:
    async with _hashing_slots:
        return await asyncio.to_thread(_matches, password, password_hash)


def needs_rehash(password_hash: str) -> bool:
    return _hasher.check_needs_rehash(password_hash)


def _matches(password: str, password_hash: str) -> bool:
    try:
        return _hasher.verify(password_hash, password)
    except (VerificationError, InvalidHashError):
        return False
