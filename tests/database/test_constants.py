"""Values that stand in a statement itself."""

import pytest
from sqlalchemy import select

from app.database import Database
from app.database.constants import constants
from app.models import User


async def test_rows_with_one_of_these_values_are_found(
    db: Database, alice: User, bob: User, carol: User
) -> None:
    wanted = select(User.username).where(User.username_key.in_(constants(["alice", "carol"])))

    found = await db.fetch(wanted.order_by(User.username))

    assert [row.username for row in found] == ["alice", "carol"]


def test_any_text_other_than_a_plain_name_is_refused() -> None:
    with pytest.raises(ValueError, match="no name of ours"):
        constants(["queued", "x' OR ''='"])
