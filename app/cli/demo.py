"""The demo data: Alice, Bob and Carol with teams, projects, clips and notifications.

Loaded once, into a new database. Its password is public, so where others can reach the server the
users get random passwords, and sessions and tokens opened with the public one end.
"""

import secrets
from collections.abc import Mapping, Sequence

from sqlalchemy import Select, exists, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from app import clock
from app.accounts.sessions import end_all_sessions
from app.accounts.tokens import revoke_all_tokens
from app.accounts.validation import DEMO_PASSWORD
from app.cli.demo_clips import draw_demo_clips
from app.database import Database
from app.models import Clip, Membership, Project, Share, Team, Token, User, WebSession
from app.notifications.events.catalogue import MEMBER_ADDED, PROJECT_SHARED
from app.notifications.notify import notify
from app.projects.video.ffmpeg import CompilationError
from app.projects.video.probe import probe
from app.security import hash_password, verify_password
from app.settings import Settings

NAMES = ("Alice", "Bob", "Carol")


def logins(password: str) -> str:
    return f"Log in as {', '.join(NAMES[:-1])} or {NAMES[-1]}; the password is {password}\n"


async def load(db: Database, settings: Settings) -> None:
    """Adds the users, teams, projects with real clips, and the notifications they cause."""
    password = secrets.token_urlsafe(12) if settings.is_reachable else DEMO_PASSWORD
    password_hash = await hash_password(password)
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
    if settings.is_reachable:
        print(f"{logins(password)}This password is not shown again.\n", flush=True)


async def close_logins(db: Database) -> None:
    """Ends all sessions and access tokens of the users who still have the demo password."""
    async with db.read() as session:
        found = (await session.scalars(_logged_in())).all()
    users = [user for user in found if await verify_password(DEMO_PASSWORD, user.password_hash)]
    if not users:
        return
    async with db.write() as session:
        for user in users:
            await end_all_sessions(session, user)
            await revoke_all_tokens(session, user)
    names = ", ".join(user.username for user in users)
    print(f"Logged out, because others can reach this server: {names}", flush=True)


def _logged_in() -> Select[User]:
    keys = [name.casefold() for name in NAMES]
    held = exists().where(WebSession.user_id == User.id), exists().where(Token.user_id == User.id)
    return select(User).where(User.username_key.in_(keys), or_(*held))


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
