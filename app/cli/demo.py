"""The demo data: Alice, Bob and Carol with teams, projects, clips and notifications.

Loaded once, into a new database, on a loopback address only.
"""

import secrets
from collections.abc import Mapping, Sequence

from sqlalchemy.ext.asyncio import AsyncSession

from app import clock
from app.cli.demo_clips import draw_demo_clips
from app.database import Database
from app.models import Clip, Membership, Project, Share, Team, User
from app.notifications.events.catalogue import MEMBER_ADDED, PROJECT_SHARED
from app.notifications.notify import notify
from app.projects.video.ffmpeg import CompilationError
from app.projects.video.probe import probe
from app.security import hash_password
from app.settings import Settings

PASSWORD = "clippyfront"  # noqa: S105 - only ever used on a loopback address
NAMES = ("Alice", "Bob", "Carol")
LOGINS = f"Log in as {', '.join(NAMES[:-1])} or {NAMES[-1]}; the password is {PASSWORD}\n"


async def load(db: Database, settings: Settings) -> None:
    """Adds the users, teams, projects with real clips, and the notifications they cause."""
    password_hash = await hash_password(PASSWORD)
    clips = await _make_clips(settings)
    async with db.act() as session:
        alice, bob, carol = users = [_user(name, password_hash) for name in NAMES]
        alice.is_admin = True
        session.add_all(users)
        await session.flush()
        squad = await _add_team(session, "Video Squad", alice, {bob: "editor"})
        editors = await _add_team(session, "Editors", bob, {alice: "admin", carol: "viewer"})
        await _add_project(session, "Highlight Reel", alice, clips[:2], squad)
        await _add_project(session, "Best Clips 2025", bob, clips[2:], editors)


async def _make_clips(settings: Settings) -> list[dict[str, object]]:
    """Stores short real clips in the clips' folder. Returns the values of their rows."""
    made = []
    settings.clips_dir.mkdir(parents=True, exist_ok=True)
    try:
        for clip in await draw_demo_clips(settings.clips_dir):
            facts = await probe(clip.path, clip.name)
            stored_as = secrets.token_hex(16)
            size = clip.path.rename(settings.clips_dir / stored_as).stat().st_size
            made.append({
                "filename": clip.name,
                "stored_as": stored_as,
                "size": size,
                "duration": facts.duration,
                "width": facts.width,
                "height": facts.height,
            })  # fmt: skip
    except CompilationError:
        # The demo is useful without clips, on a machine that cannot encode them.
        return made
    return made


def _user(name: str, password_hash: str) -> User:
    return User(
        username=name,
        username_key=name.casefold(),
        email=f"{name.casefold()}@example.com",
        email_key=f"{name.casefold()}@example.com",
        email_confirmed_at=clock.now(),
        password_hash=password_hash,
    )


async def _add_team(
    session: AsyncSession, name: str, owner: User, roles: Mapping[User, str]
) -> Team:
    team = Team(name=name)
    session.add(team)
    await session.flush()
    session.add(Membership(team_id=team.id, user_id=owner.id, role="owner"))
    for user, role in roles.items():
        session.add(Membership(team_id=team.id, user_id=user.id, role=role))
        await notify(session, MEMBER_ADDED, actor=owner, affected=user, team=team, role=role)
    return team


async def _add_project(
    session: AsyncSession,
    name: str,
    owner: User,
    clips: Sequence[dict[str, object]],
    team: Team,
) -> None:
    """Adds a project with the clips and shares it with the team."""
    project = Project(name=name, owner_id=owner.id)
    session.add(project)
    await session.flush()
    for position, clip in enumerate(clips):
        session.add(Clip(project_id=project.id, uploader_id=owner.id, position=position, **clip))
    session.add(Share(project_id=project.id, team_id=team.id))
    await notify(session, PROJECT_SHARED, actor=owner, team=team, project=project)
