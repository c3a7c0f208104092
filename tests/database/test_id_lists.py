"""Any number of ids in one statement, the same one for all numbers."""

from sqlalchemy import select

from app.database import Database
from app.database.id_lists import ids_in
from app.models import User


async def test_rows_are_found_by_any_number_of_ids(
    db: Database, alice: User, bob: User, carol: User
) -> None:
    wanted = select(User.username).where(User.id.in_(ids_in("users"))).order_by(User.username)

    found = [
        [row.username for row in await db.fetch(wanted, users=users)]
        for users in ([], {bob.id}, [carol.id, alice.id, carol.id], range(1, 100_000))
    ]

    assert found == [[], ["bob"], ["alice", "carol"], ["alice", "bob", "carol"]]


async def test_a_session_accepts_id_lists_too(db: Database, alice: User, bob: User) -> None:
    wanted = select(User.id).where(User.id.in_(ids_in("users")))

    async with db.read() as session:
        found = await session.scalars(wanted, {"users": [bob.id]})

    assert list(found) == [bob.id]
