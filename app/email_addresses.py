"""What counts as an email address: one rule for registration, invitations, settings and commands.

RFC 5321, section 4.1.2, without quoted local parts, address literals and letters beyond ASCII.
"""

import re

from app.language import _

EMAIL_LENGTH = 254  # RFC 5321, section 4.5.3.1.3, without the angle brackets
_LOCAL_LENGTH = 64
_ATEXT = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]"
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
EMAIL_PATTERN = rf"{_ATEXT}(?:\.?{_ATEXT}){{0,{_LOCAL_LENGTH - 1}}}@{_LABEL}(?:\.{_LABEL})*"


def is_email_address(text: str) -> bool:
    local = text.partition("@")[0]
    is_short = len(text) <= EMAIL_LENGTH and len(local) <= _LOCAL_LENGTH
    return is_short and re.fullmatch(EMAIL_PATTERN, text) is not None


def mailbox_of(address: str) -> str:
    """The mailbox behind `address`: without a "+tag" (RFC 5233) and, at Gmail, without dots."""
    local, _at, domain = address.casefold().rpartition("@")
    local = local.partition("+")[0] or local
    if domain in ("gmail.com", "googlemail.com"):
        local, domain = local.replace(".", ""), "gmail.com"
    return f"{local}@{domain}"


def email_error(text: str) -> str:
    """Why `text` is not an email address, or "" when it is."""
    if is_email_address(text):
        return ""
    return _("Enter a complete email address, like name@example.com.")
