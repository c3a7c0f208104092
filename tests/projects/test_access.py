"""Who may see a project is one rule, asked in two directions."""

from sqlalchemy import select

from app.database import Database
from app.models import Project, Team, User
from app.projects.sharing import share_project
from app.visibility import project_viewers, sees_project
from tests.factories import make_team


async def test_the_viewers_of_a_project_are_those_to_whom_it_is_visible(
    db: Database, alice: User, bob: User, carol: User, reel: Project
) -> None:
    teams: list[Team] = [
        await make_team(db, alice, name, viewers=[bob]) for name in ("Video Squad", "Film Squad")
    ]
    async with db.act() as session:
        for team in teams:
            await share_project(session, alice, reel.id, team.id)
    async with db.read() as session:
        seen_by = [tuple(row) for row in await session.execute(project_viewers([reel.id]))]
        of_two = await session.execute(project_viewers([reel.id], [bob.id, carol.id]))
        visible = [
            (project_id, user.id)
            for user in (alice, bob, carol)
            for project_id in await session.scalars(select(Project.id).where(sees_project(user.id)))
        ]

    assert sorted(seen_by) == sorted(visible)
    assert [tuple(row) for row in of_two] == [(reel.id, bob.id)]
