"""The bells of many users are read without reading more than is shown."""

from app.database import Database
from app.models import User
from app.notifications.events.catalogue import MEMBER_ADDED
from app.notifications.live.queries import read_bells
from app.notifications.notify import notify
from tests.factories import make_account, make_team


async def test_of_a_user_who_wants_groups_no_notifications_are_read(
    db: Database, alice: User, bob: User
) -> None:
    carol = await make_account(db, "carol", grouping=True)
    team = await make_team(db, alice, editors=[bob, carol])
    async with db.act() as session:
        await notify(session, MEMBER_ADDED, actor=alice, affected=alice, team=team, role="editor")

    bells = await read_bells(db, [bob.id, carol.id])

    [of_bob], [of_carol] = bells[bob.id], bells[carol.id]
    assert of_bob.event_id is not None
    assert of_carol.event_id is None
    assert (of_carol.unread, of_carol.position) == (of_bob.unread, of_bob.position)
