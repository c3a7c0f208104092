"""What open pages of teams and projects show, as topics: the kind of a thing and its id.

A transaction that changes a thing touches its topic. After the commit, every process tells the open
pages that show it, and they fetch themselves again. A touch carries no data, and is stored nowhere.
"""

from collections.abc import Collection, Iterable
from typing import NamedTuple

from sqlalchemy.ext.asyncio import AsyncSession

from app.database import poke_after_commit

# `progress` is that of a project's compilation. `user` stands for what one user may see: they have
# joined or left a team, or got or lost a project.
TEAM, PROJECT, PROGRESS, USER = KINDS = ("team", "project", "progress", "user")


class Topic(NamedTuple):
    kind: str
    id: int

    @property
    def event(self) -> str:
        """The event of the stream and of the page that says that it has changed."""
        return f"{self.kind}-{self.id}-changed"


def touch(session: AsyncSession, kind: str, id: int) -> None:
    """The thing will have changed, once the transaction is committed."""
    poke_after_commit(session, f"{kind} {id}")


def touch_all(session: AsyncSession, kind: str, ids: Iterable[int]) -> None:
    for id in ids:
        touch(session, kind, id)


def topics(kind: str, ids: Collection[int]) -> list[Topic]:
    return [Topic(kind, id) for id in ids]
