"""The JSON objects of teams, members and invitations."""

from datetime import datetime
from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, UnsetType

from app.api.shapes import (
    NamedReference,
    RequestBody,
    ResponseBody,
    Text,
    UserReference,
    like,
    whole_seconds,
)
from app.models import Invitation, User
from app.notifications.events.catalogue import ROLES
from app.teams.access import TeamAccess
from app.teams.invitations import unmailed_reason
from app.teams.queries import Member, MemberPage, TeamInList
from app.teams.roles import GRANTABLE
from app.teams.teams import NAME_LENGTH
from app.values.email_addresses import EMAIL_LENGTH, EMAIL_PATTERN
from app.values.names import NAME_PATTERN

Role: Any = Literal[ROLES]
Grantable: Any = Literal[GRANTABLE]


class NewTeam(RequestBody):
    name: Annotated[str, Meta(min_length=1, max_length=NAME_LENGTH, pattern=NAME_PATTERN)]

    example = like(name="My Team")


class TeamSummary(ResponseBody):
    """A team in a list; `role` is your own."""

    id: int
    name: str
    role: str
    owner: UserReference
    member_count: int

    example = like(id=5, name="My Team", role="editor", owner=UserReference.example, member_count=3)


class TeamList(ResponseBody):
    teams: list[TeamSummary]

    example = like(teams=[TeamSummary.example])


class MemberObject(ResponseBody):
    user_id: int
    username: str
    role: str
    joined_at: datetime

    example = like(user_id=2, username="alice", role="editor", joined_at="2025-11-19T22:30:00Z")


class TeamObject(ResponseBody):
    """`members` is page `page` of `pages` of the members that match `q`; `member_count` counts all."""

    id: int
    name: str
    role: str
    owner: UserReference
    member_count: int
    members: list[MemberObject]
    page: int
    pages: int
    muted: bool

    example = like(
        id=5,
        name="My Team",
        role="editor",
        owner=UserReference.example,
        member_count=1,
        members=[MemberObject.example],
        page=1,
        pages=1,
        muted=False,
    )


class NewMember(RequestBody):
    """`username` is the username or the confirmed address of an account."""

    username: Text
    role: Grantable

    example = like(username="alice", role="editor")


class NewRole(RequestBody):
    """`owner` hands the team over, which only its present owner can do."""

    role: Role

    example = like(role="viewer")


class NewInvitation(RequestBody):
    email: Annotated[str, Meta(max_length=EMAIL_LENGTH, pattern=rf"^{EMAIL_PATTERN}$")]
    role: Grantable

    example = like(email="alice@example.com", role="editor")


class InvitationObject(ResponseBody):
    """`status` is pending, accepted, declined, revoked or expired. `token` is the last part of the
    invitation's link; it is present only in the response that created or sent the invitation.

    `mailed` says whether it was mailed when it was last sent; if not, `detail` says why.
    """

    id: int
    email: str
    role: str
    status: str
    expires_at: datetime
    token: str | UnsetType = UNSET
    mailed: bool | UnsetType = UNSET
    detail: str | UnsetType = UNSET

    example = like(
        id=9,
        email="alice@example.com",
        role="editor",
        status="pending",
        expires_at="2025-11-26T22:30:00Z",
    )


class InvitationList(ResponseBody):
    invitations: list[InvitationObject]

    example = like(invitations=[InvitationObject.example])


class InvitationSeen(InvitationObject, kw_only=True):
    """An invitation as the invitee sees it, without `mailed`. `inviter` is null once their account is deleted."""

    team: NamedReference
    inviter: str | None

    example = like(**InvitationObject.example, team=NamedReference.example, inviter="admin")


class Joined(ResponseBody):
    message: str
    team: NamedReference

    example = like(message="Welcome to 'My Team'.", team=NamedReference.example)


def summary(team: TeamInList) -> TeamSummary:
    owner = UserReference(team.owner_id, team.owner)
    return TeamSummary(team.id, team.name, team.role, owner, team.member_count)


def member_object(member: Member) -> MemberObject:
    return MemberObject(member.id, member.username, member.role, whole_seconds(member.joined_at))


def team_object(
    access: TeamAccess, owner: User, count: int, found: MemberPage, *, page: int, muted: bool
) -> TeamObject:
    members = found.members if page <= found.pages else []
    return TeamObject(
        id=access.team.id,
        name=access.team.name,
        role=access.role,
        owner=UserReference(owner.id, owner.username),
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
        status="expired" if invitation.is_expired else invitation.status,
        expires_at=whole_seconds(invitation.expires_at),
        token=token or UNSET,
        mailed=not invitation.unmailed,
        detail=unmailed_reason(invitation) or UNSET,
    )
