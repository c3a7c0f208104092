"""Teams in JSON: list, create, show, rename, mute, leave, delete."""

from litestar import Response
from litestar.di import NamedDependency
from litestar.params import FromPath

from app import api
from app.api.answers import PAGED, page_links
from app.api.shapes import Message, Muted, MuteState
from app.database import Database
from app.http import AnyRequest
from app.language import _
from app.models import User
from app.notifications.preferences.muting import is_muted
from app.teams import queries
from app.teams.access import find_owner, require
from app.teams.api.shapes import (
    MembersQuery,
    NewTeam,
    TeamList,
    TeamObject,
    summary,
    team_object,
)
from app.teams.membership import leave_team
from app.teams.teams import create_team, delete_team, mute_team, rename_team, unmute_team


@api.get("/api/teams")
async def index(db: NamedDependency[Database], user: NamedDependency[User]) -> TeamList:
    """List your teams by name."""
    async with db.read() as session:
        return TeamList([summary(team) for team in await queries.teams_of(session, user)])


@api.post("/api/teams", status=201, headers={"Location": "The new team"})
async def create(
    db: NamedDependency[Database], user: NamedDependency[User], sent: NamedDependency[NewTeam]
) -> Response[TeamObject]:
    """Create a team. You become its owner."""
    async with db.act() as session:
        team = await create_team(session, user, sent.name)
    location = {"Location": f"/api/teams/{team.id}"}
    return Response(await _team(db, user, team.id), headers=location)


@api.get("/api/teams/{team_id:int}", headers=PAGED)
async def show(
    request: AnyRequest,
    db: NamedDependency[Database],
    user: NamedDependency[User],
    team_id: FromPath[int],
    asked: NamedDependency[MembersQuery],
) -> Response[TeamObject]:
    """Show a team and a page of its members."""
    team = await _team(db, user, team_id, page=asked.page, q=asked.q.strip())
    return Response(team, headers=page_links(request, team.page, team.pages))


@api.put("/api/teams/{team_id:int}")
async def rename(
    db: NamedDependency[Database],
    user: NamedDependency[User],
    team_id: FromPath[int],
    sent: NamedDependency[NewTeam],
) -> TeamObject:
    """Rename a team. Its members are notified."""
    async with db.act() as session:
        await rename_team(session, user, team_id, sent.name)
    return await _team(db, user, team_id)


@api.delete("/api/teams/{team_id:int}")
async def delete(
    db: NamedDependency[Database], user: NamedDependency[User], team_id: FromPath[int]
) -> Message:
    """Delete a team that you own. Its members are notified."""
    async with db.act() as session:
        await delete_team(session, user, team_id)
    return Message(_("Team deleted."))


@api.post("/api/teams/{team_id:int}/leave")
async def leave(
    db: NamedDependency[Database], user: NamedDependency[User], team_id: FromPath[int]
) -> Message:
    """Leave a team. Your own projects are no longer shared with it."""
    async with db.act() as session:
        team = await leave_team(session, user, team_id)
    return Message(_("You left '{team}'.").format(team=team.name))


@api.put("/api/teams/{team_id:int}/mute")
async def mute(
    db: NamedDependency[Database],
    user: NamedDependency[User],
    team_id: FromPath[int],
    sent: NamedDependency[Muted],
) -> MuteState:
    """Mute or unmute a team. While it is muted, you get only urgent and personal notifications."""
    change = mute_team if sent.muted else unmute_team
    async with db.write() as session:
        await change(session, user, team_id)
    return MuteState(sent.muted)


async def _team(
    db: Database, user: User, team_id: int, *, page: int = 1, q: str = ""
) -> TeamObject:
    async with db.read() as session:
        access = await require(session, user, team_id, "view")
        members = await queries.members_of(session, team_id, q, page)
        count = members.total if not q else await queries.count_members(session, team_id)
        owner = await find_owner(session, team_id)
        muted = await is_muted(session, user, team_id=team_id)
    return team_object(access, owner, count, members, page=page, muted=muted)


routes = [index, create, show, rename, delete, leave, mute]
