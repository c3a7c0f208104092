"""A small world that is alice's, with one of everything that an address can name."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from litestar import Litestar
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app import clock
from app.accounts.addresses import CONFIRM, TIME_TO_CONFIRM
from app.accounts.passwords import RESET, _fingerprint
from app.accounts.tokens import create_token
from app.mail.suppressions import stop_token
from app.models import (
    Clip,
    Compilation,
    Invitation,
    Membership,
    Mute,
    Notification,
    Project,
    PushSubscription,
    SavedView,
    Share,
    Team,
    User,
    WebSession,
)
from app.notifications.channels.email.unsubscribe import STOP, UnsubscribeLink, stop
from app.notifications.events.catalogue import (
    CANCEL_ADDRESS_CHANGE,
    COMPILATION_FAILED,
    INVITATION_RECEIVED,
    TEAM_UPDATED,
)
from app.notifications.events.event_type import EventType
from app.notifications.inbox import acts
from app.notifications.inbox.selection import Selection
from app.notifications.notify import notify
from app.projects.media_storage import clip_path, thumbnail_path, video_path
from app.security import new_nonce
from app.teams.invitation_links import link_token
from app.teams.open_invitations import LIFETIME
from tests.contract.world import World
from tests.factories import SIGNER, make_account

CLIP = "a clip"
NEW_ADDRESS = "new@example.com"
Row = TypeVar("Row")


async def build(app: Litestar) -> World:
    """alice owns Video Squad, with bob in it, and has been asked into dora's Others. carol is
    in no team.
    """
    alice, bob, carol, dora = [
        await make_account(app.state.db, name) for name in ("alice", "bob", "carol", "dora")
    ]
    async with app.state.db.act() as session:
        builder = _Builder(session, alice)
        squad = await builder.teams(bob, dora)
        await builder.account()
        await builder.project(squad)
        await builder.notices(squad, dora)
    return World(app, alice, carol, builder.ids, builder.ids_at)


async def renew(world: World) -> World:
    """With what does not keep: the files, and an undo that is good for ten minutes."""
    settings, done_id = world.app.state.settings, world.ids["done_id"]
    for path in (clip_path(settings, CLIP), video_path(settings, done_id)):
        _lay_down(path)
    _lay_down(thumbnail_path(settings, done_id))
    async with world.app.state.db.act() as session:
        _count, undo = await acts.delete(
            session, world.alice.id, Selection([world.ids["deleted_id"]])
        )
    return World(world.app, world.alice, world.carol, world.ids | {"undo": undo}, world.ids_at)


@dataclass
class _Builder:
    session: AsyncSession
    alice: User
    ids: dict[str, Any] = field(default_factory=dict)
    ids_at: dict[str, dict[str, Any]] = field(default_factory=dict)

    async def teams(self, bob: User, dora: User) -> Team:
        """Returns Video Squad. alice may leave dora's Choir."""
        squad = await self._team("Video Squad", owner=self.alice, editor=bob)
        film = await self._team("Film Squad", owner=self.alice)
        choir = await self._team("Choir", owner=dora, editor=self.alice)
        mute = await self._row(Mute(user_id=self.alice.id, team_id=film.id))
        invitation = await self._invitation(squad, self.alice, "ines@example.com")
        self.ids |= {
            "team_id": squad.id,
            "other_team_id": film.id,
            "user_id": bob.id,
            "mute_id": mute.id,
            "invitation_id": invitation.id,
        }
        self.ids_at["/teams/{team_id:int}/leave"] = {"team_id": choir.id}
        return squad

    async def account(self) -> None:
        """Another browser, a program, an address that waits to be confirmed, mailed links."""
        alice = await self.session.get_one(User, self.alice.id)
        alice.is_admin, alice.pending_email, nonce = True, NEW_ADDRESS, new_nonce()
        alice.pending_email_nonce = nonce
        alice.pending_email_until = clock.now() + TIME_TO_CONFIRM
        ended = await self._row(WebSession(token_hash="0" * 64, user_id=alice.id))
        token, _key = await create_token(self.session, alice, name="A program", scope="read")
        device = await self._row(_device_of(alice))
        back = await stop(self.session, UnsubscribeLink(alice, TEAM_UPDATED.name))
        self.ids |= {"ended_id": ended.id, "token_id": token.id, "field": "timezone", "back": back}
        self.ids |= {
            "name": "no.eml",
            "avatar": "of nobody",
            "token": "of nothing",
            "user_id": self.ids["user_id"],
        }
        self.ids["device_id"] = device.id
        view = await self._row(SavedView(user_id=alice.id, name="Unread", query="", rank=1))
        self.ids |= {"view_id": view.id, "step": "up"}
        links = {
            "/confirm/": SIGNER.sign(CONFIRM, [alice.id, nonce, NEW_ADDRESS]),
            "/account/address/cancel/": SIGNER.sign(CANCEL_ADDRESS_CHANGE, [alice.id, nonce]),
            "/reset/": SIGNER.sign(RESET, [alice.id, _fingerprint(alice)]),
            "/stop-invitations/": stop_token(SIGNER, alice.email),
            "/unsubscribe/": SIGNER.sign(STOP, [alice.id, alice.link_nonce, TEAM_UPDATED.name]),
        }
        self.ids_at |= {path: {"token": token} for path, token in links.items()}

    async def project(self, team: Team) -> None:
        """Shared with the team, with a clip, a video, and a compilation that waits."""
        project = await self._row(Project(name="Highlight Reel", owner_id=self.alice.id))
        await self._row(Share(project_id=project.id, team_id=team.id))
        clip = Clip(project_id=project.id, position=0, filename="one.mp4", stored_as=CLIP)
        clip.uploader_id, clip.size, clip.duration = self.alice.id, 1, 1.0
        clip.width, clip.height = 16, 16
        await self._row(clip)
        done = Compilation(project_id=project.id, status="completed", duration=1.0, size=1)
        done.finished_at = clock.now()
        await self._row(done)
        waiting = await self._row(Compilation(project_id=project.id))
        self.ids |= {
            "project_id": project.id,
            "clip_id": clip.id,
            "compilation_id": waiting.id,
            "done_id": done.id,
        }
        stem = "/projects/{project_id:int}/compilations/{compilation_id:int}"
        for file in ("video", "thumbnail"):
            self.ids_at[f"{stem}/{file}"] = {"compilation_id": done.id}

    async def notices(self, squad: Team, dora: User) -> None:
        """An ordinary one, an invitation, a failed compilation, and one to be deleted."""
        others = await self._team("Others", owner=dora)
        asked = await self._invitation(others, dora, self.alice.email)
        names = {"old_name": "Squad", "new_name": "Video Squad"}
        told = await self._notice(TEAM_UPDATED, team=squad, **names)
        deleted = await self._notice(TEAM_UPDATED, team=squad, **names)
        about = {"affected": self.alice, "team": others, "invitation": asked}
        invited = await self._notice(INVITATION_RECEIVED, **about, role="viewer", inviter="dora")
        project = await self.session.get_one(Project, self.ids["project_id"])
        compilation = await self.session.get_one(Compilation, self.ids["compilation_id"])
        failed = await self._notice(COMPILATION_FAILED, project=project, compilation=compilation)
        self.ids |= {"notification_id": told, "do": "read", "deleted_id": deleted}
        stem = "/notifications/{notification_id:int}"
        for verb in ("accept", "decline", "invitation"):
            self.ids_at[f"{stem}/{verb}"] = {"notification_id": invited}
        self.ids_at[f"{stem}/retry"] = {"notification_id": failed}
        self.ids_at["/invitations/"] = {"token": link_token(SIGNER, asked)}

    async def _row(self, row: Row) -> Row:
        self.session.add(row)
        await self.session.flush()
        return row

    async def _team(self, name: str, **people: User) -> Team:
        team = await self._row(Team(name=name))
        for role, user in people.items():
            await self._row(Membership(team_id=team.id, user_id=user.id, role=role))
        return team

    async def _invitation(self, team: Team, inviter: User, email: str) -> Invitation:
        invitation = Invitation(team_id=team.id, inviter_id=inviter.id, role="viewer")
        invitation.email = invitation.email_key = email
        invitation.expires_at = clock.now() + LIFETIME
        return await self._row(invitation)

    async def _notice(self, kind: EventType, **about: Any) -> int:
        event = await notify(self.session, kind, **about)
        own = select(Notification.id).where(
            Notification.event_id == event.id, Notification.user_id == self.alice.id
        )
        return int((await self.session.execute(own)).scalar_one())


def _device_of(user: User) -> PushSubscription:
    return PushSubscription(
        user_id=user.id,
        endpoint="https://fcm.googleapis.com/fcm/send/phone",
        endpoint_hash="0" * 64,
        p256dh="",
        auth="",
        vapid_key="",
        name="Firefox on Linux",
    )


def _lay_down(path: Path) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(b"0")
