"""A small world that is alice's, with one of everything that an address can name."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import httpx
from advanced_alchemy.base import orm_registry
from litestar import Litestar
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from app import clock
from app.accounts.passwords import RESET, _fingerprint
from app.accounts.registration import CONFIRM
from app.accounts.sessions import find_session, start_session
from app.accounts.tokens import create_token
from app.models import (
    Account,
    Clip,
    Compilation,
    Invitation,
    Membership,
    Mute,
    Notification,
    Project,
    Share,
    Team,
    WebSession,
)
from app.notifications import feed
from app.notifications.catalogue import (
    COMPILATION_FAILED,
    INVITATION_RECEIVED,
    TEAM_UPDATED,
    EventType,
)
from app.notifications.notify import notify
from app.notifications.unsubscribe import STOP, Link, stop
from app.projects.storage import clip_path, thumbnail_path, video_path
from app.security import sign
from app.settings import Settings
from app.teams.invitations import LASTS, link_token
from tests.application import browser
from tests.factories import make_account

Row = TypeVar("Row")
# How a browser calls a host without dots.
HOST = "testserver.local"
COLUMNS_OF_ACCOUNTS = [
    key.parent
    for table in orm_registry.metadata.sorted_tables
    for key in table.foreign_keys
    if key.column.table is Account.__table__
]


@dataclass
class World:
    """`ids` says what stands for each parameter of an address and of a form's valid values;
    `ids_at` where an address wants another.
    """

    app: Litestar
    alice: Account
    carol: Account
    ids: dict[str, Any]
    ids_at: dict[str, dict[str, Any]]
    _sessions: dict[int, str] = field(default_factory=dict)

    def url(self, path: str, **others: object) -> str:
        """The address of alice's own thing; a parameter that is new wants its entry in `ids`."""
        ids = self.ids | self._own(path) | others
        names = {part: part[1:-1].partition(":")[0] for part in path.split("/") if "{" in part}
        for part, name in names.items():
            path = path.replace(part, str(ids[name]))
        return path

    def _own(self, path: str) -> dict[str, Any]:
        return next((own for start, own in self.ids_at.items() if path.startswith(start)), {})

    def visitor(self) -> httpx.AsyncClient:
        return browser(self.app)

    async def held_by(self, account: Account) -> tuple[Any, ...]:
        """The account itself, and how many rows name it, column by column."""
        counts = [
            select(func.count()).where(column == account.id).scalar_subquery()
            for column in COLUMNS_OF_ACCOUNTS
        ]
        held = select(Account.__table__, *counts).where(Account.id == account.id)
        async with self.app.state.db.read() as session:
            return tuple((await session.execute(held)).one())

    async def sign_in(self, client: httpx.AsyncClient, account: Account) -> None:
        """Again, where the last session has ended; the token for forms goes along."""
        db, token = self.app.state.db, self._sessions.get(account.id, "")
        if await find_session(db, token) is None:
            async with db.write() as session:
                token = await start_session(session, account, "")
            self._sessions[account.id] = token
        client.cookies.set("session", token, HOST)
        await take_token(client)


async def take_token(client: httpx.AsyncClient) -> None:
    """As a script in one of our pages sends it; the token is good for any browser."""
    if not _token:
        await client.get("/login")
        _token.append(client.cookies["csrftoken"])
    client.cookies.set("csrftoken", _token[0], HOST)
    client.headers["X-CSRF-Token"] = _token[0]


_token: list[str] = []


async def build(app: Litestar) -> World:
    db = app.state.db
    alice, bob, carol, dora = [
        await make_account(db, name) for name in ("alice", "bob", "carol", "dora")
    ]
    async with db.act() as session:
        make = _Maker(session)
        squad = await make.team("Video Squad", owner=alice, editor=bob)
        film = await make.team("Film Squad", owner=alice)
        others = await make.team("Others", owner=dora)
        choir = await make.team("Choir", owner=dora, editor=alice)
        ids = await make.project_of(alice, squad, app.state.settings)
        ids |= await make.account_of(alice)
        invitation = await make.invitation(squad, alice, "ines@example.com")
        asked = await make.invitation(others, dora, alice.email)
        mute = await make.row(Mute(user_id=alice.id, team_id=film.id))
        renamed = await make.notice(
            alice, TEAM_UPDATED, team=squad, old_name="Squad", new_name="Video Squad"
        )
        invited = await make.notice(
            alice,
            INVITATION_RECEIVED,
            affected=alice,
            team=others,
            invitation=asked,
            role="viewer",
            inviter="dora",
        )
        failed = await make.notice(
            alice,
            COMPILATION_FAILED,
            project=await session.get_one(Project, ids["project_id"]),
            compilation=await session.get_one(Compilation, ids["done_id"]),
            error="No clip is there.",
        )
        deleted = await make.notice(alice, TEAM_UPDATED, team=squad, old_name="A", new_name="B")
        _count, undo = await feed.delete(session, alice.id, [deleted])
        back = await stop(session, Link(alice, TEAM_UPDATED.name))
    ids |= {
        "team_id": squad.id,
        "other_team_id": film.id,
        "account_id": bob.id,
        "invitation_id": invitation.id,
        "notification_id": renamed,
        "mute_id": mute.id,
        "back": back,
        "undo": undo,
        "field": "timezone",
        "do": "read",
        "name": "no.eml",
    }
    reset = sign(RESET, [alice.id, _fingerprint(alice)])
    ids_at = {
        "/notifications/{notification_id:int}/accept": {"notification_id": invited},
        "/notifications/{notification_id:int}/decline": {"notification_id": invited},
        "/notifications/{notification_id:int}/invitation": {"notification_id": invited},
        "/notifications/{notification_id:int}/retry": {"notification_id": failed},
        "/teams/{team_id:int}/leave": {"team_id": choir.id},
        "/invitations/": {"token": link_token(asked.id)},
        "/confirm/": {"token": sign(CONFIRM, [alice.id, "new@example.com"])},
        "/reset/": {"token": reset},
        "/unsubscribe/": {"token": sign(STOP, [alice.id, TEAM_UPDATED.name])},
        **{
            f"/projects/{{project_id:int}}/compilations/{{compilation_id:int}}/{file}": {
                "compilation_id": ids["done_id"]
            }
            for file in ("video", "thumbnail")
        },
    }
    return World(app, alice, carol, ids, ids_at)


@dataclass
class _Maker:
    session: AsyncSession

    async def row(self, row: Row) -> Row:
        self.session.add(row)
        await self.session.flush()
        return row

    async def team(self, name: str, **people: Account) -> Team:
        team = await self.row(Team(name=name))
        for role, person in people.items():
            await self.row(Membership(team_id=team.id, account_id=person.id, role=role))
        return team

    async def project_of(self, owner: Account, team: Team, settings: Settings) -> dict[str, int]:
        """Shared with the team, with a clip, a video, and a compilation that waits."""
        project = await self.row(Project(name="Highlight Reel", owner_id=owner.id))
        await self.row(Share(project_id=project.id, team_id=team.id))
        clip = Clip(project_id=project.id, uploader_id=owner.id, position=0, stored_as="a clip")
        clip.filename, clip.size, clip.duration, clip.width, clip.height = "one.mp4", 1, 1.0, 16, 16
        done = Compilation(project_id=project.id, status="completed", duration=1.0, size=1)
        done.finished_at = clock.now()
        for row in (clip, done):
            await self.row(row)
        waiting = await self.row(Compilation(project_id=project.id))
        for path in (clip_path(settings, "a clip"), video_path(settings, done.id)):
            _lay_down(path)
        _lay_down(thumbnail_path(settings, done.id))
        return {
            "project_id": project.id,
            "clip_id": clip.id,
            "done_id": done.id,
            "compilation_id": waiting.id,
        }

    async def account_of(self, person: Account) -> dict[str, int]:
        """Another browser, a program, and an address that waits to be confirmed."""
        account = await self.session.get_one(Account, person.id)
        account.is_admin, account.pending_email = True, "new@example.com"
        ended = await self.row(WebSession(token_hash="0" * 64, account_id=person.id))
        token, _key = await create_token(self.session, person, name="A program", scope="read")
        return {"ended_id": ended.id, "token_id": token.id}

    async def invitation(self, team: Team, inviter: Account, email: str) -> Invitation:
        return await self.row(
            Invitation(
                team_id=team.id,
                inviter_id=inviter.id,
                email=email,
                email_key=email,
                role="viewer",
                expires_at=clock.now() + LASTS,
            )
        )

    async def notice(self, person: Account, kind: EventType, **about: Any) -> int:
        event = await notify(self.session, kind, **about)
        own = select(Notification.id).where(
            Notification.event_id == event.id, Notification.user_id == person.id
        )
        return int((await self.session.execute(own)).scalar_one())


def _lay_down(path: Path) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(b"0")
