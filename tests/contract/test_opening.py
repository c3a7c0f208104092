"""CONTRACT section 5, "Opening is reading": the bell, the mail and the push after each way to a notice.

Types, links and buttons come from the catalogue, so a new type is covered as soon as it is there.
"""

import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from functools import partial
from html import unescape
from typing import Any

import httpx
import pytest
import pytest_asyncio
from litestar import Litestar
from sqlalchemy import select

from app import clock
from app.database import Database
from app.models import (
    Clip,
    Compilation,
    Delivery,
    Invitation,
    Notification,
    Project,
    PushSubscription,
    Team,
    User,
    WebSession,
)
from app.notifications.channels.email.notification_mail import write_mail
from app.notifications.channels.push.message import PushWriter
from app.notifications.channels.push.vapid_keys import vapid_keys_of
from app.notifications.delivery.decision import READ, SEND, Decision, Skip, decide_all
from app.notifications.events.audience import affected_only, personally
from app.notifications.events.catalogue import TYPES
from app.notifications.events.event_type import EMAIL, IN_APP, PUSH, EventType
from app.notifications.events.notices import Notice
from app.notifications.inbox import acts
from app.notifications.inbox.selection import Selection
from app.notifications.notify import notify
from app.rendering import render
from app.teams.invitation_links import invitation_path
from tests.application import browser
from tests.bell import newest_notices
from tests.contract.cast import Person, sign_in
from tests.contract.markup import unread_on
from tests.factories import make_account, make_team
from tests.switching import set_switch

BASE = "http://testserver"
CLICK = {"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
FROM_A_PAGE = CLICK | {"Sec-Fetch-Site": "same-origin"}
PARTIAL = {"HX-Request": "true", "HX-Request-Type": "partial"}
# A page that opens nothing.
ELSEWHERE = "/account/notifications"


@dataclass(frozen=True)
class Case:
    """A notice of this type: to the affected user or to another, with further facts. Its invitation
    is in this state.
    """

    type: EventType
    to_affected: bool
    facts: Mapping[str, Any] = field(default_factory=dict)
    subject_state: str = ""

    @property
    def name(self) -> str:
        affected = "to the affected" if self.to_affected else ""
        words = [self.type.name, affected, *self.facts.values(), self.subject_state]
        return " ".join(filter(None, words))

    @property
    def has_link(self) -> bool:
        link = self.type.link(to_affected=self.to_affected)
        is_complete = not self.type.is_custom or "url" in {**self.type.example, **self.facts}
        return link is not None and is_complete


def cases_of(event_type: EventType) -> list[Case]:
    if event_type.is_custom:
        urls: tuple[dict[str, str], ...] = (
            {},
            {"url": "/projects"},
            {"url": "https://render.example.com/42"},
        )
        return [Case(event_type, to_affected=False, facts=url) for url in urls]
    if event_type.audience is affected_only:
        states = [name for name, state in event_type.subject_states.items() if state.action]
        return [Case(event_type, to_affected=True, subject_state=name) for name in ("", *states)]
    both = (True, False) if event_type.message_to_affected else (False,)
    return [Case(event_type, to_affected) for to_affected in both]


CASES = [case for event_type in TYPES.values() for case in cases_of(event_type)]
EACH = [pytest.param(case, id=case.name) for case in CASES]
# Nothing keeps the mail and the push of an unread notice from being sent.
WAITING = {EMAIL: SEND, PUSH: SEND}


@dataclass
class Scene:
    """bob's only notice, with a mail and a push that wait to be sent."""

    app: Litestar
    bob: User
    browser: httpx.AsyncClient
    notice: Notice
    invitation: Invitation

    @property
    def db(self) -> Database:
        db: Database = self.app.state.db
        return db

    async def page(self, path: str) -> str:
        answer = await self.browser.get(path, headers=FROM_A_PAGE)
        assert answer.status_code == 200, f"{path}: {answer.status_code}"
        return answer.text

    async def follow(self, url: str, headers: Mapping[str, str]) -> httpx.Response:
        """Open a link as a browser does, up to another site."""
        answer = await self.browser.get(url.removeprefix(BASE), headers=headers)
        while answer.status_code == 303 and answer.headers["Location"].startswith("/"):
            answer = await self.browser.get(answer.headers["Location"], headers=headers)
        assert answer.status_code in (200, 303), f"{url}: {answer.status_code}"
        return answer

    async def mark_unread(self) -> None:
        async with self.db.act() as session:
            await acts.mark(session, self.bob.id, Selection([self.notice.id]), read=False)

    async def unread_count(self) -> int:
        return int((await self.browser.get("/api/notifications/unread-count")).json()["count"])

    async def waiting(self) -> dict[str, Decision]:
        """What happens to the deliveries of the notice that still wait, by channel."""
        decided: list[tuple[str, Decision]] = []
        async with self.db.read() as session:
            for name, channel in self.app.state.installation.channels.items():
                which = (Delivery.channel == name) & (Delivery.notification_id == self.notice.id)
                pairs = await decide_all(session, channel, which)
                decided += [(name, decision) for _row, decision in pairs]
        return dict(decided)


async def set_scene(app: Litestar, client: httpx.AsyncClient, case: Case) -> Scene:
    db: Database = app.state.db
    alice, bob, carol = [await make_account(db, name) for name in ("alice", "bob", "carol")]
    squad = await make_team(db, alice, "Video Squad", editors=[bob, carol])
    club = await make_team(db, alice, "Film Club")
    subjects = await furnish(db, alice, bob, club)
    await sign_in(app, Person(bob, client))
    await want_everything(db, bob, case.type)
    given = dict(case.type.example) | dict(case.facts)
    if case.type.mailed_link:
        given[case.type.mailed_link.fact] = bob.pending_email_nonce
    async with db.act() as session:
        await notify(
            session,
            case.type,
            affected=bob if case.to_affected else carol,
            team=squad,
            **subjects,
            recipients=personally(User.id).where(User.id == bob.id),
            **given,
        )
        if case.subject_state:
            invitation = await session.get_one(Invitation, subjects["invitation"].id)
            invitation.status = case.subject_state
    async with db.read() as session:
        [notice] = await newest_notices(session, bob.id)
    return Scene(app, bob, client, notice, subjects["invitation"])


async def furnish(db: Database, alice: User, bob: User, club: Team) -> dict[str, Any]:
    """bob has a project that did not compile, an invitation, and asked for a new address. Returns
    what an event can be about.
    """
    reel = Project(name="Highlight Reel", owner_id=bob.id)
    invitation = Invitation(
        team_id=club.id, inviter_id=alice.id, email=bob.email, email_key=bob.email_key,
        role="editor", expires_at=clock.now() + timedelta(days=7),
    )  # fmt: skip
    async with db.write() as session:
        asking = await session.get_one(User, bob.id)
        asking.pending_email, asking.pending_email_nonce = "new@example.com", "a nonce"
        asking.pending_email_until = clock.now() + timedelta(days=1)
        bob.pending_email_nonce = "a nonce"
        session.add_all([reel, invitation])
        await session.flush()
        compilation = Compilation(project_id=reel.id, status="failed")
        clip = Clip(
            project_id=reel.id, position=1, filename="a.mp4", stored_as="a", size=1,
            duration=1, width=320, height=180,
        )  # fmt: skip
        session.add_all([compilation, clip])
    return {"project": reel, "invitation": invitation, "compilation": compilation}


async def want_everything(db: Database, bob: User, event_type: EventType) -> None:
    async with db.act() as session:
        for channel in (IN_APP, EMAIL, PUSH):
            await set_switch(session, bob, event_type.name, channel, wanted=True)
        session.add(
            PushSubscription(
                user_id=bob.id, endpoint="https://push.example", endpoint_hash="a", p256dh="",
                auth="", vapid_key=vapid_keys_of(session).public, name="Firefox on Linux",
                session_id=await session.scalar(select(WebSession.id)),
            )
        )  # fmt: skip


# --- The ways: each returns the addresses that it offers ---

Way = Callable[[Scene], Awaitable[list[str]]]
SENTENCE = re.compile(r'<a href="([^"]+)" class="notice-text"')
ROW = re.compile(r'<li id="notice-.*?</li>', re.DOTALL)
PANEL_ROW = re.compile(r'<li id="panel-notice-.*?</li>', re.DOTALL)
ACTIONS = re.compile(r'<div class="notice-actions">.*?</div>', re.DOTALL)
ACTIVITY = re.compile(r'<section id="activity".*?</section>', re.DOTALL)
HREF = re.compile(r'<a\b[^>]*\bhref="([^"]+)"')
URL = re.compile(r"https?://\S+")
# Links of a mail that are not about a notice.
FOOT = re.compile(rf"{BASE}(?:/notifications|/account/notifications|/unsubscribe/.*)?/?")


async def in_the_inbox(scene: Scene) -> str:
    return ROW.search(await scene.page("/notifications"))[0]  # type: ignore[index]


async def in_the_panel(scene: Scene) -> str:
    return PANEL_ROW.search(await scene.page(ELSEWHERE))[0]  # type: ignore[index]


async def in_an_arrival(scene: Scene) -> str:
    """What a stream adds to an open page: the panel's row and, if it is urgent, a toast."""
    return render("notifications/_arrival.html", {"notice": scene.notice, "user": scene.bob})


async def on_the_dashboard(scene: Scene) -> str:
    return ACTIVITY.search(await scene.page("/"))[0]  # type: ignore[index]


async def sentence(where: Callable[[Scene], Awaitable[str]], scene: Scene) -> list[str]:
    return links(SENTENCE, await where(scene))


async def action(where: Callable[[Scene], Awaitable[str]], scene: Scene) -> list[str]:
    return links(HREF, "".join(ACTIONS.findall(await where(scene))))


async def dashboard(scene: Scene) -> list[str]:
    """All links but those to the list, and to the invitation where the notice is not about that."""
    urls = links(HREF, await on_the_dashboard(scene))
    is_invitation = scene.notice.type == "invitation_received"
    return [
        url
        for url in urls
        if url != "/notifications" and (is_invitation or not url.startswith("/invitations/"))
    ]


async def target(scene: Scene) -> list[str]:
    """The page that its notice is about, by its own address."""
    async with scene.db.read() as session:
        page = (await session.scalars(select(Notification.target))).one()
    if page == f"/invitations/{scene.invitation.id}":
        return [invitation_path(scene.app.state.signer, scene.invitation)]
    return [page or f"/notifications/{scene.notice.id}"]


async def mail(scene: Scene) -> list[str]:
    """Both parts of a mail about this notice alone, in a bundle and in a digest."""
    row = await waiting_on(scene, EMAIL)
    mails = [
        written(scene, [row]),
        written(scene, [row, row]),
        written(scene, [row], is_digest=True),
    ]
    urls = [
        url
        for one in mails
        for url in links(HREF, part(one, "html")) + URL.findall(part(one, "plain"))
    ]
    return [url for url in dict.fromkeys(urls) if not FOOT.fullmatch(url)]


async def click_on_push(scene: Scene) -> list[str]:
    return [(await pushed(scene))["url"]]


async def click_on_declarative_push(scene: Scene) -> list[str]:
    return [(await pushed(scene))["notification"]["navigate"]]


def links(pattern: re.Pattern[str], markup: str) -> list[str]:
    return list(dict.fromkeys(unescape(url) for url in pattern.findall(markup)))


def part(mail: EmailMessage, kind: str) -> str:
    body = mail.get_body((kind,))
    assert body
    return str(body.get_content())


def written(scene: Scene, rows: list[Any], *, is_digest: bool = False) -> EmailMessage:
    state = scene.app.state
    mail = write_mail(state.settings, state.signer, rows, name="a mail", is_digest=is_digest)
    return message_from_bytes(mail, policy=default)


async def pushed(scene: Scene) -> dict[str, Any]:
    message = PushWriter(scene.app.state.settings).write(await waiting_on(scene, PUSH), 60, 1)
    payload: dict[str, Any] = json.loads(message.payload)
    return payload


async def waiting_on(scene: Scene, channel: str) -> Any:
    """The row of its delivery on this channel, as the channel has it when it sends."""
    which = (Delivery.channel == channel) & (Delivery.state == "pending")
    async with scene.db.read() as session:
        channels = scene.app.state.installation.channels
        [(row, _decision)] = await decide_all(session, channels[channel], which)
    return row


SENTENCES: dict[str, Way] = {
    "row": partial(sentence, in_the_inbox),
    "panel": partial(sentence, in_the_panel),
    "arrival": partial(sentence, in_an_arrival),
    "dashboard": dashboard,
    "visit": target,
}
ACTIONS_IN: dict[str, Way] = {
    "action in the row": partial(action, in_the_inbox),
    "action in the panel": partial(action, in_the_panel),
    "action in an arrival": partial(action, in_an_arrival),
}
FROM_ELSEWHERE: dict[str, Way] = {
    "mail": mail,
    "push": click_on_push,
    "declarative push": click_on_declarative_push,
}
WAYS = SENTENCES | ACTIONS_IN | FROM_ELSEWHERE


@pytest_asyncio.fixture(loop_scope="session")
async def client(empty_house: Litestar) -> AsyncIterator[httpx.AsyncClient]:
    async with browser(empty_house) as one:
        yield one


@pytest.mark.asyncio(loop_scope="session")
@pytest.mark.parametrize("case", EACH)
async def test_any_way_to_the_thing_marks_its_notice_read(
    empty_house: Litestar, client: httpx.AsyncClient, case: Case
) -> None:
    scene = await set_scene(empty_house, client, case)
    not_waiting = SEND if case.type.is_immediate else Skip(READ)

    for name, way in WAYS.items():
        urls = await way(scene)
        assert bool(urls) == (case.has_link or name not in (*ACTIONS_IN, "mail")), name
        for url in urls:
            assert (await scene.unread_count(), await scene.waiting()) == (1, WAITING), name
            answer = await scene.follow(url, CLICK if name in FROM_ELSEWHERE else FROM_A_PAGE)
            assert await scene.unread_count() == 0, (name, url)
            assert await scene.waiting() == dict.fromkeys(WAITING, not_waiting), (name, url)
            if answer.status_code == 200:
                assert unread_on(answer.text) == 0, (name, url)
            await scene.mark_unread()


BUTTONS = [
    pytest.param(case, button.url, id=f"{case.name}: {button.label}")
    for case in CASES
    for button in case.type.buttons
    if not case.subject_state
]


@pytest.mark.asyncio(loop_scope="session")
@pytest.mark.parametrize("headers", [{}, PARTIAL], ids=["scripts off", "in place"])
@pytest.mark.parametrize(("case", "url"), BUTTONS)
async def test_a_button_marks_its_notice_read(
    empty_house: Litestar, client: httpx.AsyncClient, case: Case, url: str, headers: dict[str, str]
) -> None:
    scene = await set_scene(empty_house, client, case)
    await client.get(ELSEWHERE)

    token = {"X-CSRF-Token": client.cookies["csrftoken"]}
    answer = await client.post(url.format(notification_id=scene.notice.id), headers=headers | token)

    assert answer.status_code in (200, 303), answer.text
    async with scene.db.read() as session:
        assert (await session.get_one(Notification, scene.notice.id)).read_at
    assert (await scene.waiting())[EMAIL] == Skip(READ)


@pytest.mark.asyncio(loop_scope="session")
@pytest.mark.parametrize("case", EACH)
async def test_mark_as_read_on_the_screen_marks_it_read(
    empty_house: Litestar, client: httpx.AsyncClient, case: Case
) -> None:
    scene = await set_scene(empty_house, client, case)

    token = {"X-CSRF-Token": (await client.get("/push/state")).json()["csrf_token"]}
    answer = await client.post(f"/push/{scene.notice.id}/read", headers=token)

    assert answer.status_code == 204
    assert await scene.unread_count() == 0


@pytest.mark.asyncio(loop_scope="session")
@pytest.mark.parametrize("case", EACH)
async def test_seeing_it_in_a_list_marks_nothing(
    empty_house: Litestar, client: httpx.AsyncClient, case: Case
) -> None:
    scene = await set_scene(empty_house, client, case)

    for path in ("/", "/notifications", ELSEWHERE, f"/notifications/{scene.notice.id}/deliveries"):
        await scene.page(path)

    assert await scene.unread_count() == 1
