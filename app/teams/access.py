"""Access control: every verb and every page of a team starts here."""

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.errors import Forbidden, NotFound
from app.language import _
from app.models import Membership, Team, User
from app.teams.roles import OWNER, RIGHTS
from app.topics import TEAM, touch
from app.values.names import isolate

# Rights whose use changes nothing that the team's page shows.
WITHOUT_CHANGE = ("view", "send_event")


@dataclass(frozen=True)
class TeamAccess:
    """A team, and the role of the user who asks."""

    team: Team
    role: str

    def may(self, right: str) -> bool:
        """Whether the role has `right`, a key of `RIGHTS`."""
        return self.role in RIGHTS[right]


async def require(session: AsyncSession, user: User, team_id: int, right: str) -> TeamAccess:
    """Raises NotFound for a team the user is not in, Forbidden when their role lacks `right`.

    If the right is one to change the team, this also touches the team's topic, so that open pages
    are refreshed without each verb having to think of it.
    """
    access = await find_access(session, user, team_id)
    if access is None:
        raise NotFound
    if not access.may(right):
        sentence = _("Your role in '{team}' ({role}) does not allow this.")
        raise Forbidden(sentence.format(role=_(access.role), team=isolate(access.team.name)))
    if right not in WITHOUT_CHANGE:
        touch(session, TEAM, team_id)
    return access


async def find_access(session: AsyncSession, user: User, team_id: int) -> TeamAccess | None:
    """None when the user is not in the team."""
    found = (
        select(Team, Membership.role)
        .join(Membership, Membership.team_id == Team.id)
        .where(Team.id == team_id, Membership.user_id == user.id)
    )
    row = (await session.execute(found)).one_or_none()
    return TeamAccess(*row) if row else None


async def is_member(session: AsyncSession, team_id: int, user_id: int) -> bool:
    return await session.get(Membership, (team_id, user_id)) is not None


def already_in(username: str) -> str:
    """Why this member can be neither added nor invited."""
    return _("{name} is already in this team.").format(name=isolate(username))


async def find_member(session: AsyncSession, team_id: int, user_id: int) -> tuple[User, Membership]:
    """Raises NotFound."""
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
