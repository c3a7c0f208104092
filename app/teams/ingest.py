"""Other software tells members of a team something: an event of type custom, at most once a key.

Only the owner or an admin lends their name to it, and nobody outside the team hears of it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import Row, Select, delete, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from app import clock
from app.errors import Forbidden, Invalid, NotFound
from app.language import _
from app.models import IngestKey, Membership, Project, Share, Team, User
from app.notifications.events.catalogue import CUSTOM
from app.notifications.events.custom import CustomMessage
from app.notifications.notify import count_recipients, notify
from app.teams.access import require
from app.teams.roles import RIGHTS

KEYS_KEPT = timedelta(hours=24)


@dataclass(frozen=True)
class Whom:
    """The members of a team, of those a project is shared with, or, by names and ids, some of
    them. Recipients alone belong to one team in which the person may tell something.
    """

    team_id: int | None = None
    project_id: int | None = None
    recipients: Sequence[int | str] = ()


@dataclass(frozen=True)
class Ingested:
    """`recipients` is how many users were notified."""

    event_id: int
    recipients: int


async def tell(
    session: AsyncSession, user: User, message: CustomMessage, whom: Whom, *, key: str = ""
) -> Ingested:
    """Tell them, or, where `key` was used within 24 hours, answer what was answered then.

    Raises Invalid for `title`, `url`, `recipients`; NotFound for what the person may not know of,
    Forbidden where they may not tell anything.
    """
    if key and (known := await _known(session, user, key)):
        return Ingested(known.event_id, known.recipients)
    message.require_right()
    teams, project = await _teams(session, user, whom)
    if whom.recipients:
        teams, recipients = await _some_of(session, teams, whom)
    else:
        recipients = _members(teams)
    team = teams[0] if len(teams) == 1 else None
    event = await notify(
        session,
        CUSTOM,
        actor=user,
        team=team,
        project=project,
        recipients=recipients,
        **message.facts(),
    )
    ingested = Ingested(event.id, await count_recipients(session, event))
    if key:
        remembered = {"event_id": ingested.event_id, "recipients": ingested.recipients}
        session.add(IngestKey(user_id=user.id, key=key, **remembered))
    return ingested


async def _known(session: AsyncSession, user: User, key: str) -> IngestKey | None:
    await session.execute(delete(IngestKey).where(IngestKey.created_at < clock.now() - KEYS_KEPT))
    same = select(IngestKey).where(IngestKey.user_id == user.id, IngestKey.key == key)
    return (await session.scalars(same)).one_or_none()


async def _teams(
    session: AsyncSession, user: User, whom: Whom
) -> tuple[list[Team], Project | None]:
    """Through which teams they are told, and the project that it is about."""
    project = None
    if whom.team_id is not None:
        teams = [(await require(session, user, whom.team_id, "tell")).team]
    elif whom.project_id is None and not whom.recipients:
        raise Invalid({"team_id": _("Say whom to tell: recipients, team_id or project_id.")})
    else:
        teams = await _in_charge(session, user, whom.project_id)
    if whom.project_id is not None:
        project = await _shared_with(session, whom.project_id, teams)
    return teams, project


async def _in_charge(session: AsyncSession, user: User, project_id: int | None) -> list[Team]:
    """The teams in which the person may tell something, of those the project is shared with."""
    mine = (
        select(Team, Membership.role)
        .join(Membership, Membership.team_id == Team.id)
        .where(Membership.user_id == user.id)
        .order_by(Team.id)
    )
    if project_id is not None:
        mine = mine.join(Share, Share.team_id == Team.id).where(Share.project_id == project_id)
    rows = (await session.execute(mine)).all()
    if project_id is not None and not rows:
        raise NotFound
    teams = [team for team, role in rows if role in RIGHTS["tell"]]
    if not teams:
        raise Forbidden(_("Only the owner and the admins of a team can have a program tell it."))
    return teams


async def _shared_with(session: AsyncSession, project_id: int, teams: list[Team]) -> Project:
    shared = (
        select(Project)
        .join(Share, Share.project_id == Project.id)
        .where(Project.id == project_id, Share.team_id.in_([team.id for team in teams]))
    )
    project = (await session.scalars(shared.distinct())).one_or_none()
    if project is None:
        raise NotFound
    return project


def _members(teams: Sequence[Team]) -> Select[int, int]:
    return select(Membership.user_id, Membership.team_id).where(
        Membership.team_id.in_([team.id for team in teams])
    )


async def _some_of(
    session: AsyncSession, teams: list[Team], whom: Whom
) -> tuple[list[Team], Select[int, int]]:
    """The named members; where no team and no project is said, of the first team that has all."""
    ids = {one for one in whom.recipients if isinstance(one, int)}
    names = {one.casefold() for one in whom.recipients if isinstance(one, str)}
    named = (
        select(User.id, User.username_key, Membership.team_id)
        .join(Membership, Membership.user_id == User.id)
        .where(Membership.team_id.in_([team.id for team in teams]))
        .where(or_(User.id.in_(ids), User.username_key.in_(names)))
    )
    rows = (await session.execute(named)).all()
    if whom.team_id is None and whom.project_id is None:
        teams = [team for team in teams if _keys(rows, [team]) >= ids | names][:1]
    if unknown := (ids | names) - _keys(rows, teams):
        sentence = _("These are not members of one such team: {names}.")
        unknown_names = ", ".join(sorted(map(str, unknown)))
        raise Invalid({"recipients": sentence.format(names=unknown_names)})
    return teams, _members(teams).where(Membership.user_id.in_({row.id for row in rows}))


def _keys(rows: Sequence[Row[int, str, int]], teams: Sequence[Team]) -> set[int | str]:
    """The ids and names that belong to members of these teams."""
    where = {team.id for team in teams}
    return {key for id, name, team_id in rows if team_id in where for key in (id, name)}
