"""Keys for browser push: made once, or given and checked."""

import stat
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from py_vapid import Vapid02

from app import clock
from app.__main__ import COMMANDS as HELP
from app.cli.commands import COMMANDS
from app.notifications.channels.push.base64url import decode, encode
from app.notifications.channels.push.vapid_keys import fresh_pair, read_keys
from app.settings import SettingError, Settings, load
from tests.factories import SECRET_KEY
from tests.push_service import claims_of

PUBLIC, PRIVATE = fresh_pair()
FCM = "https://fcm.googleapis.com"


def with_keys(settings: Settings, **environ: str) -> Settings:
    return load({"DATA_DIR": str(settings.data_dir), "SECRET_KEY": SECRET_KEY, **environ})


@pytest.mark.sqlite  # with PostgreSQL the keys are in the database
def test_a_pair_is_made_once_and_kept_for_its_owner_alone(settings: Settings) -> None:
    first, second = read_keys(settings), read_keys(settings)

    kept = settings.data_dir / "vapid_private_key"
    assert first.public == second.public
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600


def test_browsers_take_the_public_key_as_it_is(settings: Settings) -> None:
    public = read_keys(settings).public

    assert len(public) == 87
    assert len(decode(public)) == 65
    ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), decode(public))


def test_the_command_prints_a_pair_that_the_settings_take(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    COMMANDS["vapid-keys"]([])

    lines = dict(line.split("=", 1) for line in capsys.readouterr().out.split())
    keys = read_keys(with_keys(settings, **lines))

    assert lines.keys() == {"VAPID_PUBLIC_KEY", "VAPID_PRIVATE_KEY"}
    assert keys.public == lines["VAPID_PUBLIC_KEY"]
    assert "vapid-keys" in HELP


@pytest.mark.parametrize(
    "given",
    [
        {"VAPID_PRIVATE_KEY": PRIVATE},
        {"VAPID_PRIVATE_KEY": PRIVATE, "VAPID_PUBLIC_KEY": PUBLIC},
        {"VAPID_PRIVATE_KEY": PRIVATE + "=", "VAPID_PUBLIC_KEY": PUBLIC + "="},
        {
            "VAPID_PRIVATE_KEY": PRIVATE.replace("-", "+").replace("_", "/"),
            "VAPID_PUBLIC_KEY": PUBLIC.replace("-", "+").replace("_", "/"),
        },
    ],
    ids=["private alone", "both", "padded", "the other alphabet"],
)
def test_given_keys_are_used(settings: Settings, given: dict[str, str]) -> None:
    keys = read_keys(with_keys(settings, **given))

    assert keys.public == PUBLIC
    assert not (settings.data_dir / "vapid_private_key").exists()


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"VAPID_PUBLIC_KEY": PUBLIC}, "VAPID_PRIVATE_KEY is not"),
        ({"VAPID_PRIVATE_KEY": "secret"}, "VAPID_PRIVATE_KEY must be 32 bytes"),
        ({"VAPID_PRIVATE_KEY": PRIVATE[:-2]}, "VAPID_PRIVATE_KEY must be 32 bytes"),
        ({"VAPID_PRIVATE_KEY": PUBLIC}, "VAPID_PRIVATE_KEY must be 32 bytes"),
        ({"VAPID_PRIVATE_KEY": encode(bytes(32))}, "VAPID_PRIVATE_KEY must be 32 bytes"),
        ({"VAPID_PRIVATE_KEY": encode(b"\xff" * 32)}, "VAPID_PRIVATE_KEY must be 32 bytes"),
        ({"VAPID_PRIVATE_KEY": "-----BEGIN PRIVATE KEY-----"}, "must be 32 bytes"),
        ({"VAPID_PRIVATE_KEY": PRIVATE, "VAPID_PUBLIC_KEY": PRIVATE}, "VAPID_PUBLIC_KEY must be"),
        ({"VAPID_PRIVATE_KEY": PRIVATE, "VAPID_PUBLIC_KEY": fresh_pair()[0]}, "not a pair"),
        ({"VAPID_EMAIL": "admin@example.com"}, "VAPID_EMAIL must look like mailto:"),
        ({"VAPID_EMAIL": "mailto:"}, "VAPID_EMAIL must look like mailto:"),
        ({"VAPID_EMAIL": "mailto:admin"}, "VAPID_EMAIL must look like mailto:"),
        ({"VAPID_EMAIL": "mailto:a@b.c d"}, "VAPID_EMAIL must look like mailto:"),
        ({"VAPID_EMAIL": "http://example.com"}, "VAPID_EMAIL must look like mailto:"),
    ],
)
def test_invalid_keys_are_refused_with_a_sentence(
    settings: Settings, given: dict[str, str], named: str
) -> None:
    with pytest.raises(SettingError, match=named):
        read_keys(with_keys(settings, **given))


@pytest.mark.parametrize(
    ("given", "subject"),
    [
        ({"VAPID_EMAIL": "mailto:admin@example.com"}, "mailto:admin@example.com"),
        ({"VAPID_EMAIL": "https://example.com/contact"}, "https://example.com/contact"),
        ({"SMTP_FROM_EMAIL": "app@example.com"}, "mailto:app@example.com"),
        ({"BASE_URL": "https://clips.example.com:8443"}, "https://clips.example.com"),
        ({}, "mailto:operator@clippyfront.invalid"),
    ],
)
def test_services_learn_whom_to_ask(
    settings: Settings, given: dict[str, str], subject: str
) -> None:
    keys = read_keys(with_keys(settings, **given))

    assert claims_of(keys.authorization(FCM))["sub"] == subject


def test_the_signature_is_right_and_for_one_service(settings: Settings) -> None:
    keys = read_keys(settings)
    header = keys.authorization(FCM)

    claims = claims_of(header)
    assert Vapid02.verify(header)
    assert claims["aud"] == FCM
    assert claims_of(keys.authorization("https://a.example"))["aud"] == "https://a.example"
    hours = (claims["exp"] - clock.now().timestamp()) / 3600
    assert 11.9 < hours <= 12


def test_a_signature_is_kept_for_eleven_hours(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys, begun = read_keys(settings), clock.now()
    first = keys.authorization(FCM)

    monkeypatch.setattr(clock, "now", lambda: begun + timedelta(hours=10, minutes=59))
    assert keys.authorization(FCM) == first

    monkeypatch.setattr(clock, "now", lambda: begun + timedelta(hours=11, minutes=1))
    assert keys.authorization(FCM) != first
