"""The page of a team: shown, renamed, muted, left, deleted."""

from typing import Any

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from app.database import Database
from app.errors import Invalid
from app.http import AnyRequest, Form, page_number, redirect, search_text, with_query
from app.language import _
from app.layout import ask, live_page
from app.models import User
from app.notifications.preferences.muting import is_muted
from app.notifications.throttles import throttle_notifying
from app.security import signer_of
from app.settings import Settings
from app.teams import queries
from app.teams.access import require
from app.teams.invitation_links import link_token
from app.teams.invitations import unmailed_reason
from app.teams.membership import leave_team
from app.teams.notified import notified_sentence
from app.teams.roles import GRANTABLE
from app.teams.teams import delete_team, mute_team, rename_team, unmute_team
from app.topics import PROJECT, TEAM, Topic, topics
from app.values.names import isolate


@get()
async def show(
    request: AnyRequest,
    db: NamedDependency[Database],
    user: NamedDependency[User],
    team_id: FromPath[int],
) -> Response[Any]:
    return await show_team(request, db, user, team_id)


async def show_team(
    request: AnyRequest,
    db: Database,
    user: User,
    team_id: int,
    *,
    status: int = 200,
    **context: Any,
) -> Response[Any]:
    """The page of a team, live; after an invalid form, with `typed` and `errors`."""
    q = search_text(request)
    async with db.read() as session:
        access = await require(session, user, team_id, "view")
        members = await queries.members_of(session, team_id, q, page_number(request))
        projects = await queries.projects_shared_with(session, team_id)
        muted = await is_muted(session, user, team_id=team_id)
        invitations = await queries.pending_invitations(session, team_id)
        signer = signer_of(session)
    return await live_page(
        request,
        "layouts/live.html",
        "teams/_team.html",
        [Topic(TEAM, team_id), *topics(PROJECT, [project.id for project in projects])],
        address=_address(team_id, q, members.page),
        status=status,
        title=isolate(access.team.name),
        team=access.team,
        access=access,
        grantable=GRANTABLE,
        members=members,
        q=q,
        projects=projects,
        is_muted=muted,
        invitations=[(one, link_token(signer, one), unmailed_reason(one)) for one in invitations],
        **context,
    )


def _address(team_id: int, q: str, number: int) -> str:
    shown = [("q", q)] if q else []
    shown += [("page", str(number))] if number > 1 else []
    return with_query(f"/teams/{team_id}", shown)


@post(status_code=200)
async def rename(
    request: AnyRequest,
    db: NamedDependency[Database],
    settings: NamedDependency[Settings],
    user: NamedDependency[User],
    form: NamedDependency[Form],
    team_id: FromPath[int],
) -> Response[Any]:
    await throttle_notifying(db, settings, user)
    try:
        async with db.act() as session:
            await rename_team(session, user, team_id, form["name"])
    except Invalid as invalid:
        typed = {"typed": form, "errors": invalid.fields}
        return await show_team(request, db, user, team_id, status=422, **typed)
    return redirect(f"/teams/{team_id}", _("Team renamed."))


@post()
async def mute(
    db: NamedDependency[Database], user: NamedDependency[User], team_id: FromPath[int]
) -> Response[None]:
    async with db.exclusive() as session:
        await mute_team(session, user, team_id)
    text = _("Muted. You will still get urgent notifications and those about yourself.")
    return redirect(f"/teams/{team_id}", text)


@post()
async def unmute(
    db: NamedDependency[Database], user: NamedDependency[User], team_id: FromPath[int]
) -> Response[None]:
    async with db.exclusive() as session:
        await unmute_team(session, user, team_id)
    return redirect(
        f"/teams/{team_id}", _("Unmuted. You will get all notifications about this team again.")
    )


@get()
async def ask_to_delete(
    request: AnyRequest,
    db: NamedDependency[Database],
    user: NamedDependency[User],
    team_id: FromPath[int],
) -> Response[str]:
    async with db.read() as session:
        team = (await require(session, user, team_id, "delete")).team
        notified = await queries.count_others(session, user, team_id)
    lost = _(
        "Its members can no longer see the projects shared with it. "
        "The projects themselves stay with their owners. This cannot be undone."
    )
    return await ask(
        request,
        question=_("Delete team '{team}'?").format(team=isolate(team.name)),
        explanation=f"{lost} {notified_sentence(notified)}",
        action=f"/teams/{team_id}/delete",
        button_label=_("Delete team"),
        cancel_url=f"/teams/{team_id}",
    )


@post()
async def delete(
    db: NamedDependency[Database],
    settings: NamedDependency[Settings],
    user: NamedDependency[User],
    team_id: FromPath[int],
) -> Response[None]:
    await throttle_notifying(db, settings, user)
    async with db.act() as session:
        await delete_team(session, user, team_id)
    return redirect("/teams", _("Team deleted."))


@get()
async def ask_to_leave(
    request: AnyRequest,
    db: NamedDependency[Database],
    user: NamedDependency[User],
    team_id: FromPath[int],
) -> Response[str]:
    async with db.read() as session:
        team = (await require(session, user, team_id, "leave")).team
        notified = await queries.count_others(session, user, team_id)
    lost = _(
        "You will no longer see its projects, and it will no longer see yours. "
        "To rejoin, you need a new invitation."
    )
    return await ask(
        request,
        question=_("Leave team '{team}'?").format(team=isolate(team.name)),
        explanation=f"{lost} {notified_sentence(notified)}",
        action=f"/teams/{team_id}/leave",
        button_label=_("Leave team"),
        cancel_url=f"/teams/{team_id}",
    )


@post()
async def leave(
    db: NamedDependency[Database],
    settings: NamedDependency[Settings],
    user: NamedDependency[User],
    team_id: FromPath[int],
) -> Response[None]:
    await throttle_notifying(db, settings, user)
    async with db.act() as session:
        team = await leave_team(session, user, team_id)
    return redirect("/teams", _("You left '{team}'.").format(team=isolate(team.name)))
