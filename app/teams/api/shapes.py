"""How teams, members and invitations look in JSON."""

from datetime import datetime
from typing import Annotated, Literal

from msgspec import UNSET, Meta, UnsetType

from app import clock
from app.api.shapes import Answer, Named, Person, Sent, Text, like, moment
from app.email_addresses import EMAIL_LENGTH, EMAIL_PATTERN
from app.models import Invitation, User
from app.teams.access import Standing
from app.teams.queries import Member, MemberPage, TeamInList
from app.teams.teams import NAME_LENGTH

Role = Literal["owner", "admin", "editor", "viewer"]
Grantable = Literal["admin", "editor", "viewer"]


class NewTeam(Sent):
    name: Annotated[Text, Meta(min_length=1, max_length=NAME_LENGTH)]

    example = like(name="My Team")


class TeamSummary(Answer):
    """A team in a list; `role` is one's own."""

    id: int
    name: str
    role: str
    member_count: int

    example = like(id=5, name="My Team", role="owner", member_count=3)


class TeamList(Answer):
    teams: list[TeamSummary]

    example = like(teams=[TeamSummary.example])


class MemberObject(Answer):
    user_id: int
    username: str
    role: str
    joined_at: datetime

    example = like(user_id=2, username="alice", role="editor", joined_at="2025-11-19T22:30:00Z")


class TeamObject(Answer):
    """`members` is page `page` of `pages` of those whose names match, `member_count` all there are."""

    id: int
    name: str
    role: str
    owner: Person
    member_count: int
    members: list[MemberObject]
    page: int
    pages: int
    muted: bool

    example = like(
        id=5,
        name="My Team",
        role="editor",
        owner=Person.example,
        member_count=1,
        members=[MemberObject.example],
        page=1,
        pages=1,
        muted=False,
    )


class MembersQuery(Sent):
    page: Annotated[int, Meta(ge=1, description="One beyond the last is empty.")] = 1
    q: Annotated[Text, Meta(description="Only members whose name contains this.")] = ""

    example = like(q="ali")


class NewMember(Sent):
    """`username` is the name or the confirmed address of an account."""

    username: Text
    role: Grantable

    example = like(username="alice", role="editor")


class NewRole(Sent):
    """`owner` hands the team over; only its owner can do that."""

    role: Role

    example = like(role="viewer")


class NewInvitation(Sent):
    email: Annotated[str, Meta(max_length=EMAIL_LENGTH, pattern=rf"^{EMAIL_PATTERN}$")]
    role: Grantable

    example = like(email="alice@example.com", role="editor")


class InvitationObject(Answer):
    """`status` is pending, accepted, declined, revoked or expired. `token`, the end of the link
    that is sent, is told only to who created it or sent it again.
    """

    id: int
    email: str
    role: str
    status: str
    expires_at: datetime
    token: str | UnsetType = UNSET

    example = like(
        id=9,
        email="alice@example.com",
        role="editor",
        status="pending",
        expires_at="2025-11-26T22:30:00Z",
    )


class InvitationList(Answer):
    invitations: list[InvitationObject]

    example = like(invitations=[InvitationObject.example])


class InvitationSeen(InvitationObject, kw_only=True):
    """As its invitee sees it; `inviter` is null where that account has gone."""

    team: Named
    inviter: str | None

    example = like(**InvitationObject.example, team=Named.example, inviter="admin")


class Joined(Answer):
    message: str
    team: Named

    example = like(message="Welcome to 'My Team'.", team=Named.example)


def summary(team: TeamInList) -> TeamSummary:
    return TeamSummary(team.id, team.name, team.role, team.member_count)


def member_object(member: Member) -> MemberObject:
    return MemberObject(member.id, member.username, member.role, moment(member.joined_at))


def team_object(
    standing: Standing, owner: User, count: int, found: MemberPage, *, page: int, muted: bool
) -> TeamObject:
    members = found.members if page <= found.pages else []
    return TeamObject(
        id=standing.team.id,
        name=standing.team.name,
        role=standing.role,
        owner=Person(owner.id, owner.username),
        member_count=count,
        members=[member_object(member) for member in members],
        page=page,
        pages=found.pages,
        muted=muted,
    )


def invitation_object(invitation: Invitation, token: str = "") -> InvitationObject:
    return InvitationObject(
        id=invitation.id,
        email=invitation.email,
        role=invitation.role,
        status=status_of(invitation),
        expires_at=moment(invitation.expires_at),
        token=token or UNSET,
    )


def status_of(invitation: Invitation) -> str:
    is_over = invitation.status == "pending" and invitation.expires_at <= clock.now()
    return "expired" if is_over else invitation.status
