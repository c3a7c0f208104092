"""Topics: the teams, projects and users that open pages show, named by kind and id.

A transaction that changes one of them touches its topic. After the commit, every process notifies
the open pages that show it, and they fetch themselves again. A touch carries no data and is not
stored.
"""

from collections.abc import Collection, Iterable
from typing import NamedTuple

from sqlalchemy.ext.asyncio import AsyncSession

from app.database import poke_after_commit

# `progress` is the progress of a project's compilation. `user` changes with what pages show to this
# user alone: which teams and projects they see, their invitations, and what they have muted.
TEAM, PROJECT, PROGRESS, USER = KINDS = ("team", "project", "progress", "user")


class Topic(NamedTuple):
    kind: str
    id: int

    @property
    def event(self) -> str:
        """The event of the stream and of the page that says that it has changed."""
        return f"{self.kind}-{self.id}-changed"


def touch(session: AsyncSession, kind: str, id: int) -> None:
    """Refresh open pages that show this topic, once the transaction has committed."""
    poke_after_commit(session, f"{kind} {id}")


def touch_all(session: AsyncSession, kind: str, ids: Iterable[int]) -> None:
    for id in ids:
        touch(session, kind, id)


def topics(kind: str, ids: Collection[int]) -> list[Topic]:
    return [Topic(kind, id) for id in ids]
