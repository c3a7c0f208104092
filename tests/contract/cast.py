"""The whole cast on stage: each at a browser of their own, with a page left open beside it."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any, cast

import httpx
from litestar import Litestar
from sqlalchemy import select

from app.accounts.sessions import start_session
from app.database import Database
from app.models import Change, Membership, Project, Team, User
from app.projects.compilation_runs import run_compilation
from app.settings import Settings
from app.worker import purge
from tests import clips
from tests.application import browser
from tests.contract.markup import Shown, button_called, notices, unread_on, words
from tests.contract.open_page import OpenPage
from tests.factories import make_account, make_team

Press = Callable[..., Awaitable[httpx.Response]]


@dataclass
class Person:
    """`browser` follows no redirects by itself; `page` is open all the while."""

    account: User
    browser: httpx.AsyncClient
    page: OpenPage = field(default_factory=OpenPage)

    @property
    def id(self) -> int:
        return self.account.id

    @property
    def name(self) -> str:
        return self.account.username

    async def press(
        self, label: str, on: str | httpx.Response, *, files: Any = None, **typed: str
    ) -> httpx.Response:
        """Fill in the form on a page and press its button; returns the page it leads to."""
        press = await self.ready(label, on, files=files, **typed)
        pressed = await press(follow_redirects=True)
        assert pressed.status_code == 200, f"{label}: {pressed.status_code} {words(pressed.text)}"
        return pressed

    async def press_twice(self, label: str, on: str) -> httpx.Response:
        """Press a button that asks first, and then the one that says it again."""
        return await self.press(*await self.asked(label, on))

    async def ready_twice(self, label: str, on: str) -> Press:
        """Press a button that asks first, the finger on the one that says it again."""
        return await self.ready(*await self.asked(label, on))

    async def asked(self, label: str, on: str) -> tuple[str, httpx.Response]:
        """Press a button that asks first; returns the one that says it again, and its page."""
        return label.partition(" (")[0], await self.press(label, on)

    async def ready(
        self, label: str, on: str | httpx.Response, *, files: Any = None, **typed: str
    ) -> Press:
        """The form filled in, the finger on the button: call the result to press it."""
        page = on if isinstance(on, httpx.Response) else await self.open(on)
        button = button_called(label, page.text)
        form, fields = button.form, dict(button.form.fields)
        assert typed.keys() <= fields.keys(), f"The form asks for {sorted(fields)}"
        fields |= {name: [value] for name, value in typed.items()}
        if button.pair:
            fields[button.pair[0]] = [button.pair[1]]
        if form.method == "get":
            return partial(self.browser.get, button.action, params=fields)
        return partial(self.browser.request, form.method, button.action, data=fields, files=files)

    async def open(self, path: str) -> httpx.Response:
        answer = await self.browser.get(path, follow_redirects=True)
        assert answer.status_code == 200, f"{path}: {answer.status_code} {words(answer.text)}"
        return answer

    async def sees(self) -> list[Shown]:
        """The first page of /notifications, newest first; the bell and the open page agree."""
        page = (await self.open("/notifications")).text
        inbox = list(notices(page.partition('id="inbox"')[2]))
        unread = sum(not notice.is_read for notice in inbox)
        assert list(self.page.panel.values()) == inbox, self.name
        assert (unread_on(page), self.page.unread) == (unread, unread), self.name
        return inbox

    async def open_page(self, app: Litestar) -> None:
        cookies = "; ".join(f"{name}={value}" for name, value in self.browser.cookies.items())
        self.page = OpenPage()
        await self.page.open(app, cookies)

    async def reload(self, app: Litestar) -> None:
        await self.page.close()
        await self.open_page(app)

    async def reads(self) -> list[str]:
        return [notice.text for notice in await self.sees()]

    async def count(self) -> int:
        """What the bell says on a page opened now."""
        return unread_on((await self.open("/account")).text)


@dataclass
class Stage:
    """Video Squad: alice owns it, adam is its admin, bob an editor, vera a viewer. carol is an
    outsider, ines somebody to invite. Highlight Reel is bob's, shared with nobody yet.
    """

    app: Litestar
    settings: Settings
    db: Database
    team: Team
    project: Project
    alice: Person
    adam: Person
    bob: Person
    vera: Person
    carol: Person
    ines: Person
    witness: Person

    @property
    def people(self) -> Sequence[Person]:
        return (self.alice, self.adam, self.bob, self.vera, self.carol, self.ines)

    @property
    def team_url(self) -> str:
        return f"/teams/{self.team.id}"

    @property
    def project_url(self) -> str:
        return f"/projects/{self.project.id}"

    def member_url(self, user: Person) -> str:
        return f"{self.team_url}/members/{user.id}"

    async def roles(self) -> dict[str, str]:
        """Who is in the team, as what."""
        rows = (
            select(User.username, Membership.role)
            .join(Membership, Membership.user_id == User.id)
            .where(Membership.team_id == self.team.id)
        )
        async with self.db.read() as session:
            return {row.username: row.role for row in await session.execute(rows)}

    async def settle(self) -> None:
        """Wait until every change so far is on its way to the open pages.

        Changes are told in their order, so the witness sees the last one after the others have
        been told theirs; the second time round, nothing is left of the first.
        """
        for _time in range(2):
            change = Change(kind="read", user_id=self.witness.id, ids=[])
            async with self.db.act() as session:
                session.add(change)
            await self.witness.page.until_position(change.id)
        for user in self.people:
            user.page.catch_up()

    async def film(self, clip: str = "silent") -> None:
        """bob uploads a clip by the form."""
        file = clips.make(clip)
        files = [("clips", (file.name, file.read_bytes(), "video/mp4"))]
        await self.bob.press("Upload", self.project_url, files=files)

    async def work(self) -> None:
        """What the worker does about the compilation that was asked for."""
        await run_compilation(self.db, self.settings)

    async def clear_up(self) -> None:
        """What the worker does every ten minutes."""
        await purge(cast(Any, {"installation": self.app.state.installation}))

    async def break_clips(self) -> None:
        for path in self.settings.clips_dir.iterdir():
            path.write_bytes(clips.make("cut at its head").read_bytes())


@asynccontextmanager
async def on_stage(app: Litestar) -> AsyncIterator[Stage]:
    """Everybody signed in, their pages open, nothing told yet."""
    db: Database = app.state.db
    names = ("alice", "adam", "bob", "vera", "carol", "ines", "witness")
    accounts = {name: await make_account(db, name) for name in names}
    team = await make_team(
        db,
        accounts["alice"],
        admins=[accounts["adam"]],
        editors=[accounts["bob"]],
        viewers=[accounts["vera"]],
    )
    project = Project(name="Highlight Reel", owner_id=accounts["bob"].id)
    async with db.write() as session:
        session.add(project)
    async with AsyncExitStack() as stack:
        people = {
            name: await stack.enter_async_context(at_a_browser(app, account))
            for name, account in accounts.items()
        }
        yield Stage(app, app.state.settings, db, team, project, **people)


@asynccontextmanager
async def at_a_browser(app: Litestar, account: User) -> AsyncIterator[Person]:
    """Signed in without the work of a login, with a page open."""
    async with browser(app) as one:
        user = Person(account, one)
        await sign_in(app, user)
        await user.open_page(app)
        yield user
        await user.page.close()


async def sign_in(app: Litestar, user: Person) -> None:
    async with app.state.db.write() as session:
        token = await start_session(session, user.account, "")
    user.browser.cookies.set("session", token, "testserver.local")
