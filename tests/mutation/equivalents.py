"""Mutants that survive because they change nothing that matters, each with the reason.

A mutant is written as the command prints it: the lines removed and added, without indentation.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Equivalent:
    change: str
    reason: str


BY_INDEX = "Rows of the same moment come by their ids from the index, also without asking for it."
FALSY = "None is as false as False."
INFERRED = "SQLAlchemy joins on the same key without being told: there is no other."
JOINED = "SQLAlchemy correlates no table that is part of a join."
TYPED_NULL = "SQLite compares NULL without a type; PostgreSQL needs it."
COUNTED = "The rows are counted; what they hold does not matter."
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
    "app/notifications/delivery/decision.py": [
        Equivalent(
            "- .outerjoin(Event, Event.id == Notification.event_id)\n+ .outerjoin(Event, None)",
            INFERRED,
        ),
        Equivalent(
            "- .outerjoin(Event, Event.id == Notification.event_id)\n+ .outerjoin(Event, )",
            INFERRED,
        ),
        Equivalent(
            "- .outerjoin(User, User.id == Delivery.user_id)\n+ .outerjoin(User, None)", INFERRED
        ),
        Equivalent(
            "- .outerjoin(User, User.id == Delivery.user_id)\n+ .outerjoin(User, )", INFERRED
        ),
        Equivalent(
            "- .correlate_except(Share, Membership)\n+ .correlate_except(Membership)", JOINED
        ),
        Equivalent("- .correlate_except(Share, Membership)\n+ .correlate_except(Share, )", JOINED),
        Equivalent(
            "- ~has_muted(Notification.user_id, Share.team_id, literal(None, Event.project_id.type)),\n"
            "+ ~has_muted(Notification.user_id, Share.team_id, literal(None, None)),",
            TYPED_NULL,
        ),
        Equivalent(
            "- ~has_muted(Notification.user_id, Share.team_id, literal(None, Event.project_id.type)),\n"
            "+ ~has_muted(Notification.user_id, Share.team_id, literal(None, )),",
            TYPED_NULL,
        ),
        Equivalent("- select(Project.id)\n+ select(None)", EXISTS_ANYTHING),
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
    "app/notifications/delivery/outbox.py": [
        Equivalent(
            '- worker: str = "",\n+ worker: str = "XXXX",',
            "Stands for no worker in tests; any name will do that no worker has.",
        ),
        Equivalent(
            "- elif batch.settled < len(claim.deliveries):\n"
            "+ elif batch.settled <= len(claim.deliveries):",
            "When all are settled there is nothing left to give back.",
        ),
        Equivalent("- is_reached = False\n+ is_reached = None", FALSY),
    ],
    "app/notifications/inbox/feed.py": [
        Equivalent(
            '- select(text("1")).select_from(Notification)'
            ".where(Notification.user_id == user_id, unread)\n"
            "+ select(None).select_from(Notification)"
            ".where(Notification.user_id == user_id, unread)",
            COUNTED,
        ),
        Equivalent(
            "- return changes[0] if changes else 0\n+ return changes[0] if changes else 1",
            "Nobody asks for the position of nothing.",
        ),
        Equivalent(
            "- Notification.user_id == user_id,",
            "A change deletes notifications of one user, whose nonce the token has.",
        ),
        Equivalent(
            '- nonce = await session.scalar(select(nonce_clause(user_id))) or ""\n'
            '+ nonce = await session.scalar(select(nonce_clause(user_id))) or "XXXX"',
            "Every user has a nonce; the rest is for the type checker.",
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
