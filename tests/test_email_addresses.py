"""Which email addresses are taken, wherever one is typed, sent or set."""

import re

import httpx
import pytest

from app.account_lifecycle.onboarding import change_address
from app.cli.doctor import run_checks
from app.database import Database
from app.email_addresses import EMAIL_PATTERN, is_email_address, mailbox_of
from app.errors import Invalid
from app.models import Team, User
from app.notifications.channels.base import ERROR
from app.notifications.channels.push.vapid_keys import read_keys
from app.settings import SettingError, Settings, load
from app.teams.invitations import invite
from tests.conftest import post
from tests.factories import PASSWORD

LOCAL_64 = "x" * 64
LABEL_63 = "d" * 63
DOMAIN_189 = ".".join([LABEL_63, "d" * 62, "d" * 62])

RIGHT = [
    "name@example.com",
    "a@b",
    "clippyfront@localhost",
    "first.last@example.com",
    "a.b.c.d@example.com",
    "tag+filter@example.com",
    "!#$%&'*+/=?^_`{|}~-@example.com",
    "1@2.example",
    "a@x--y.example",
    "a@xn--bcher-kva.example",
    f"{LOCAL_64}@example.com",
    f"a@{LABEL_63}.com",
    f"{LOCAL_64}@{DOMAIN_189}",
]
WRONG_ONES = [
    "",
    "name",
    "@",
    "@example.com",
    "name@",
    "a..b@example.com",
    ".a@example.com",
    "a.@example.com",
    "a@b@example.com",
    "a@example..com",
    "a@.example.com",
    "a@example.com.",
    "a@-example.com",
    "a@example-.com",
    "a@exam_ple.com",
    "a b@example.com",
    " a@example.com",
    "a@example.com ",
    "a@example.com\n",
    "a@example.com\r\nBcc: carol@example.com",
    "a,b@example.com",
    "<a@example.com>",
    "Alice <a@example.com>",
    '"a b"@example.com',
    "a@[127.0.0.1]",
    "ä@example.com",
    "a@exämple.com",
    f"x{LOCAL_64}@example.com",
    ".".join("x" * 33) + "@example.com",
    f"a@d{LABEL_63}.com",
    f"{LOCAL_64}@{DOMAIN_189}x",
]


@pytest.mark.parametrize("address", RIGHT)
def test_an_address_that_mail_can_be_sent_to_is_right(address: str) -> None:
    assert is_email_address(address)
    assert re.fullmatch(EMAIL_PATTERN, address), "the API document says otherwise"


@pytest.mark.parametrize("address", WRONG_ONES)
def test_any_other_text_is_wrong(address: str) -> None:
    assert not is_email_address(address)


async def test_two_dots_in_a_row_are_refused_by_registration(client: httpx.AsyncClient) -> None:
    answer = await post(
        client, "/register", username="dora", email="a..b@example.com", password=PASSWORD
    )

    assert answer.status_code == 422
    assert "Enter a complete email address" in answer.text


async def test_two_dots_in_a_row_are_refused_by_an_invitation(
    db: Database, alice: User, video_squad: Team
) -> None:
    with pytest.raises(Invalid) as caught:
        async with db.act() as session:
            await invite(session, alice, video_squad.id, "a..b@example.com", "viewer")

    assert list(caught.value.fields) == ["email"]


async def test_two_dots_in_a_row_are_refused_by_a_change_of_address(
    db: Database, settings: Settings, alice: User
) -> None:
    with pytest.raises(Invalid) as caught:
        await change_address(db, settings, alice, email="a..b@example.com", password=PASSWORD)

    assert list(caught.value.fields) == ["email"]


@pytest.mark.parametrize("name", ["SMTP_FROM_EMAIL", "VAPID_EMAIL"])
async def test_two_dots_in_a_row_are_refused_by_the_settings(settings: Settings, name: str) -> None:
    prefix = "mailto:" if name == "VAPID_EMAIL" else ""

    with pytest.raises(SettingError, match=name):
        read_keys(load({"DATA_DIR": str(settings.data_dir), name: f"{prefix}a..b@example.com"}))


async def test_two_dots_in_a_row_are_refused_by_the_doctor(settings: Settings) -> None:
    results = await run_checks(settings, mail_to="a..b@example.com")

    [test_mail] = [one for one in results if one.check == "test mail"]
    assert test_mail.status == ERROR
    assert list(settings.mail_dir.glob("*")) == []


@pytest.mark.parametrize(
    ("address", "mailbox"),
    [
        ("Bob@Example.COM", "bob@example.com"),
        ("bob+teams+2@example.com", "bob@example.com"),
        ("+bob@example.com", "+bob@example.com"),
        ("b.o.b@example.com", "b.o.b@example.com"),
        ("b.o.b+1@GoogleMail.com", "bob@gmail.com"),
    ],
)
def test_spellings_of_one_mailbox_are_one(address: str, mailbox: str) -> None:
    assert mailbox_of(address) == mailbox
