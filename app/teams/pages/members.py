"""Adding a member, and the page of one member: role, hand-over, removal."""

from typing import Any

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from app.database import Database
from app.errors import Invalid
from app.http import AnyRequest, Form, redirect
from app.language import _
from app.layout import ask, page
from app.models import User
from app.notifications.throttles import throttle_notifying
from app.settings import Settings
from app.teams.access import find_member, require
from app.teams.membership import (
    add_member,
    change_role,
    find_other_member,
    hand_over,
    remove_member,
)
from app.teams.notified import notified_sentence
from app.teams.queries import count_others
from app.teams.roles import GRANTABLE, OWNER
from app.teams.throttles import throttle_invitations
from app.values.names import isolate

PageOrRedirect = Response[str] | Response[None]


@get()
async def add_page(
    request: AnyRequest,
    db: NamedDependency[Database],
    user: NamedDependency[User],
    team_id: FromPath[int],
) -> Response[str]:
    return await _add_page(request, db, user, team_id)


@post(status_code=200)
async def add(
    request: AnyRequest,
    db: NamedDependency[Database],
    settings: NamedDependency[Settings],
    user: NamedDependency[User],
    form: NamedDependency[Form],
    team_id: FromPath[int],
) -> PageOrRedirect:
    await throttle_invitations(db, settings, user)
    try:
        async with db.act() as session:
            member = await add_member(session, user, team_id, form["login"], form["role"])
    except Invalid as invalid:
        typed = {"typed": form, "errors": invalid.fields}
        return await _add_page(request, db, user, team_id, status=422, **typed)
    return redirect(
        f"/teams/{team_id}", _("{name} was added.").format(name=isolate(member.username))
    )


async def _add_page(
    request: AnyRequest,
    db: Database,
    user: User,
    team_id: int,
    *,
    status: int = 200,
    **context: Any,
) -> Response[str]:
    async with db.read() as session:
        team = (await require(session, user, team_id, "add")).team
    return await page(
        request, "teams/add.html", status=status, team=team, grantable=GRANTABLE, **context
    )


@get()
async def show(
    request: AnyRequest,
    db: NamedDependency[Database],
    user: NamedDependency[User],
    team_id: FromPath[int],
    user_id: FromPath[int],
) -> Response[str]:
    return await _member(request, db, user, team_id, user_id)


@post(status_code=200)
async def set_role(
    request: AnyRequest,
    db: NamedDependency[Database],
    settings: NamedDependency[Settings],
    user: NamedDependency[User],
    form: NamedDependency[Form],
    team_id: FromPath[int],
    user_id: FromPath[int],
) -> PageOrRedirect:
    await throttle_notifying(db, settings, user)
    try:
        async with db.act() as session:
            member = await change_role(session, user, team_id, user_id, form["role"])
    except Invalid as invalid:
        errors = invalid.fields
        return await _member(request, db, user, team_id, user_id, status=422, errors=errors)
    text = _("{name} is now {role}.").format(name=isolate(member.username), role=_(form["role"]))
    return redirect(f"/teams/{team_id}", text)


@get()
async def ask_to_hand_over(
    request: AnyRequest,
    db: NamedDependency[Database],
    user: NamedDependency[User],
    team_id: FromPath[int],
    user_id: FromPath[int],
) -> Response[str]:
    names, notified = await _question_facts(db, user, team_id, user_id, right="hand_over")
    change = _("{name} becomes the owner, and you become an admin. Only {name} can undo this.")
    return await ask(
        request,
        question=_("Hand '{team}' over to {name}?").format(**names),
        explanation=f"{change.format(**names)} {notified_sentence(notified)}",
        action=f"/teams/{team_id}/members/{user_id}/hand-over",
        button_label=_("Hand over"),
        cancel_url=f"/teams/{team_id}/members/{user_id}",
    )


@post()
async def make_owner(
    db: NamedDependency[Database],
    settings: NamedDependency[Settings],
    user: NamedDependency[User],
    team_id: FromPath[int],
    user_id: FromPath[int],
) -> Response[None]:
    await throttle_notifying(db, settings, user)
    async with db.act() as session:
        member = await hand_over(session, user, team_id, user_id)
    return redirect(
        f"/teams/{team_id}",
        _("{name} is now the owner of the team.").format(name=isolate(member.username)),
    )


@get()
async def ask_to_remove(
    request: AnyRequest,
    db: NamedDependency[Database],
    user: NamedDependency[User],
    team_id: FromPath[int],
    user_id: FromPath[int],
) -> Response[str]:
    names, notified = await _question_facts(db, user, team_id, user_id, right="remove")
    lost = _(
        "{name} will no longer see the team's projects, and their projects will no longer be "
        "shared with the team."
    )
    return await ask(
        request,
        question=_("Remove {name} from '{team}'?").format(**names),
        explanation=f"{lost.format(**names)} {notified_sentence(notified)}",
        action=f"/teams/{team_id}/members/{user_id}/remove",
        button_label=_("Remove from team"),
        cancel_url=f"/teams/{team_id}/members/{user_id}",
    )


@post()
async def remove(
    db: NamedDependency[Database],
    settings: NamedDependency[Settings],
    user: NamedDependency[User],
    team_id: FromPath[int],
    user_id: FromPath[int],
) -> Response[None]:
    await throttle_notifying(db, settings, user)
    async with db.act() as session:
        member = await remove_member(session, user, team_id, user_id)
    return redirect(
        f"/teams/{team_id}", _("{name} was removed.").format(name=isolate(member.username))
    )


async def _question_facts(
    db: Database, user: User, team_id: int, user_id: int, *, right: str
) -> tuple[dict[str, str], int]:
    """The names of the team and the member, and how many others an act that needs this right
    notifies.
    """
    async with db.read() as session:
        team = (await require(session, user, team_id, right)).team
        member, _membership = await find_other_member(session, user, team_id, user_id)
        notified = await count_others(session, user, team_id)
    return {"team": isolate(team.name), "name": isolate(member.username)}, notified


async def _member(
    request: AnyRequest,
    db: Database,
    user: User,
    team_id: int,
    user_id: int,
    *,
    status: int = 200,
    **context: Any,
) -> Response[str]:
    async with db.read() as session:
        access = await require(session, user, team_id, "change_role")
        member, membership = await find_member(session, team_id, user_id)
    return await page(
        request,
        "teams/member.html",
        status=status,
        team=access.team,
        access=access,
        member=member,
        membership=membership,
        can_be_changed=membership.role != OWNER and member.id != user.id,
        grantable=GRANTABLE,
        **context,
    )
