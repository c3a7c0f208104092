"""What counts as an email address, and when two are the same: one rule for registration, login,
invitations, settings and commands.

RFC 5321, section 4.1.2, without quoted local parts and address literals. A domain may be in any
script (IDNA 2008, with the mapping of UTS 46); the local part is ASCII, because anything else
needs SMTPUTF8 (RFC 6531) of every server on the way. Addresses are stored and shown as they were
typed, compared by `address_key`, and written to as `ascii_address`.
"""

import re

import idna

from app.language import _

EMAIL_LENGTH = 254  # RFC 5321, section 4.5.3.1.3, without the angle brackets
_LOCAL_LENGTH = 64
_ATEXT = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]"
_ALNUM, _BEYOND_ASCII = "A-Za-z0-9", "\u00a1-\ud7ff"
_LOCAL = rf"{_ATEXT}(?:\.?{_ATEXT}){{0,{_LOCAL_LENGTH - 1}}}"


def _domain(letter: str) -> str:
    label = rf"[{letter}](?:[{letter}-]{{0,61}}[{letter}])?"
    return rf"{label}(?:\.{label})*"


# As people type it, for the API's document; IDNA refuses some of what it matches.
EMAIL_PATTERN = f"{_LOCAL}@{_domain(_ALNUM + _BEYOND_ASCII)}"
_ASCII_PATTERN = re.compile(f"{_LOCAL}@{_domain(_ALNUM)}")
# Top-level domains without a dot before them, and those that never exist (RFC 6761, 6.4).
_ALONE, _NEVER = "localhost", "invalid"


def is_email_address(text: str) -> bool:
    """Invisible characters are refused, although IDNA ignores some of them."""
    try:
        address = ascii_address(text)
    except ValueError:
        return False
    is_short = len(address) <= EMAIL_LENGTH and len(address.partition("@")[0]) <= _LOCAL_LENGTH
    return text.isprintable() and is_short and _ASCII_PATTERN.fullmatch(address) is not None


def ascii_address(address: str) -> str:
    """The address as SMTP and DNS take it: the labels of its domain are A-labels (RFC 5890).

    Raises ValueError for a domain that cannot be written so.
    """
    local, at, domain = address.rpartition("@")
    return local + at + _ascii_domain(domain) if at else address


def _ascii_domain(domain: str) -> str:
    if domain.isascii():
        return domain
    if len(domain) > EMAIL_LENGTH:
        raise ValueError("The domain is too long.")
    return idna.encode(domain, uts46=True, std3_rules=True).decode()


def readable_address(address: str) -> str:
    """With its domain in its own script, for a page: some browsers send it in ASCII."""
    local, at, domain = address.rpartition("@")
    if "xn--" not in domain.lower():
        return address
    try:
        readable = local + at + idna.decode(domain)
    except ValueError:
        return address
    return readable if address_key(readable) == address_key(address) else address


def address_key(text: str) -> str:
    """Equal for two spellings of one address. Of any other text, the text regardless of case."""
    try:
        return ascii_address(text).casefold()
    except ValueError:
        return text.casefold()


def mailbox_of(address: str) -> str:
    """The mailbox behind `address`: without a "+tag" (RFC 5233) and, at Gmail, without dots."""
    local, _at, domain = address_key(address).rpartition("@")
    local = local.partition("+")[0] or local
    if domain in ("gmail.com", "googlemail.com"):
        local, domain = local.replace(".", ""), "gmail.com"
    return f"{local}@{domain}"


def masked(address: str) -> str:
    """Part of the address, for a page whose link may have been forwarded."""
    local, _at, domain = address.rpartition("@")
    return f"{local[:1]}…@{domain}"


def email_error(text: str) -> str:
    """Why no mail can be sent to a person at `text`, or ""."""
    local, at, domain = text.rpartition("@")
    if at and not local.isascii() and local.isprintable() and " " not in local:
        return _(
            "Before the @, email addresses can have only unaccented letters, digits and signs."
        )
    if not is_email_address(text):
        return _("Enter a complete email address, like name@example.com.")
    if not _can_exist(_ascii_domain(domain).casefold()):
        sentence = _("No email can be sent to “{domain}”. Check the part after the @.")
        return sentence.format(domain=domain)
    return ""


def _can_exist(domain: str) -> bool:
    """Whether anyone can have registered the domain; `localhost` is this machine."""
    *rest, top = domain.split(".")
    return domain == _ALONE or bool(rest and not top.isdigit() and top != _NEVER)
