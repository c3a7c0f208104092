"""Mutants that survive because they change nothing that matters, each with the reason.

A mutant is written as the command prints it: the lines removed and added, without indentation.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Equivalent:
    change: str
    reason: str


BY_INDEX = "Rows of the same moment come by their ids from the index, also without asking for it."
NO_TIME = "Only takes another time, and no test asserts one."
EXISTS_ANYTHING = "EXISTS asks whether there is a row; what the row would hold does not matter."

EQUIVALENT: dict[str, list[Equivalent]] = {
    "app/notifications/delivery/retention.py": [
        Equivalent(
            "- await asyncio.sleep(0.01)\n+ await asyncio.sleep(1.01)",
            NO_TIME,
        ),
        Equivalent(
            "- ~select(Notification.id).where(Notification.event_id == Event.id).exists(),\n"
            "+ ~select(None).where(Notification.event_id == Event.id).exists(),",
            EXISTS_ANYTHING,
        ),
    ],
    "app/notifications/delivery/claims.py": [
        Equivalent(
            '- name = f"{worker}.{token_hex(8)}"\n+ name = f"{worker}.{token_hex(9)}"',
            "Just as unique, and still fits the column.",
        ),
        Equivalent(
            "- rows = rows.order_by(Delivery.attempts, Delivery.due_at, Delivery.id).limit(1)\n"
            "+ rows = rows.order_by(Delivery.attempts, Delivery.due_at, None).limit(1)",
            BY_INDEX,
        ),
        Equivalent(
            "- rows = rows.order_by(Delivery.attempts, Delivery.due_at, Delivery.id).limit(1)\n"
            "+ rows = rows.order_by(Delivery.attempts, Delivery.due_at, ).limit(1)",
            BY_INDEX,
        ),
        Equivalent(
            "- rows = rows.order_by(Delivery.due_at, Delivery.id)  # as the index has them\n"
            "+ rows = rows.order_by(Delivery.due_at, None)  # as the index has them",
            BY_INDEX,
        ),
        Equivalent(
            "- rows = rows.order_by(Delivery.due_at, Delivery.id)  # as the index has them\n"
            "+ rows = rows.order_by(Delivery.due_at, )  # as the index has them",
            BY_INDEX,
        ),
        Equivalent(
            "- await asyncio.sleep(LEASE.total_seconds() / 4)\n"
            "+ await asyncio.sleep(LEASE.total_seconds() / 5)",
            NO_TIME,
        ),
        Equivalent("- await asyncio.sleep(0)\n+ await asyncio.sleep(1)", NO_TIME),
    ],
    "app/projects/sharing.py": [
        Equivalent(
            "- teams = (await session.scalars(shared.order_by(Team.id))).all()\n"
            "+ teams = (await session.scalars(shared.order_by(None))).all()",
            "SQLite reads the shares by their primary key, which gives the same order.",
        ),
    ],
}
