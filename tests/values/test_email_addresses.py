"""Which email addresses are taken, wherever one is typed, sent or set."""

import re

import httpx
import pytest

from app.account_lifecycle.onboarding import change_address
from app.accounts.tokens import create_token
from app.cli.doctor import run_checks
from app.database import Database
from app.errors import Invalid
from app.models import Team, User
from app.notifications.channels.base import ERROR
from app.notifications.channels.push.vapid_keys import read_keys
from app.notifications.inbox import feed
from app.settings import SettingError, Settings, load
from app.teams.invitations import invite
from app.values.email_addresses import (
    EMAIL_PATTERN,
    address_key,
    ascii_address,
    email_error,
    is_email_address,
    mailbox_of,
    readable_address,
)
from tests.application import browser, serving
from tests.conftest import post
from tests.factories import PASSWORD, make_account
from tests.mailing import deliver_mail
from tests.postoffice import PostOffice

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
    "alice@bücher.example",
    "alice@Bücher.Example",
    "a@例え。テスト",
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
    "a@b\u200bücher.example",
    "a@-ü.example",
    "a@ü_b.example",
    "a@♥.example",
    "a@" + "ü" * 64 + ".example",
    "a@" + "ü" * 60_000,
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


@pytest.mark.parametrize(
    ("address", "ascii"),
    [
        ("Alice@Bücher.example", "Alice@xn--bcher-kva.example"),
        ("alice@xn--BCHER-kva.example", "alice@xn--BCHER-kva.example"),
        ("alice@straße.example", "alice@xn--strae-oqa.example"),
        ("a@例え。テスト", "a@xn--r8jz45g.xn--zckzah"),
        ("alice@EXAMPLE.com", "alice@EXAMPLE.com"),
        ("alice", "alice"),
    ],
)
def test_mail_servers_read_a_domain_in_ascii(address: str, ascii: str) -> None:
    assert ascii_address(address) == ascii


@pytest.mark.parametrize(
    "spelling",
    ["ALICE@BÜCHER.EXAMPLE", "alice@xn--bcher-kva.example", "alice@bu\u0308cher.example"],
)
def test_spellings_of_one_address_have_one_key(spelling: str) -> None:
    assert address_key(spelling) == address_key("alice@bücher.example")
    assert mailbox_of(spelling) == mailbox_of("alice+films@bücher.example")


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("alice@xn--bcher-kva.example", "alice@bücher.example"),
        ("alice@bücher.example", "alice@bücher.example"),
        ("alice@XN--nonsense-.example", "alice@XN--nonsense-.example"),
        ("Alice@Example.com", "Alice@Example.com"),
        ("a@x--y.example", "a@x--y.example"),
        ("alice", "alice"),
        ("", ""),
    ],
)
def test_a_page_shows_a_domain_in_its_own_script(address: str, shown: str) -> None:
    assert readable_address(address) == shown


@pytest.mark.parametrize("login", ["Ünal", "a@♥.example", "@", ""])
def test_text_that_is_no_address_has_a_key_nevertheless(login: str) -> None:
    assert address_key(login) == login.casefold()


@pytest.mark.parametrize(
    ("address", "sentence"),
    [
        ("alice", "Enter a complete email address"),
        ("älice@example.com", "Before the @"),
        ("a lice@example.com", "Enter a complete email address"),
        ("alice@gmail", "No email can be sent to “gmail”"),
        ("alice@192.168.0.1", "No email can be sent to “192.168.0.1”"),
        ("alice@clips.invalid", "No email can be sent to “clips.invalid”"),
        ("alice@localhost", ""),
        ("alice@bücher.example", ""),
        ("1@2.example", ""),
    ],
)
def test_an_invalid_address_gets_a_specific_error(address: str, sentence: str) -> None:
    assert email_error(address).startswith(sentence)
    assert bool(email_error(address)) == bool(sentence)


BAD_ONES = ["a..b@example.com", "älice@example.com", "alice@gmail"]


@pytest.mark.parametrize("address", BAD_ONES)
async def test_the_api_names_the_field_of_a_bad_address(
    client: httpx.AsyncClient, db: Database, alice: User, video_squad: Team, address: str
) -> None:
    async with db.write() as session:
        _token, key = await create_token(session, alice, name="A program", scope="write")
    url, body = f"/api/teams/{video_squad.id}/invitations", {"email": address, "role": "viewer"}

    answer = await client.post(url, json=body, headers={"Authorization": f"Bearer {key}"})

    assert answer.status_code == 400
    assert [one["field"] for one in answer.json()["errors"]] == ["email"]


@pytest.mark.parametrize("address", BAD_ONES)
async def test_the_page_for_a_forgotten_password_reports_an_invalid_address(
    client: httpx.AsyncClient, address: str
) -> None:
    answer = await post(client, "/forgot", email=address)

    assert answer.status_code == 422
    assert re.search(rf'name="email"[^>]* value="{re.escape(address)}" aria-invalid', answer.text)


async def test_an_address_in_another_script_is_registered_mailed_and_logged_in_with(
    db: Database, mailing: Settings, office: PostOffice
) -> None:
    fields = {"username": "dora", "email": "dora@bücher.example", "password": PASSWORD}
    async with serving(mailing) as app, browser(app) as client:
        await post(client, "/register", **fields)
        await deliver_mail(db, mailing)
        client.cookies.clear()

        answers = [
            await post(client, "/login", login=login, password=PASSWORD)
            for login in ("dora@bücher.example", "DORA@xn--bcher-kva.example")
        ]

    assert office.envelopes == office.recipients == ["dora@xn--bcher-kva.example"]
    assert [answer.status_code for answer in answers] == [303, 303]


async def test_an_account_is_invited_by_either_spelling_of_its_address(
    db: Database, alice: User, video_squad: Team
) -> None:
    dora = await make_account(db, "dora", email="dora@bücher.example")

    async with db.act() as session:
        await invite(session, alice, video_squad.id, "dora@xn--bcher-kva.example", "viewer")

    async with db.read() as session:
        assert await feed.unread_count(session, dora.id) == 1


async def test_the_address_that_mail_is_sent_from_is_written_in_ascii(settings: Settings) -> None:
    environ = {"DATA_DIR": str(settings.data_dir), "SMTP_FROM_EMAIL": "clips@bücher.example"}

    assert load(environ).smtp_from_email == "clips@xn--bcher-kva.example"


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
