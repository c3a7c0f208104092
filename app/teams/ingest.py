"""Events that programs send to the members of a team: type `custom`, once for each idempotency key.

They are sent in the name of an owner or admin, and reach members of that user's teams only.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import ColumnElement, Row, Select, and_, delete, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from app import clock
from app.database import Database
from app.errors import Forbidden, Invalid, NotFound, require_valid
from app.language import _
from app.models import IngestKey, Membership, Project, Share, Team, User
from app.notifications.events.catalogue import CUSTOM
from app.notifications.events.custom import CustomMessage, key_error
from app.notifications.notify import count_recipients, notify
from app.notifications.supersede import Collapsing
from app.teams.access import require
from app.teams.roles import RIGHTS

KEYS_KEPT = timedelta(hours=24)


@dataclass(frozen=True)
class ChosenAudience:
    """The members of a team, or of all teams that a project is shared with, in which the user may
    send events. `members` narrows them by id and username. With `members` alone, the team is the
    first that has them all.
    """

    team_id: int | None = None
    project_id: int | None = None
    members: Sequence[int | str] = ()


@dataclass(frozen=True)
class SentEvent:
    event_id: int
    recipient_count: int


async def send_event(
    session: AsyncSession,
    user: User,
    message: CustomMessage,
    recipients: ChosenAudience,
    *,
    idempotency_key: str = "",
    collapsing: Collapsing | None = None,
) -> SentEvent:
    """Notify `recipients`. A key that was used within 24 hours returns the event sent then. With
    `collapsing`, the event takes the place of the one with the same key.

    Raises Invalid for `title`, `body`, `url`, `group_key`, `collapse_key`, `team_id`, `recipients`;
    NotFound for a team or project that the user cannot see; Forbidden where they may not send events.
    """
    if idempotency_key and (earlier := await _find_key(session, user, idempotency_key)):
        return SentEvent(earlier.event_id, earlier.recipients)
    message.require_valid()
    if collapsing:
        require_valid(collapse_key=key_error(collapsing.key))
    teams, project = await _find_teams(session, user, recipients)
    teams, members = await _find_members(session, teams, recipients)
    event = await notify(
        session,
        CUSTOM,
        actor=user,
        team=teams[0] if len(teams) == 1 else None,
        project=project,
        recipients=members,
        collapsing=collapsing,
        **message.facts(),
    )
    sent = SentEvent(event.id, await count_recipients(session, event))
    if idempotency_key:
        _store_key(session, user, idempotency_key, sent)
    return sent


async def _find_key(session: AsyncSession, user: User, key: str) -> IngestKey | None:
    is_same = and_(IngestKey.user_id == user.id, IngestKey.key == key)
    await session.execute(delete(IngestKey).where(is_same, _is_outdated()))
    return (await session.scalars(select(IngestKey).where(is_same))).one_or_none()


def _is_outdated() -> ColumnElement[bool]:
    return IngestKey.created_at < clock.now() - KEYS_KEPT


async def forget_keys(db: Database) -> None:
    """Deletes the idempotency keys that are no longer valid."""
    async with db.write() as session:
        await session.execute(delete(IngestKey).where(_is_outdated()))


def _store_key(session: AsyncSession, user: User, key: str, sent: SentEvent) -> None:
    stored = {"event_id": sent.event_id, "recipients": sent.recipient_count}
    session.add(IngestKey(user_id=user.id, key=key, **stored))


async def _find_teams(
    session: AsyncSession, user: User, recipients: ChosenAudience
) -> tuple[list[Team], Project | None]:
    """The teams whose members are notified, and the project that the event is about."""
    project = None
    if recipients.team_id is not None:
        teams = [(await require(session, user, recipients.team_id, "send_event")).team]
    elif recipients.project_id is None and not recipients.members:
        raise Invalid({"team_id": _("Give recipients, team_id or project_id.")})
    else:
        teams = await _teams_with_right(session, user, recipients.project_id)
    if recipients.project_id is not None:
        project = await _shared_with(session, recipients.project_id, teams)
    return teams, project


async def _teams_with_right(
    session: AsyncSession, user: User, project_id: int | None
) -> list[Team]:
    """The teams in which the user may send events, of those that the project is shared with."""
    own = (
        select(Team, Membership.role)
        .join(Membership, Membership.team_id == Team.id)
        .where(Membership.user_id == user.id)
        .order_by(Team.id)
    )
    if project_id is not None:
        own = own.join(Share, Share.team_id == Team.id).where(Share.project_id == project_id)
    rows = (await session.execute(own)).all()
    if project_id is not None and not rows:
        raise NotFound
    teams = [team for team, role in rows if role in RIGHTS["send_event"]]
    if not teams:
        raise Forbidden(_("Only the owner and the admins of a team can send events to it."))
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


async def _find_members(
    session: AsyncSession, teams: list[Team], recipients: ChosenAudience
) -> tuple[list[Team], Select[int, int]]:
    """The members of `teams`, or only those that are named, with their teams.

    Raises Invalid for `recipients`.
    """
    if not recipients.members:
        return teams, _members(teams)
    ids = {one for one in recipients.members if isinstance(one, int)}
    names = {one.casefold() for one in recipients.members if isinstance(one, str)}
    named = (
        select(User.id, User.username_key, Membership.team_id)
        .join(Membership, Membership.user_id == User.id)
        .where(Membership.team_id.in_([team.id for team in teams]))
        .where(or_(User.id.in_(ids), User.username_key.in_(names)))
    )
    rows = (await session.execute(named)).all()
    if recipients.team_id is None and recipients.project_id is None:
        teams = [team for team in teams if _keys(rows, [team]) >= ids | names][:1]
    if unknown := (ids | names) - _keys(rows, teams):
        sentence = _("These users are not all in one team that you can send events to: {names}.")
        unknown_names = ", ".join(sorted(map(str, unknown)))
        raise Invalid({"recipients": sentence.format(names=unknown_names)})
    return teams, _members(teams).where(Membership.user_id.in_({row.id for row in rows}))


def _keys(rows: Sequence[Row[int, str, int]], teams: Sequence[Team]) -> set[int | str]:
    """The ids and usernames in `rows` that belong to members of `teams`."""
    team_ids = {team.id for team in teams}
    return {key for id, name, team_id in rows if team_id in team_ids for key in (id, name)}
