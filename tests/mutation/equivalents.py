"""Mutants that survive because they change nothing that matters, each with the reason.

A mutant is written as the command prints it: the lines removed and added, without indentation.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Equivalent:
    change: str
    reason: str


EXISTS_ANYTHING = "EXISTS asks whether there is a row; what the row would hold does not matter."

EQUIVALENT: dict[str, list[Equivalent]] = {
    "app/notifications/delivery/retention.py": [
        Equivalent(
            "- await asyncio.sleep(0.01)\n+ await asyncio.sleep(1.01)",
            "Lets other writers in between two batches; no test asserts a time.",
        ),
        Equivalent(
            "- ~select(Notification.id).where(Notification.event_id == Event.id).exists(),\n"
            "+ ~select(None).where(Notification.event_id == Event.id).exists(),",
            EXISTS_ANYTHING,
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
