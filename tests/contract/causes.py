"""What people do, each by the form on the page where it is done."""

from sqlalchemy import update

from app.models import User
from tests.application import browser
from tests.contract.cast import Person, Stage
from tests.factories import PASSWORD


async def alice_invites_ines(stage: Stage) -> None:
    await stage.alice.press(
        "Send invitation", stage.team_url, email="ines@example.com", role="editor"
    )


async def adam_invites_ines(stage: Stage) -> None:
    await stage.adam.press(
        "Send invitation", stage.team_url, email="ines@example.com", role="editor"
    )


async def ines_accepts(stage: Stage) -> None:
    await stage.ines.press("Accept", "/notifications")


async def ines_declines(stage: Stage) -> None:
    await stage.ines.press("Decline", "/notifications")


async def alice_adds_carol(stage: Stage) -> None:
    page = f"{stage.team_url}/members/add"
    await stage.alice.press("Add member", page, login="carol", role="viewer")


async def adam_removes_bob(stage: Stage) -> None:
    await stage.adam.press_twice("Remove from team", stage.member_url(stage.bob))


async def bob_leaves(stage: Stage) -> None:
    await stage.bob.press("Leave team", f"{stage.team_url}/leave")


async def alice_makes_bob_a_viewer(stage: Stage) -> None:
    await stage.alice.press("Change role", stage.member_url(stage.bob), role="viewer")


async def alice_hands_over_to_bob(stage: Stage) -> None:
    await stage.alice.press_twice("Hand over", stage.member_url(stage.bob))


async def adam_renames_the_team(stage: Stage) -> None:
    await stage.adam.press("Rename team", stage.team_url, name="Film Squad")


async def alice_deletes_the_team(stage: Stage) -> None:
    await stage.alice.press("Delete team", f"{stage.team_url}/delete")


async def carol_creates_a_team(stage: Stage) -> None:
    await stage.carol.press("Create team", "/teams", name="Outsiders")


async def bob_shares(stage: Stage) -> None:
    await stage.bob.press("Share", stage.project_url, team_id=str(stage.team.id))


async def adam_ends_the_sharing(stage: Stage) -> None:
    await stage.adam.press_twice("End sharing (Video Squad)", stage.project_url)


async def bob_deletes_the_project(stage: Stage) -> None:
    await stage.bob.press("Delete project", f"{stage.project_url}/delete")


async def adam_compiles(stage: Stage) -> None:
    await stage.film()
    await bob_shares(stage)
    await stage.adam.press("Compile", stage.project_url)


async def the_compilation_ends(stage: Stage) -> None:
    await stage.work()


async def the_compilation_fails(stage: Stage) -> None:
    await stage.break_clips()
    await stage.work()


async def bob_changes_his_password(stage: Stage) -> None:
    typed = {"current_password": PASSWORD, "new_password": "battery staple"}
    await stage.bob.press("Change password", "/account", **typed)
    await stage.bob.reload(stage.app)


async def bob_asks_for_a_new_address(stage: Stage) -> None:
    typed = {"email": "new@example.com", "password": PASSWORD}
    await stage.bob.press("Change address", "/account", **typed)


async def bob_creates_a_token(stage: Stage) -> None:
    typed = {"name": "Backup script", "scope": "read", "password": PASSWORD}
    await stage.bob.press("Create token", "/account/tokens", **typed)


async def bob_signs_in_at_another_browser(stage: Stage) -> None:
    async with browser(stage.app) as other:
        other.headers["User-Agent"] = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Firefox/140.0"
        visitor = Person(stage.bob.account, other)
        await visitor.press("Log in", "/login", login="bob", password=PASSWORD)


async def a_program_of_alice_tells(stage: Stage) -> None:
    """By cookie, as no page has a form for it."""
    await stage.alice.open("/account")
    csrf = {"X-CSRF-Token": stage.alice.browser.cookies["csrftoken"]}
    told = {
        "type": "custom",
        "title": "The nightly render is done",
        "body": "42 clips",
        "url": "/projects",
        "team_id": stage.team.id,
    }
    answer = await stage.alice.browser.post("/api/events", json=told, headers=csrf)
    assert answer.status_code == 201, answer.text


async def alice_runs_the_server(stage: Stage) -> None:
    async with stage.db.write() as session:
        alice = update(User).where(User.id == stage.alice.id)
        await session.execute(alice.values(is_admin=True))


async def alice_tells_everyone(stage: Stage) -> None:
    said = {"title": "The server rests on Sunday", "body": "From 8 to 9.", "url": "/teams"}
    await stage.alice.press("Send announcement", "/admin/announcements", **said)
