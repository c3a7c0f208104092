"""The key pair by which push services know this installation (VAPID, RFC 8292).

From the settings, or made once and kept in `DATA_DIR`. Every subscription belongs to one public
key; with another pair browsers have to subscribe again, which pages do at the next visit.
"""

import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from py_vapid import Vapid02
from sqlalchemy.ext.asyncio import AsyncSession

from app import clock
from app.email_addresses import is_email_address
from app.language import _
from app.notifications.channels.push.base64url import decode, encode
from app.settings import SettingError, Settings, kept_secret

# RFC 8292 allows 24 hours. Services may refuse tokens that are renewed often, so one is kept long.
VALID_FOR = timedelta(hours=12)
KEPT_FOR = timedelta(hours=11)


@dataclass(frozen=True)
class VapidKeys:
    """`public` is what browsers take as applicationServerKey: 65 bytes, 87 characters base64url.

    `subject` tells push services whom to ask about what this installation does.
    """

    public: str
    subject: str
    _signer: Vapid02
    _kept: dict[str, tuple[datetime, str]] = field(default_factory=dict)

    def authorization(self, origin: str) -> str:
        """The header for one push service, `https://host[:port]`; signed anew every 11 hours.

        Raises VapidException for what is no origin.
        """
        now = clock.now()
        signed_at, header = self._kept.get(origin, (now, ""))
        if not header or now - signed_at >= KEPT_FOR:
            claims = {
                "aud": origin,
                "exp": int((now + VALID_FOR).timestamp()),
                "sub": self.subject,
            }
            header = self._signer.sign(claims)["Authorization"]
            for old in [one for one, (at, _header) in self._kept.items() if now - at >= KEPT_FOR]:
                del self._kept[old]
            self._kept[origin] = now, header
        return header


def read_keys(settings: Settings) -> VapidKeys:
    """The keys of the settings, or those in `DATA_DIR`. Raises SettingError for what is wrong."""
    if settings.vapid_public_key and not settings.vapid_private_key:
        raise SettingError(_("VAPID_PUBLIC_KEY is set, but VAPID_PRIVATE_KEY is not."))
    private = settings.vapid_private_key or kept_secret(
        settings.data_dir / "vapid_private_key", lambda: fresh_pair()[1]
    )
    # Not strict: the library knows only some of the subjects that RFC 8292 allows; we look ourselves.
    signer = Vapid02(_private_key(private), conf={"no-strict": True})
    public = encode(_point(signer.private_key))
    if settings.vapid_public_key:
        _require_pair(settings.vapid_public_key, public)
    return VapidKeys(public, _subject(settings), signer)


def vapid_keys_of(session: AsyncSession) -> VapidKeys:
    """The key pair of the installation that opened this session."""
    keys: VapidKeys = session.info["vapid_keys"]
    return keys


def fresh_pair() -> tuple[str, str]:
    """A new public and private key, as VAPID_PUBLIC_KEY and VAPID_PRIVATE_KEY take them."""
    key = ec.generate_private_key(ec.SECP256R1())
    return encode(_point(key)), encode(key.private_numbers().private_value.to_bytes(32, "big"))


def _private_key(text: str) -> ec.EllipticCurvePrivateKey:
    raw = decode(text)
    try:
        if len(raw) == 32:
            return ec.derive_private_key(int.from_bytes(raw, "big"), ec.SECP256R1())
    except ValueError:  # beyond the order of the curve
        pass
    sentence = _("VAPID_PRIVATE_KEY must be 32 bytes as base64url, 43 characters. {hint}")
    raise SettingError(sentence.format(hint=_hint()))


def _require_pair(given: str, public: str) -> None:
    point = decode(given)
    if len(point) != 65 or point[0] != 4:
        sentence = _(
            "VAPID_PUBLIC_KEY must be an uncompressed point as base64url, 87 characters. {hint}"
        )
        raise SettingError(sentence.format(hint=_hint()))
    if point != decode(public):
        sentence = _("VAPID_PUBLIC_KEY and VAPID_PRIVATE_KEY are not a pair. {hint}")
        raise SettingError(sentence.format(hint=_hint()))


def _hint() -> str:
    return _("`python -m app vapid-keys` prints a fresh pair.")


def _subject(settings: Settings) -> str:
    subject = settings.vapid_email or _own_subject(settings)
    if not _is_contact(subject):
        sentence = _("VAPID_EMAIL must be like mailto:admin@example.com or https://example.com.")
        raise SettingError(sentence)
    return subject


def _is_contact(uri: str) -> bool:
    if uri.startswith("mailto:"):
        return is_email_address(uri.removeprefix("mailto:"))
    return re.fullmatch(r"https://[^\s/@]+(/\S*)?", uri) is not None


def _own_subject(settings: Settings) -> str:
    """Some services refuse a subject at localhost; `.invalid` is nobody's, and says so (RFC 2606)."""
    domain = settings.smtp_from_email.rpartition("@")[2]
    host = urlsplit(settings.base_url).hostname or ""
    if "." in domain:
        return f"mailto:{settings.smtp_from_email}"
    if settings.is_https and "." in host:
        return f"https://{host}"
    return "mailto:operator@clippyfront.invalid"


def _point(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
