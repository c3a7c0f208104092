"""Mutants that survive because they change nothing that matters, each with the reason.

A mutant is written as the command prints it: the lines removed and added, without indentation.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Equivalent:
    change: str
    reason: str


EQUIVALENT: dict[str, list[Equivalent]] = {
    "app/notifications/delivery/retention.py": [
        Equivalent(
            "- await asyncio.sleep(0.01)\n+ await asyncio.sleep(1.01)",
            "Lets other writers in between two batches; no test asserts a time.",
        ),
    ],
    "app/projects/sharing.py": [
        Equivalent(
            "- teams = (await session.scalars(shared.order_by(Team.id))).all()\n"
            "+ teams = (await session.scalars(shared.order_by(None))).all()",
            "SQLite reads the shares by their primary key, which gives the same order.",
        ),
    ],
}
