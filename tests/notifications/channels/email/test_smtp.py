"""Mail through a real server: each mail gets the right outcome for every reply."""

import asyncio
from datetime import timedelta

import pytest

from app import clock
from app.broker.relay import ProcessRelay
from app.database import Database
from app.models import Team, User
from app.notifications.channels.email.channel import Email
from app.notifications.delivery.scheduler import watch_outages
from app.notifications.events.event_type import EMAIL
from app.process.cancellation import end
from app.settings import Settings
from tests.certificates import Authority
from tests.factories import make_team
from tests.mailing import deliver_mail, deliveries, email, make_due, share, write
from tests.notifications.conftest import Hands
from tests.postoffice import (
    DROP,
    GARBLED,
    HANG,
    PASSWORD,
    TAKE_AND_DROP,
    PostOffice,
    open_office,
)

NOW = timedelta(0)
A_MINUTE = timedelta(minutes=1)


def hasty(settings: Settings) -> Email:
    return email(settings, timeout=0.3)


@pytest.fixture
def trust(authority: Authority, monkeypatch: pytest.MonkeyPatch) -> Authority:
    """As an operator does with an authority of their own: OpenSSL reads this variable."""
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.path))
    return authority


@pytest.mark.parametrize(
    # "outage": the server was not reached; "trouble": it was, but not for long.
    ("command", "answer", "state", "matter"),
    [
        ("RCPT", "250 OK", "sent", ""),
        ("RCPT", "251 Will forward", "sent", ""),
        ("RCPT", "451 4.7.1 Greylisted, come again", "pending", ""),
        ("RCPT", "452 4.2.2 Mailbox full", "pending", ""),
        ("RCPT", "550 No such person", "failed", ""),
        ("RCPT", "530 5.7.0 Log in first", "pending", "trouble"),
        ("RCPT", "421 Shutting down", "pending", "trouble"),
        ("RCPT", HANG, "pending", "trouble"),
        ("RCPT", DROP, "pending", "trouble"),
        ("MAIL", "451 Too busy", "pending", "outage"),
        ("MAIL", "550 5.7.1 You may not send as this address", "pending", "outage"),
        ("MAIL", "421 Shutting down", "pending", "outage"),
        ("MAIL", HANG, "pending", "outage"),
        ("DATA", "451 Try again", "pending", ""),
        ("DATA", "452 Disk full", "pending", ""),
        ("DATA", "554 5.7.1 Looks like spam", "failed", ""),
        ("DATA", "421 Shutting down", "pending", "trouble"),
        ("DATA", HANG, "pending", "trouble"),
        ("DATA", GARBLED, "pending", "trouble"),
        ("DATA", TAKE_AND_DROP, "pending", "trouble"),
    ],
)
async def test_each_answer_ends_as_it_should(
    db: Database,
    settings: Settings,
    office: PostOffice,
    hands: Hands,
    shortest_pauses: None,
    command: str,
    answer: str,
    state: str,
    matter: str,
) -> None:
    hands.set("2026-11-23 10:00")
    office.answers[command] = [answer]
    await write(db, "alice@example.com", "bob@example.com")

    await deliver_mail(db, office.settings(settings), hasty(office.settings(settings)))

    row, other = await deliveries(db)
    assert (row.state, row.attempts) == (state, 1)
    assert row.reason == ("outage" if matter == "outage" else None)
    assert (other.attempts, other.reason) == ((0, "outage") if matter else (1, None))
    if answer[0].isdigit() and state != "sent":
        assert (row.host, f"{row.status_code} {row.detail}") == ("localhost", answer)
    if state == "pending":
        assert row.due_at == clock.now() + A_MINUTE


@pytest.mark.parametrize(
    ("answer", "is_gone"),
    [
        ("550 No such person", True),
        ("550 5.1.1 User unknown", True),
        ("550 5.1.10 Null MX", True),
        ("553 5.1.3 Bad address", True),
        ("551 User not local", True),
        ("550 5.2.1 Mailbox disabled", True),
        ("552 5.2.2 Mailbox full", False),
        ("550 5.7.1 Not from your network", False),
        ("554 5.7.1 Relay access denied", False),
        ("554 Transaction failed", False),
        ("451 4.1.1 Perhaps later", False),
    ],
)
async def test_only_an_address_that_does_not_exist_is_given_up(
    db: Database, settings: Settings, alice: User, office: PostOffice, answer: str, is_gone: bool
) -> None:
    office.answers["RCPT"] = [answer]
    await write(db, user_id=alice.id)

    await deliver_mail(db, office.settings(settings))

    async with db.read() as session:
        account = await session.get_one(User, alice.id)
    assert (account.email_gone_at is not None) is is_gone


async def test_an_address_given_up_gets_no_further_mail(
    db: Database, settings: Settings, alice: User, bob: User, office: PostOffice
) -> None:
    team = await make_team(db, alice, editors=[bob])
    await share(db, alice, team, "First")
    office.answers["RCPT"] = ["550 5.1.1 User unknown", "250 OK"]
    await make_due(db)
    await deliver_mail(db, office.settings(settings))

    await share(db, alice, team, "Second")

    assert [row.state for row in await deliveries(db)] == ["failed"]


async def test_one_refused_recipient_does_not_concern_the_next(
    db: Database, settings: Settings, office: PostOffice
) -> None:
    office.answers["RCPT"] = ["250 OK", "550 No such person", "451 Later", "250 OK"]
    office.answers["DATA"] = ["554 Spam", "250 OK"]
    await write(db, *(f"{name}@example.com" for name in ("spam", "nobody", "later", "bob")))

    await deliver_mail(db, office.settings(settings))

    assert [row.state for row in await deliveries(db)] == ["failed", "failed", "pending", "sent"]
    assert (office.recipients, office.connections) == (["bob@example.com"], 1)


async def test_an_unwritable_address_does_not_affect_the_others(
    db: Database, settings: Settings, office: PostOffice
) -> None:
    await write(db, "alice@example.com")
    await write(db, "nobody@example.com", name="no_such_mail")
    await write(db, "bob@example.com")

    await deliver_mail(db, office.settings(settings))

    assert [row.state for row in await deliveries(db)] == ["sent", "failed", "sent"]
    assert office.recipients == ["alice@example.com", "bob@example.com"]
    assert (office.envelopes, office.connections) == (office.recipients, 1)


async def test_one_connection_serves_many_mails(
    db: Database, settings: Settings, office: PostOffice
) -> None:
    await write(db, *(f"person{number}@example.com" for number in range(20)))

    assert await deliver_mail(db, office.settings(settings)) == 20

    assert (len(office.taken), office.connections) == (20, 1)


async def test_a_kept_connection_that_the_server_ends_is_replaced(
    db: Database, settings: Settings, office: PostOffice
) -> None:
    office.answers["MAIL"] = ["250 OK", "421 Enough for now", "250 OK", DROP, "250 OK"]
    await write(db, *(f"person{number}@example.com" for number in range(4)))

    await deliver_mail(db, office.settings(settings))

    assert [row.state for row in await deliveries(db)] == ["sent"] * 4
    assert (sum(office.ids.values()), office.connections) == (4, 3)


async def test_every_line_can_travel_by_any_server(
    db: Database, settings: Settings, office: PostOffice
) -> None:
    """RFC 5321, 4.5.3.1.6 and RFC 6152: short lines, and no more than seven bits."""
    await write(db, username="Zoë " * 400)

    await deliver_mail(db, office.settings(settings))

    [content] = office.taken
    assert max(len(line) for line in content.split(b"\r\n")) < 1000
    assert content.isascii()
    body = office.mails[0].get_body(("plain",))
    assert body is not None
    assert "Zoë" in body.get_content()


@pytest.mark.parametrize("is_implicit", [False, True])
async def test_mail_goes_encrypted_and_with_a_login(
    db: Database, settings: Settings, trust: Authority, is_implicit: bool
) -> None:
    async with open_office(
        context=trust.server, is_implicit=is_implicit, wants_login=True
    ) as office:
        await write(db)
        await deliver_mail(db, office.settings(settings))

        assert [row.state for row in await deliveries(db)] == ["sent"]
        assert office.recipients == ["alice@example.com"]


@pytest.mark.parametrize("is_implicit", [False, True])
async def test_a_server_with_a_certificate_nobody_vouches_for_gets_nothing(
    db: Database, settings: Settings, authority: Authority, is_implicit: bool
) -> None:
    async with open_office(context=authority.server, is_implicit=is_implicit) as office:
        await write(db)
        await deliver_mail(db, office.settings(settings))

        [row] = await deliveries(db)
        assert (row.state, row.reason) == ("pending", "outage")
        assert (row.failure, row.host) == ("unreachable", "localhost")
        assert "CERTIFICATE_VERIFY_FAILED" in str(row.detail)
        assert office.taken == []


async def test_mail_never_goes_in_clear_where_starttls_was_asked_for(
    db: Database, settings: Settings, office: PostOffice
) -> None:
    await write(db)

    await deliver_mail(db, office.settings(settings, smtp_tls="starttls"))

    [row] = await deliveries(db)
    assert (row.state, row.reason) == ("pending", "outage")
    assert office.taken == []


async def test_a_wrong_password_keeps_the_queue(db: Database, settings: Settings) -> None:
    async with open_office(wants_login=True) as office:
        await write(db)
        await deliver_mail(db, office.settings(settings, smtp_password="wrong"))
        [row] = await deliveries(db)
        assert (row.state, row.reason) == ("pending", "outage")
        assert (row.failure, row.status_code) == ("refused", 535)

        await make_due(db)
        await deliver_mail(db, office.settings(settings, smtp_password=PASSWORD))

        assert [row.state for row in await deliveries(db)] == ["sent"]


async def test_after_a_lost_reply_the_same_mail_goes_again(
    db: Database, settings: Settings, office: PostOffice, video_squad: Team, bob: User
) -> None:
    office.answers["DATA"] = [TAKE_AND_DROP, "250 OK"]
    await write(db)
    await deliver_mail(db, office.settings(settings))
    await make_due(db)
    await deliver_mail(db, office.settings(settings))

    assert [row.state for row in await deliveries(db)] == ["sent"]
    assert list(office.ids.values()) == [2]


async def test_a_server_gone_for_a_while_gets_every_mail_once(
    db: Database, settings: Settings, office: PostOffice
) -> None:
    addresses = [f"person{number}@example.com" for number in range(30)]
    office.answers["DATA"] = [*["250 OK"] * 9, HANG]
    await write(db, *addresses)
    reached = office.settings(settings)
    await deliver_mail(db, reached, hasty(reached))
    await office.stop()
    for _ in range(3):
        await make_due(db)
        await deliver_mail(db, reached, hasty(reached))
    office.answers.clear()
    await office.start()

    await make_due(db)
    await deliver_mail(db, reached)

    assert sorted(office.recipients) == sorted(addresses)
    assert set(office.ids.values()) == {1}
    rows = await deliveries(db)
    assert {row.state for row in rows} == {"sent"}
    assert sum(row.attempts for row in rows) <= 30 + 4


async def test_mail_waiting_for_the_server_is_sent_as_soon_as_it_is_back(
    db: Database, settings: Settings, office: PostOffice
) -> None:
    addresses = [f"person{number}@example.com" for number in range(5)]
    await write(db, *addresses)
    reached = office.settings(settings)
    await office.stop()
    await deliver_mail(db, reached)
    await office.start()
    assert await deliver_mail(db, reached) == 0

    await have_outages_watched(db, reached)

    assert await deliver_mail(db, reached) == 5
    assert sorted(office.recipients) == addresses


async def test_a_server_that_still_refuses_us_costs_no_attempts(
    db: Database, settings: Settings, office: PostOffice
) -> None:
    office.answers["MAIL"] = ["550 5.7.1 You may not send as this address"]
    await write(db, "one@example.com", "two@example.com")
    await deliver_mail(db, office.settings(settings))

    await have_outages_watched(db, office.settings(settings))

    assert await deliver_mail(db, office.settings(settings)) == 0
    assert sorted(row.attempts for row in await deliveries(db)) == [0, 1]


async def have_outages_watched(db: Database, settings: Settings) -> None:
    """For a moment, as the worker does all the time."""
    relay = ProcessRelay()
    watching = asyncio.create_task(watch_outages(db, {EMAIL: email(settings)}, relay, seconds=0.05))
    await asyncio.sleep(0.5)
    await end(watching)
