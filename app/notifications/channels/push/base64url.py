"""Base64 as keys travel in URLs, headers and JSON: RFC 4648, section 5, without padding."""

import base64
import re


def encode(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def decode(text: str) -> bytes:
    """Takes either alphabet, padded or not; b"" for anything else."""
    plain = text.rstrip("=").replace("+", "-").replace("/", "_")
    if not re.fullmatch(r"[\w-]*", plain, re.ASCII) or len(plain) % 4 == 1:
        return b""
    return base64.urlsafe_b64decode(plain + "=" * (-len(plain) % 4))
