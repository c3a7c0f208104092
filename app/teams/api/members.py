"""Members in JSON: added directly, given another role, made owner, removed."""

from collections.abc import Iterator
from contextlib import contextmanager

from litestar import delete, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from app.api.problems import problems
from app.api.shapes import Message, whole_seconds
from app.database import Database
from app.errors import Invalid
from app.language import _
from app.models import User
from app.notifications.throttles import throttle_notifying
from app.settings import Settings
from app.teams.access import find_member
from app.teams.api.shapes import MemberObject, NewMember, NewRole
from app.teams.membership import add_member, change_role, hand_over, remove_member
from app.teams.roles import OWNER
from app.teams.throttles import throttle_invitations


@post(responses=problems(409, 429))
async def add(
    db: NamedDependency[Database],
    settings: NamedDependency[Settings],
    user: NamedDependency[User],
    team_id: FromPath[int],
    data: JSONBody[NewMember],
) -> MemberObject:
    """Add a user to a team, by username or address. They and the other members are notified."""
    await throttle_invitations(db, settings, user)
    with _named(login="username"):
        async with db.act() as session:
            member = await add_member(session, user, team_id, data.username.strip(), data.role)
    return await _member(db, team_id, member.id)


@put(responses=problems(409, 429))
async def change(
    db: NamedDependency[Database],
    settings: NamedDependency[Settings],
    user: NamedDependency[User],
    team_id: FromPath[int],
    user_id: FromPath[int],
    data: JSONBody[NewRole],
) -> MemberObject:
    """Change a member's role. The owner can hand the team over with the role `owner`."""
    await throttle_notifying(db, settings, user)
    async with db.act() as session:
        if data.role == OWNER:
            await hand_over(session, user, team_id, user_id)
        else:
            await change_role(session, user, team_id, user_id, data.role)
    return await _member(db, team_id, user_id)


@delete(status_code=200, responses=problems(429))
async def remove(
    db: NamedDependency[Database],
    settings: NamedDependency[Settings],
    user: NamedDependency[User],
    team_id: FromPath[int],
    user_id: FromPath[int],
) -> Message:
    """Remove a member. They and the other members are notified."""
    await throttle_notifying(db, settings, user)
    async with db.act() as session:
        member = await remove_member(session, user, team_id, user_id)
    return Message(_("{name} was removed.").format(name=member.username))


@contextmanager
def _named(**names: str) -> Iterator[None]:
    """Within this block, Invalid names fields as the request body does."""
    try:
        yield
    except Invalid as invalid:
        errors = invalid.fields.items()
        invalid.fields = {names.get(field, field): sentence for field, sentence in errors}
        raise


async def _member(db: Database, team_id: int, user_id: int) -> MemberObject:
    async with db.read() as session:
        member, membership = await find_member(session, team_id, user_id)
    return MemberObject(
        member.id, member.username, membership.role, whole_seconds(membership.joined_at)
    )
