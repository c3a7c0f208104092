"""Where a person stands in a team: every verb and page asks here first."""

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.errors import Forbidden, NotFound
from app.language import _
from app.models import Membership, Team, User
from app.teams.roles import OWNER, RIGHTS


@dataclass(frozen=True)
class Standing:
    team: Team
    role: str

    def may(self, right: str) -> bool:
        """Whether the role has `right`, a key of `RIGHTS`."""
        return self.role in RIGHTS[right]


async def require(session: AsyncSession, user: User, team_id: int, right: str) -> Standing:
    """Raises NotFound in teams the person is not in, Forbidden for what the role does not allow."""
    standing = await standing_of(session, user, team_id)
    if not standing.may(right):
        sentence = _("As {role} of '{team}' you may not do that.")
        raise Forbidden(sentence.format(role=_(standing.role), team=standing.team.name))
    return standing


async def standing_of(session: AsyncSession, user: User, team_id: int) -> Standing:
    """Raises NotFound when the person is not in the team."""
    found = (
        select(Team, Membership.role)
        .join(Membership, Membership.team_id == Team.id)
        .where(Team.id == team_id, Membership.user_id == user.id)
    )
    row = (await session.execute(found)).one_or_none()
    if row is None:
        raise NotFound
    return Standing(*row)


async def is_member(session: AsyncSession, team_id: int, user_id: int) -> bool:
    return await session.get(Membership, (team_id, user_id)) is not None


async def find_member(session: AsyncSession, team_id: int, user_id: int) -> tuple[User, Membership]:
    """Somebody in the team, and their place in it. Raises NotFound."""
    found = (
        select(User, Membership)
        .join(Membership, Membership.user_id == User.id)
        .where(Membership.team_id == team_id, User.id == user_id)
    )
    row = (await session.execute(found)).one_or_none()
    if row is None:
        raise NotFound
    return row.User, row.Membership


async def find_owner(session: AsyncSession, team_id: int) -> User:
    owner = (
        select(User)
        .join(Membership, Membership.user_id == User.id)
        .where(Membership.team_id == team_id, Membership.role == OWNER)
    )
    return (await session.scalars(owner)).one()
