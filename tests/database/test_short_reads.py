"""A short read: columns and entities in one view of the database."""

from sqlalchemy import Integer, bindparam, select, update

from app.database import Database
from app.models import User


async def test_columns_and_entities_are_read_from_one_view(db: Database, alice: User) -> None:
    name = select(User.username).where(User.id == alice.id)
    async with db.short_read() as session:
        [before] = await session.scalars(name)
        async with db.write() as other:
            await other.execute(update(User).where(User.id == alice.id).values(username="carol"))
        entity = await session.get_one(User, alice.id)
        again = await session.scalar(name)

    assert (before, entity.username, again) == ("alice", "alice", "alice")


async def test_the_next_one_sees_what_was_committed_meanwhile(db: Database, alice: User) -> None:
    name = select(User.username).where(User.id == alice.id)
    async with db.short_read() as session:
        await session.execute(name)
    async with db.write() as session:
        await session.execute(update(User).where(User.id == alice.id).values(username="carol"))

    async with db.short_read() as session:
        assert await session.scalar(name) == "carol"


async def test_columns_are_read_where_an_entity_was(db: Database, alice: User) -> None:
    async with db.short_read() as session:
        [user] = await session.scalars(select(User).where(User.id == alice.id))
        columns = (await session.execute(select(User.id, User.username))).all()

    assert [tuple(row) for row in columns] == [(user.id, user.username)]


async def test_a_statement_that_is_run_again_takes_other_values(
    db: Database, alice: User, bob: User
) -> None:
    name = select(User.username).where(User.id == bindparam("id"))
    limited = name.limit(bindparam("most", type_=Integer))

    async with db.short_read() as session:
        names = [await session.scalar(name, {"id": one.id}) for one in (alice, bob, alice)]
        none = [await session.scalar(limited, {"id": alice.id, "most": n}) for n in (1, 0, 1)]
    [[fetched]] = await db.fetch(name, id=bob.id)

    assert names == ["alice", "bob", "alice"]
    assert none == ["alice", None, "alice"]
    assert fetched == "bob"
