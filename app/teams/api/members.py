"""Members in JSON: added directly, given another role, made owner, removed."""

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
from app.teams.roles import OWNER
from app.teams.throttles import throttle_invitations


@api.post("/api/teams/{team_id:int}/members", status=201, problems={409, 429})
async def add(
    db: NamedDependency[Database],
    settings: NamedDependency[Settings],
    user: NamedDependency[User],
    team_id: FromPath[int],
    sent: NamedDependency[NewMember],
) -> MemberObject:
    """Add a user to a team, by username or address. They and the other members are notified."""
    await throttle_invitations(db, settings, user)
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
    """Change a member's role. The owner can hand the team over with the role `owner`."""
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
    """Remove a member. They and the other members are notified."""
    async with db.act() as session:
        member = await remove_member(session, user, team_id, user_id)
    return Message(_("{name} was removed.").format(name=member.username))


async def _member(db: Database, team_id: int, user_id: int) -> MemberObject:
    async with db.read() as session:
        member, membership = await find_member(session, team_id, user_id)
    joined_at = moment(membership.joined_at)
    return MemberObject(member.id, member.username, membership.role, joined_at)


routes = [add, change, remove]
