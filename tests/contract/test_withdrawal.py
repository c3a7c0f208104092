"""Who loses access keeps the notice that says so; the others are gone from everywhere, for good."""

import pytest
from sqlalchemy import select, update

from app import clock
from app.models import Delivery, Invitation, Share
from app.notifications.events.catalogue import COMPILATION_COMPLETED
from app.notifications.notify import notify
from tests.contract import causes
from tests.contract.cast import Person, Stage
from tests.contract.markup import button_called
from tests.factories import PASSWORD, make_team

pytestmark = pytest.mark.asyncio(loop_scope="session")

RENAMED = "Team 'Video Squad' is now called 'Film Squad'"
SHARED = "Project 'Highlight Reel' was shared with team 'Film Squad'"
UNSHARED = "Project 'Highlight Reel' is no longer shared with team 'Film Squad'"
COMPLETE = "Compilation of 'Highlight Reel' is complete"
CAROL_JOINED = "carol joined the team as viewer"
INVITED = "adam invited you to join team 'Video Squad' as editor"


async def test_removed_members_keep_only_the_notice_of_their_removal(stage: Stage) -> None:
    await a_busy_week(stage)

    await stage.alice.press_twice("Remove from team", stage.member_url(stage.vera))
    await stage.settle()

    assert await stage.vera.reads() == ["You were removed from team 'Film Squad'"]
    assert await mail_to(stage, stage.vera) == [("skipped", "withdrawn")] * 3
    assert {state for state, _reason in await mail_to(stage, stage.adam)} == {"pending"}
    assert (await stage.adam.reads())[1:] == [CAROL_JOINED, COMPLETE, SHARED]


async def test_members_who_leave_keep_only_their_own_notices_and_take_their_projects_along(
    stage: Stage,
) -> None:
    await a_busy_week(stage)

    await causes.bob_leaves(stage)
    await stage.settle()

    assert await stage.bob.reads() == [COMPLETE]
    assert await stage.vera.reads() == ["bob left the team", UNSHARED, CAROL_JOINED, RENAMED]
    assert await stage.carol.reads() == [
        "bob left the team",
        UNSHARED,
        "You were added to team 'Film Squad' as viewer",
    ]


async def test_an_ended_share_withdraws_notices_about_the_project(stage: Stage) -> None:
    await a_busy_week(stage)

    await stage.adam.press_twice("End sharing (Film Squad)", stage.project_url)
    await stage.settle()

    assert await stage.vera.reads() == [UNSHARED, CAROL_JOINED, RENAMED]
    assert await stage.bob.reads() == [UNSHARED, CAROL_JOINED, COMPLETE, RENAMED]
    assert await mail_to(stage, stage.vera) == [
        ("skipped", "withdrawn"),
        ("skipped", "withdrawn"),
        ("pending", None),
    ]


async def test_users_with_access_through_another_team_keep_all_notices(stage: Stage) -> None:
    await share_with_editors_too(stage)
    await a_busy_week(stage)

    await stage.adam.press_twice("End sharing (Film Squad)", stage.project_url)
    await stage.settle()

    assert await stage.vera.reads() == [UNSHARED, CAROL_JOINED, COMPLETE, SHARED, RENAMED]


async def test_members_of_a_deleted_team_keep_only_the_notice_of_its_deletion(stage: Stage) -> None:
    await causes.adam_invites_ines(stage)
    await a_busy_week(stage)

    await causes.alice_deletes_the_team(stage)
    await stage.settle()

    deleted = "Team 'Film Squad' was deleted"
    assert await stage.alice.reads() == []
    assert await stage.vera.reads() == [deleted]
    assert await stage.bob.reads() == [deleted, COMPLETE]
    assert await stage.ines.reads() == []
    assert await mail_to(stage, stage.ines) == [("skipped", "withdrawn")]


async def test_a_deleted_project_leaves_one_notice_for_each_team(stage: Stage) -> None:
    await share_with_editors_too(stage)
    await a_busy_week(stage)

    await causes.bob_deletes_the_project(stage)
    await stage.settle()

    from_editors = "Project 'Highlight Reel' is no longer shared with team 'Editors'"
    assert await stage.vera.reads() == [from_editors, UNSHARED, CAROL_JOINED, RENAMED]
    assert await stage.adam.reads() == [UNSHARED, CAROL_JOINED]
    assert await stage.bob.reads() == [CAROL_JOINED, RENAMED]


async def test_a_deleted_person_is_someone_wherever_they_were_named(stage: Stage) -> None:
    await causes.adam_invites_ines(stage)
    await stage.alice.press("Add member", f"{stage.team_url}/members/add", login="carol")

    await stage.adam.press("Delete account", "/account/delete", password=PASSWORD)
    await stage.carol.press("Delete account", "/account/delete", password=PASSWORD)
    await stage.settle()

    await stage.adam.page.until_closed()
    for user in (stage.ines, stage.vera):
        await user.reload(stage.app)
    assert await stage.ines.reads() == [INVITED.replace("adam", "Someone")]
    assert await stage.vera.reads() == [
        "Someone left the team",
        "Someone left the team",
        "Someone joined the team as editor",
    ]
    for name in ("adam", "carol"):
        assert name not in (await stage.vera.browser.get("/notifications")).text


async def test_deleting_an_account_deletes_its_projects(stage: Stage) -> None:
    await a_busy_week(stage)

    await stage.bob.press("Delete account", "/account/delete", password=PASSWORD)
    await stage.settle()

    assert await stage.vera.reads() == [
        "Someone left the team",
        UNSHARED,
        CAROL_JOINED,
        RENAMED,
    ]


async def test_a_revoked_invitation_is_taken_back(stage: Stage) -> None:
    await causes.adam_invites_ines(stage)

    await stage.alice.press_twice("Revoke", stage.team_url)
    await stage.settle()

    assert await stage.ines.reads() == []
    assert await mail_to(stage, stage.ines) == [("skipped", "withdrawn")]


async def test_an_expired_invitation_is_taken_back_once(stage: Stage) -> None:
    await causes.adam_invites_ines(stage)
    await let_it_expire(stage)

    await stage.clear_up()
    await stage.settle()
    position = stage.ines.page.position
    await stage.clear_up()
    await stage.settle()

    assert await stage.ines.reads() == []
    assert stage.ines.page.position == position
    assert await mail_to(stage, stage.ines) == [("skipped", "withdrawn")]


async def test_asking_again_after_the_expiry_leaves_one_notice(stage: Stage) -> None:
    await causes.adam_invites_ines(stage)
    await let_it_expire(stage)

    await causes.alice_invites_ines(stage)
    await stage.settle()

    assert await stage.ines.reads() == [INVITED.replace("adam", "alice")]


async def test_no_undo_restores_a_withdrawn_notice(stage: Stage) -> None:
    await a_busy_week(stage)
    asked = await stage.vera.press("Delete", "/notifications")
    deleted = await stage.vera.press("Delete", asked)
    await stage.settle()
    assert len(await stage.vera.sees()) == 3

    await stage.alice.press_twice("Remove from team", stage.member_url(stage.vera))
    undo = button_called("Undo", deleted.text)
    answer = await stage.vera.browser.post(undo.action, data=undo.form.fields)
    await stage.settle()

    assert answer.status_code == 404
    assert await stage.vera.reads() == ["You were removed from team 'Film Squad'"]


async def a_busy_week(stage: Stage) -> None:
    """The team is renamed, bob's project shared and compiled, carol added."""
    await causes.adam_renames_the_team(stage)
    await causes.bob_shares(stage)
    async with stage.db.act() as session:
        await notify(session, COMPILATION_COMPLETED, project=stage.project)
    await causes.alice_adds_carol(stage)
    await stage.settle()
    assert (await stage.vera.reads())[:4] == [CAROL_JOINED, COMPLETE, SHARED, RENAMED]


async def share_with_editors_too(stage: Stage) -> None:
    """A second team that sees bob's project; vera is in it."""
    editors = await make_team(stage.db, stage.bob.account, "Editors", viewers=[stage.vera.account])
    async with stage.db.write() as session:
        session.add(Share(project_id=stage.project.id, team_id=editors.id))


async def let_it_expire(stage: Stage) -> None:
    async with stage.db.write() as session:
        await session.execute(update(Invitation).values(expires_at=clock.now()))


async def mail_to(stage: Stage, user: Person) -> list[tuple[str, str | None]]:
    """State and reason of each mail to the person, the oldest first."""
    mail = select(Delivery.state, Delivery.reason).where(
        Delivery.user_id == user.id, Delivery.channel == "email"
    )
    async with stage.db.read() as session:
        return [
            (row.state, row.reason) for row in await session.execute(mail.order_by(Delivery.id))
        ]
