"""The key pair that identifies this installation to push services (VAPID, RFC 8292).

It comes from the settings, or is generated once and kept (app/database/keys.py). A subscription is
bound to one public key. After the key changes, our pages subscribe each browser again at its next
visit.
"""

import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from py_vapid import Vapid02
from sqlalchemy.ext.asyncio import AsyncSession

from app import clock
from app.database.keys import VAPID_PRIVATE_KEY, kept_key
from app.language import _
from app.notifications.channels.push.base64url import decode, encode
from app.settings import SettingError, Settings, authority_of
from app.values.email_addresses import ascii_address, is_email_address

# RFC 8292 allows 24 hours. Services may reject tokens renewed too often, so we reuse each one.
VALID_FOR = timedelta(hours=12)
KEPT_FOR = timedelta(hours=11)


@dataclass(frozen=True)
class VapidKeys:
    """`public` is the applicationServerKey for browsers: 65 bytes, 87 characters in base64url.

    `subject` is the contact that push services can turn to about this installation.
    """

    public: str
    subject: str
    _signer: Vapid02
    _kept: dict[str, tuple[datetime, str]] = field(default_factory=dict)

    def authorization(self, origin: str) -> str:
        """The Authorization header for one push service, `https://host[:port]`. It is signed again
        every 11 hours.

        Raises VapidException for an invalid origin.
        """
        now = clock.now()
        signed_at, header = self._kept.get(origin, (now, ""))
        if not header or _is_outdated(signed_at, now):
            claims = {
                "aud": origin,
                "exp": int((now + VALID_FOR).timestamp()),
                "sub": self.subject,
            }
            header = self._signer.sign(claims)["Authorization"]
            expired = [key for key, (at, _header) in self._kept.items() if _is_outdated(at, now)]
            for key in expired:
                del self._kept[key]
            self._kept[origin] = now, header
        return header


def _is_outdated(signed_at: datetime, now: datetime) -> bool:
    """Also true if it was signed in the future, while the clock was ahead: services would refuse
    it.
    """
    return not timedelta(0) <= now - signed_at < KEPT_FOR


def read_keys(settings: Settings) -> VapidKeys:
    """The keys from the settings, or those kept. Raises SettingError for invalid settings."""
    _require_private_key(settings)
    kept = settings.vapid_private_key or kept_key(
        settings, VAPID_PRIVATE_KEY, lambda: fresh_pair()[1]
    )
    return _keys(settings, kept)


def check_settings(settings: Settings) -> None:
    """Raises SettingError where `read_keys` would, and writes nothing."""
    _require_private_key(settings)
    _keys(settings, settings.vapid_private_key or fresh_pair()[1])


def _require_private_key(settings: Settings) -> None:
    if settings.vapid_public_key and not settings.vapid_private_key:
        raise SettingError(_("VAPID_PUBLIC_KEY is set, but VAPID_PRIVATE_KEY is not."))


def _keys(settings: Settings, private: str) -> VapidKeys:
    # Not strict: the library rejects some subjects that RFC 8292 allows, so `_subject` validates.
    signer = Vapid02(_private_key(private), conf={"no-strict": True})
    public = encode(_point(signer.private_key))
    if settings.vapid_public_key:
        _require_pair(settings.vapid_public_key, public)
    return VapidKeys(public, _subject(settings), signer)


def vapid_keys_of(session: AsyncSession) -> VapidKeys:
    """The key pair of the installation that this database session belongs to."""
    keys: VapidKeys = session.info["vapid_keys"]
    return keys


def fresh_pair() -> tuple[str, str]:
    """A new public and private key, in the format of VAPID_PUBLIC_KEY and VAPID_PRIVATE_KEY."""
    key = ec.generate_private_key(ec.SECP256R1())
    return encode(_point(key)), encode(key.private_numbers().private_value.to_bytes(32, "big"))


def _private_key(text: str) -> ec.EllipticCurvePrivateKey:
    raw = decode(text)
    try:
        if len(raw) == 32:
            return ec.derive_private_key(int.from_bytes(raw, "big"), ec.SECP256R1())
    except ValueError:  # zero, or beyond the order of the curve
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
    subject = settings.vapid_email or _default_subject(settings)
    if not _is_contact(subject):
        sentence = _("VAPID_EMAIL must look like mailto:admin@example.com or https://example.com.")
        raise SettingError(sentence)
    return ascii_address(subject) if subject.startswith("mailto:") else subject


def _is_contact(uri: str) -> bool:
    if uri.startswith("mailto:"):
        return is_email_address(uri.removeprefix("mailto:"))
    return re.fullmatch(r"https://[^\s/@]+(/\S*)?", uri) is not None


def _default_subject(settings: Settings) -> str:
    """Some services reject a subject at localhost; `.invalid` is reserved (RFC 2606)."""
    domain = settings.smtp_from_email.rpartition("@")[2]
    host = authority_of(settings.base_url).host
    if "." in domain:
        return f"mailto:{settings.smtp_from_email}"
    if settings.is_https and "." in host:
        return f"https://{host}"
    return "mailto:operator@clippyfront.invalid"


def _point(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
