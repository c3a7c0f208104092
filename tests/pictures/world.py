"""What the pictures show: a busy month of alice's, with a notification of every kind."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from PIL import Image, ImageOps
from sqlalchemy.ext.asyncio import AsyncSession

from app import clock
from app.accounts.avatars import set_avatar
from app.cli.demo_clips import draw_demo_clips
from app.models import Compilation, Event, Project, Share, Team, User
from app.notifications.events import catalogue as events
from app.notifications.events.event_type import EventType
from app.notifications.inbox import acts
from app.notifications.inbox.filters import Filter
from app.notifications.inbox.selection import Selection
from app.notifications.notify import notify
from app.projects.clips import add_clip
from app.projects.media_storage import thumbnail_path, video_path
from app.projects.upload_stream import Upload
from app.projects.video.ffmpeg import local, run
from app.settings import Settings
from app.teams.invitations import invite
from tests.accounts.images import saved
from tests.bell import newest_notices
from tests.factories import make_account, make_team
from tests.journeys.running import Site

PEOPLE = (
    "alice",
    "bob",
    "carol",
    "Dora Ljungström",
    "emil",
    "fatima",
    "رنا",
    "Grace-of-the-Long-Name",
)
FACES = ("#f2b872", "#7fd1c4")
LONG = "The quarterly retrospective of everything that happened on the water this summer"
WHY = "clip-0417.mov has no picture track: the file ends after 3.2 s, and 14 s were expected."


@dataclass
class World:
    """Alice and what she hears of. `ago` says how long before now the next event happened."""

    site: Site
    people: dict[str, User]
    teams: dict[str, Team]
    projects: dict[str, Project]

    @property
    def alice(self) -> User:
        return self.people["alice"]

    @asynccontextmanager
    async def at(self, **ago: float) -> AsyncIterator["Moment"]:
        async with self.site.db.act() as session:
            yield Moment(self, session, clock.now() - timedelta(**ago))


@dataclass
class Moment:
    world: World
    session: AsyncSession
    time: datetime

    async def tell(
        self, kind: EventType, who: str = "", team: str = "", project: str = "", **facts: Any
    ) -> Event:
        world = self.world
        about: dict[str, Any] = {
            "team": world.teams.get(team),
            "project": world.projects.get(project),
        }
        event = await notify(self.session, kind, actor=world.people.get(who), **about, **facts)
        event.created_at = self.time
        return event


async def build(site: Site) -> World:
    people = {
        name: await make_account(site.db, name, f"person{number}@example.com", grouping=True)
        for number, name in enumerate(PEOPLE)
    }
    alice, bob, carol, *others = people.values()
    squad = await make_team(site.db, alice, "Video Squad", admins=[bob], editors=others[:2])
    north = await make_team(site.db, bob, "Northlight", admins=[alice], editors=[carol, *others])
    world = World(site, people, {"squad": squad, "north": north}, {})
    await _move(world, hour=15)
    await _add_projects(world)
    await _show_faces(world, bob, carol)
    await _tell(world)
    await _finish_all(world, bob)
    return world


async def _move(world: World, hour: int) -> None:
    """Alice lives where it is this hour, so that the pictures of a morning and a night agree."""
    east = (hour - clock.now().hour + 12) % 24 - 12
    async with world.site.db.write() as session:
        session.add(world.alice)
        world.alice.timezone = f"Etc/GMT{-east:+d}" if east else "Etc/GMT"


async def _add_projects(world: World) -> None:
    async with world.site.db.act() as session:
        for key, name in {
            "reel": "Highlight Reel",
            "best": "Best Clips 2026",
            "long": LONG,
        }.items():
            project = world.projects[key] = Project(name=name, owner_id=world.alice.id)
            session.add(project)
            await session.flush()
            session.add(Share(project_id=project.id, team_id=world.teams["squad"].id))
    settings = world.site.settings
    settings.clips_dir.mkdir(parents=True, exist_ok=True)
    for clip in await draw_demo_clips(settings.clips_dir):
        upload = Upload(clip.path, clip.name, clip.path.stat().st_size)
        await add_clip(world.site.db, settings, world.alice, world.projects["reel"].id, upload)


async def _show_faces(world: World, *users: User) -> None:
    """The others have initials."""
    for number, user in enumerate(users):
        face = Image.radial_gradient("L").rotate(90 * number)
        drawn = ImageOps.colorize(face, FACES[number], "#20304a")
        await set_avatar(world.site.db, world.site.settings, user, saved(drawn, "PNG"))


async def _tell(world: World) -> None:
    roles = {"role": "editor"}
    for week in range(6, 1, -1):
        for day, (who, team) in enumerate(
            [("bob", "squad"), ("carol", "north"), ("emil", "north")]
        ):
            async with world.at(days=7 * week - day, hours=2) as then:
                gone = world.people[who]
                await then.tell(events.MEMBER_LEFT, who, team, affected=gone, username=who)
    await _read_all(world)
    async with world.at(days=9) as then:
        await then.tell(
            events.TEAM_UPDATED, "bob", "north", old_name="Nightlight", new_name="Northlight"
        )
    async with world.at(days=6, hours=3) as then:
        await then.tell(events.PROJECT_SHARED, "bob", "squad", "best")
        await then.tell(
            events.MEMBER_ROLE_CHANGED,
            "bob",
            "north",
            username="carol",
            old_role="viewer",
            new_role="editor",
        )
    async with world.at(days=4, hours=1) as then:
        await then.tell(events.ACCOUNT_PASSWORD_CHANGED, affected=world.alice)
    async with world.at(days=3, hours=5) as then:
        await then.tell(events.PROJECT_SHARED, "fatima", "north", "long")
    await _read_all(world)
    async with world.at(days=2, hours=4) as then:
        await then.tell(
            events.CUSTOM,
            "bob",
            "squad",
            title="The nightly render is done",
            body="412 frames in 38 minutes.\nNothing was dropped.",
            url="https://render.example.com/42",
        )
    async with world.at(days=1, hours=5) as then:
        await _compile(then, "best", "completed")
        await then.tell(
            events.MEMBER_REMOVED, "bob", "north", affected=world.people["emil"], username="emil"
        )
    added = ("fatima", "carol"), ("رنا", "bob"), ("Dora Ljungström", "emil"), (PEOPLE[-1], "bob")
    for minute, (who, actor) in enumerate(added):
        async with world.at(days=1, hours=2, minutes=-minute) as then:
            await then.tell(
                events.MEMBER_ADDED,
                actor,
                "north",
                affected=world.people[who],
                username=who,
                **roles,
            )
    await _read_all(world, but=3)
    for hours, who, project in [(9, "bob", "reel"), (8, "carol", "long"), (7.5, "bob", "best")]:
        async with world.at(hours=hours) as then:
            await then.tell(events.PROJECT_SHARED, who, "north", project)
    await _read_all(world, but=2)
    async with world.at(hours=5) as then:
        await _compile(then, "long", "failed", error=WHY)
    async with world.at(hours=4) as then:
        await _compile(then, "reel", "completed")
    async with world.at(hours=3) as then:
        await then.tell(
            events.CUSTOM,
            "carol",
            "north",
            title="Storage is at 95 %",
            priority="high",
            body="Uploads stop at 100 %. Remove old renders, or ask for another disk.",
        )
    async with world.at(minutes=42) as then:
        await then.tell(
            events.MEMBER_LEFT, "emil", "north", affected=world.people["emil"], username="emil"
        )
    club = await make_team(world.site.db, world.people["carol"], "Film Club")
    async with world.site.db.act() as session:
        await invite(session, world.people["carol"], club.id, world.alice.email, "editor")


async def _compile(then: Moment, project: str, status: str, **facts: Any) -> None:
    """A compilation of the project has ended, with a video that can be played where it succeeded."""
    session, id = then.session, then.world.projects[project].id
    made = Compilation(
        project_id=id,
        status=status,
        duration=74.0,
        size=9_400_000,
        finished_at=then.time,
        error=facts.get("error"),
    )
    session.add(made)
    await session.flush()
    if status == "failed":
        await then.tell(events.COMPILATION_FAILED, project=project, compilation=made, **facts)
        return
    await _film(then.world.site.settings, made.id)
    path = f"/projects/{id}/compilations/{made.id}/thumbnail"
    await then.tell(
        events.COMPILATION_COMPLETED,
        project=project,
        compilation=made,
        duration=74.0,
        size=9_400_000,
        thumbnail=path,
    )


async def _film(settings: Settings, compilation_id: int) -> None:
    video, thumbnail = (
        video_path(settings, compilation_id),
        thumbnail_path(settings, compilation_id),
    )
    video.parent.mkdir(parents=True, exist_ok=True)
    clips = await draw_demo_clips(Path(video.parent))
    clips[compilation_id % len(clips)].path.rename(video)
    await run(
        *["-y", "-i", local(video), "-frames:v", "1", "-vf", "scale=640:-2", local(thumbnail)],
        reads=[video],
        writes=[thumbnail],
        seconds=60,
    )


async def _finish_all(world: World, user: User) -> None:
    """Nothing is left in the user's inbox."""
    async with world.site.db.act() as session:
        await acts.carry_out(session, user.id, acts.doing(), Selection(filter=Filter()))


async def _read_all(world: World, but: int = 0) -> None:
    """Alice has read what she has heard so far, except the newest few."""
    async with world.site.db.act() as session:
        heard = await newest_notices(session, world.alice.id, but + 1)
        await acts.read_all(session, world.alice.id, heard[-1].position)
