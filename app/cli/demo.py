"""The specification's cast as demo data: Alice, Bob and Carol; Video Squad and Editors;
Highlight Reel and Best Clips 2025. Loaded once, into a new database, on a loopback address only.
"""

import secrets

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

PASSWORD = "clippyfront"  # noqa: S105 - only ever on a loopback address
NAMES = ("Alice", "Bob", "Carol")
LOGINS = f"Log in as {', '.join(NAMES[:-1])} or {NAMES[-1]}; the password is {PASSWORD}\n"


async def load(db: Database, settings: Settings) -> None:
    """Accounts, teams, projects with real clips, and some notifications."""
    password_hash = await hash_password(PASSWORD)
    clips = await _draw(settings)
    async with db.act() as session:
        people = [_account(name, password_hash) for name in NAMES]
        session.add_all(people)
        await session.flush()
        alice, bob, carol = people
        alice.is_admin = True
        squad, editors = Team(name="Video Squad"), Team(name="Editors")
        reel = Project(name="Highlight Reel", owner_id=alice.id)
        best = Project(name="Best Clips 2025", owner_id=bob.id)
        session.add_all([squad, editors, reel, best])
        await session.flush()
        for team, owner in ((squad, alice), (editors, bob)):
            session.add(Membership(team_id=team.id, user_id=owner.id, role="owner"))
        for project, some in ((reel, clips[:2]), (best, clips[2:])):
            for position, clip in enumerate(some):
                session.add(
                    Clip(
                        project_id=project.id,
                        uploader_id=project.owner_id,
                        position=position,
                        **clip,
                    )
                )
        for team, owner, member, role in (
            (squad, alice, bob, "editor"),
            (editors, bob, alice, "admin"),
            (editors, bob, carol, "viewer"),
        ):
            session.add(Membership(team_id=team.id, user_id=member.id, role=role))
            await notify(session, MEMBER_ADDED, actor=owner, affected=member, team=team, role=role)
        for project, team, owner in ((reel, squad, alice), (best, editors, bob)):
            session.add(Share(project_id=project.id, team_id=team.id))
            await notify(session, PROJECT_SHARED, actor=owner, team=team, project=project)


def _account(name: str, password_hash: str) -> User:
    return User(
        username=name,
        username_key=name.casefold(),
        email=f"{name.casefold()}@example.com",
        email_key=f"{name.casefold()}@example.com",
        email_confirmed_at=clock.now(),
        password_hash=password_hash,
    )


async def _draw(settings: Settings) -> list[dict[str, object]]:
    """Short real clips in the clips' folder; the values of their rows."""
    drawn = []
    settings.clips_dir.mkdir(parents=True, exist_ok=True)
    try:
        for clip in await draw_demo_clips(settings.clips_dir):
            facts = await probe(clip.path, clip.name)
            stored_as = secrets.token_hex(16)
            target = clip.path.rename(settings.clips_dir / stored_as)
            drawn.append(
                {
                    "filename": clip.name,
                    "stored_as": stored_as,
                    "size": target.stat().st_size,
                    "duration": facts.duration,
                    "width": facts.width,
                    "height": facts.height,
                }
            )
    except CompilationError:
        # The demo is still worth showing on a machine where no clip can be drawn.
        return drawn
    return drawn
