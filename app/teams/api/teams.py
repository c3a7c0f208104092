"""Teams in JSON: list, create, show, rename, mute, leave, delete."""

from typing import Annotated

from litestar import Response, delete, get, post, put
from litestar.di import NamedDependency
from litestar.openapi.spec import Example
from litestar.params import FromPath, JSONBody, QueryParameter

from app.api.problems import problems
from app.api.responses import LINK, LOCATION, page_links
from app.api.shapes import NO_NUL, Message, MuteChange, MuteState, PageNumber
from app.database import Database
from app.http import AnyRequest
from app.language import _
from app.models import User
from app.notifications.preferences.muting import is_muted
from app.notifications.throttles import throttle_notifying
from app.settings import Settings
from app.teams import queries
from app.teams.access import find_owner, require
from app.teams.api.shapes import (
    NewTeam,
    TeamList,
    TeamObject,
    summary,
    team_object,
)
from app.teams.membership import leave_team
from app.teams.teams import create_team, delete_team, mute_team, rename_team, unmute_team

NAME_CONTAINS = QueryParameter(
    pattern=NO_NUL,
    description="Only members whose username contains this.",
    examples=[Example(value="ali")],
)


@get()
async def index(db: NamedDependency[Database], user: NamedDependency[User]) -> TeamList:
    """List your teams by name."""
    async with db.read() as session:
        return TeamList([summary(team) for team in await queries.teams_of(session, user)])


@post(response_headers=[LOCATION], responses=problems(409))
async def create(
    db: NamedDependency[Database], user: NamedDependency[User], data: JSONBody[NewTeam]
) -> Response[TeamObject]:
    """Create a team. You become its owner. You can own at most 200."""
    async with db.act() as session:
        team = await create_team(session, user, data.name)
    location = {"Location": f"/api/teams/{team.id}"}
    return Response(await _team(db, user, team.id), headers=location)


@get(response_headers=[LINK])
async def show(
    request: AnyRequest,
    db: NamedDependency[Database],
    user: NamedDependency[User],
    team_id: FromPath[int],
    page: PageNumber = 1,
    q: Annotated[str, NAME_CONTAINS] = "",
) -> Response[TeamObject]:
    """Show a team and a page of its members."""
    team = await _team(db, user, team_id, page=page, q=q.strip())
    return Response(team, headers=page_links(request, team.page, team.pages))


@put(responses=problems(429))
async def rename(
    db: NamedDependency[Database],
    settings: NamedDependency[Settings],
    user: NamedDependency[User],
    team_id: FromPath[int],
    data: JSONBody[NewTeam],
) -> TeamObject:
    """Rename a team. Its members are notified."""
    await throttle_notifying(db, settings, user)
    async with db.act() as session:
        await rename_team(session, user, team_id, data.name)
    return await _team(db, user, team_id)


@delete(status_code=200, responses=problems(429))
async def destroy(
    db: NamedDependency[Database],
    settings: NamedDependency[Settings],
    user: NamedDependency[User],
    team_id: FromPath[int],
) -> Message:
    """Delete a team that you own. Its members are notified."""
    await throttle_notifying(db, settings, user)
    async with db.act() as session:
        await delete_team(session, user, team_id)
    return Message(_("Team deleted."))


@post(status_code=200, responses=problems(429))
async def leave(
    db: NamedDependency[Database],
    settings: NamedDependency[Settings],
    user: NamedDependency[User],
    team_id: FromPath[int],
) -> Message:
    """Leave a team. Your own projects are no longer shared with it."""
    await throttle_notifying(db, settings, user)
    async with db.act() as session:
        team = await leave_team(session, user, team_id)
    return Message(_("You left '{team}'.").format(team=team.name))


@put()
async def mute(
    db: NamedDependency[Database],
    user: NamedDependency[User],
    team_id: FromPath[int],
    data: JSONBody[MuteChange],
) -> MuteState:
    """Mute or unmute a team. While it is muted, you get only urgent and personal notifications."""
    change = mute_team if data.muted else unmute_team
    async with db.exclusive() as session:
        await change(session, user, team_id)
    return MuteState(data.muted)


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
