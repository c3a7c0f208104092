"""Members for programs: added directly, given another role or the team itself, removed."""

from litestar.di import NamedDependency
from litestar.params import FromPath

from app import api
from app.api.answers import calling
from app.api.shapes import Message, moment
from app.database import Database
from app.language import _
from app.models import User
from app.settings import Settings
from app.teams.access import find_member
from app.teams.api.shapes import MemberObject, NewMember, NewRole
from app.teams.membership import add_member, change_role, hand_over, remove_member
from app.teams.pages.invitation import require_patience
from app.teams.roles import OWNER


@api.post("/api/teams/{team_id:int}/members", status=201, problems={409, 429})
async def add(
    db: NamedDependency[Database],
    settings: NamedDependency[Settings],
    user: NamedDependency[User],
    team_id: FromPath[int],
    sent: NamedDependency[NewMember],
) -> MemberObject:
    """Add somebody to a team, by name or address. They are told, and so are the members."""
    await require_patience(db, settings, user)
    with calling(login="username"):
        async with db.act() as session:
            member = await add_member(session, user, team_id, sent.username.strip(), sent.role)
    return await _member(db, team_id, member.id)


@api.put("/api/teams/{team_id:int}/members/{user_id:int}")
async def change(
    db: NamedDependency[Database],
    user: NamedDependency[User],
    team_id: FromPath[int],
    user_id: FromPath[int],
    sent: NamedDependency[NewRole],
) -> MemberObject:
    """Give a member another role, or, as the owner, the team itself."""
    async with db.act() as session:
        if sent.role == OWNER:
            await hand_over(session, user, team_id, user_id)
        else:
            await change_role(session, user, team_id, user_id, sent.role)
    return await _member(db, team_id, user_id)


@api.delete("/api/teams/{team_id:int}/members/{user_id:int}")
async def remove(
    db: NamedDependency[Database],
    user: NamedDependency[User],
    team_id: FromPath[int],
    user_id: FromPath[int],
) -> Message:
    """Remove a member. They are told, and so are the others."""
    async with db.act() as session:
        member = await remove_member(session, user, team_id, user_id)
    return Message(_("{name} was removed.").format(name=member.username))


async def _member(db: Database, team_id: int, user_id: int) -> MemberObject:
    async with db.read() as session:
        member, place = await find_member(session, team_id, user_id)
    return MemberObject(member.id, member.username, place.role, moment(place.joined_at))


routes = [add, change, remove]
