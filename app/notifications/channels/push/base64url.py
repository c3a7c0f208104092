"""URL-safe Base64 without padding (RFC 4648, section 5), as used for keys and tokens."""

import base64
import re


def encode(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def decode(text: str) -> bytes:
    """Accepts the standard and the URL-safe alphabet, padded or not; returns b"" if invalid."""
    plain = text.rstrip("=").replace("+", "-").replace("/", "_")
    if not re.fullmatch(r"[\w-]*", plain, re.ASCII) or len(plain) % 4 == 1:
        return b""
    return base64.urlsafe_b64decode(plain + "=" * (-len(plain) % 4))
