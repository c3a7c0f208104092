"""Mutants that survive because they change nothing that matters, each with the reason.

A mutant is written as the command prints it: the lines removed and added, without indentation.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Equivalent:
    change: str
    reason: str


BY_INDEX = "The index that SQLite reads gives the same order; PostgreSQL needs to be asked."
FALSY = "None is as false as False."
INFERRED = "SQLAlchemy joins on the same key without being told: there is no other."
JOINED = "SQLAlchemy correlates no table that is part of a join."
TYPED_NULL = "SQLite compares NULL without a type; PostgreSQL needs it."
COUNTED = "The rows are counted; what they hold does not matter."
EITHER_END = "A slice is the same from either end; reading from the nearer one is only faster."
FIRST_ROW = "SQLite takes the first row of a scalar subquery; PostgreSQL would refuse a second."
SAME_SECOND = "The search ends at the same second, only in more or fewer steps."
PLAN = "Few users and many lose the same; only the way SQLite finds the rows differs."
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
            "- .correlate_except(inviter)\n+ .correlate_except(None)",
            "The alias stands in no other FROM.",
        ),
        Equivalent("- select(inviter.id)\n+ select(None)", EXISTS_ANYTHING),
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
    "app/notifications/delivery/bundles.py": [
        Equivalent("- .order_by(Delivery.due_at)\n+ .order_by(None)", BY_INDEX),
        Equivalent("- .join(User, User.id == Delivery.user_id)\n+ .join(User, None)", INFERRED),
        Equivalent("- .join(User, User.id == Delivery.user_id)\n+ .join(User, )", INFERRED),
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
    "app/notifications/inbox/acts.py": [
        Equivalent(
            "- return changes[0] if changes else 0\n+ return changes[0] if changes else 1",
            "Nobody asks for the position of nothing.",
        ),
        Equivalent(
            '- nonce = await session.scalar(select(nonce_clause(user_id))) or ""\n'
            '+ nonce = await session.scalar(select(nonce_clause(user_id))) or "XXXX"',
            "Every user has a nonce; the rest is for the type checker.",
        ),
    ],
    "app/notifications/inbox/feed.py": [
        Equivalent(
            "- if not 0 <= first < matching:\n+ if not 0 <= first <= matching:",
            "What begins at the end is empty in any case.",
        ),
        Equivalent(
            '- rows = select(text("1")).select_from(Notification)'
            ".where(Notification.user_id == user_id, which)\n"
            "+ rows = select(None).select_from(Notification)"
            ".where(Notification.user_id == user_id, which)",
            COUNTED,
        ),
    ],
    "app/notifications/preferences/digest.py": [
        Equivalent(
            "- while moment - before > SECOND:\n+ while moment - before >= SECOND:", SAME_SECOND
        ),
        Equivalent(
            "- middle = before + (moment - before) // 2\n+ middle = before + (moment - before) / 2",
            SAME_SECOND,
        ),
        Equivalent(
            "- middle = before + (moment - before) // 2\n+ middle = before + (moment - before) // 3",
            SAME_SECOND,
        ),
        Equivalent(
            "- if _reads(middle, there) < wall.replace(tzinfo=None):\n"
            "+ if _reads(middle, there) <= wall.replace(tzinfo=None):",
            "No clock reads an hour that is skipped.",
        ),
    ],
    "app/notifications/withdraw.py": [
        Equivalent(
            "- count = await session.scalar(select(func.count()).select_from(users.subquery())) or 0\n"
            "+ count = await session.scalar(select(func.count()).select_from(users.subquery())) and 0",
            PLAN,
        ),
        Equivalent(
            "- count = await session.scalar(select(func.count()).select_from(users.subquery())) or 0\n"
            "+ count = await session.scalar(select(None).select_from(users.subquery())) or 0",
            PLAN,
        ),
        Equivalent(
            "- count = await session.scalar(select(func.count()).select_from(users.subquery())) or 0\n"
            "+ count = await session.scalar(select(func.count()).select_from(users.subquery())) or 1",
            PLAN,
        ),
        Equivalent(
            "- user_id = Notification.user_id if count <= FEW else Notification.user_id + 0\n"
            "+ user_id = Notification.user_id if (count <= FEW) and False else Notification.user_id + 0",
            PLAN,
        ),
        Equivalent(
            "- user_id = Notification.user_id if count <= FEW else Notification.user_id + 0\n"
            "+ user_id = Notification.user_id if (count <= FEW) or True else Notification.user_id + 0",
            PLAN,
        ),
        Equivalent(
            "- user_id = Notification.user_id if count <= FEW else Notification.user_id + 0\n"
            "+ user_id = Notification.user_id if count < FEW else Notification.user_id + 0",
            PLAN,
        ),
        Equivalent(
            "- user_id = Notification.user_id if count <= FEW else Notification.user_id + 0\n"
            "+ user_id = Notification.user_id if count <= FEW else Notification.user_id - 0",
            PLAN,
        ),
    ],
    "app/notifications/preferences/muting.py": [
        Equivalent("- .join(Team, Team.id == Mute.team_id)\n+ .join(Team, None)", INFERRED),
        Equivalent("- .join(Team, Team.id == Mute.team_id)\n+ .join(Team, )", INFERRED),
        Equivalent(
            "- .join(Project, Project.id == Mute.project_id)\n+ .join(Project, None)", INFERRED
        ),
        Equivalent("- .join(Project, Project.id == Mute.project_id)\n+ .join(Project, )", INFERRED),
    ],
    "app/teams/invitations.py": [
        Equivalent(
            "- return await session.scalar(removal.limit(1)) is not None\n"
            "+ return await session.scalar(removal.limit(None)) is not None",
            "Only whether there is one matters.",
        ),
        Equivalent(
            "- return await session.scalar(removal.limit(1)) is not None\n"
            "+ return await session.scalar(removal.limit(2)) is not None",
            "Only whether there is one matters.",
        ),
        Equivalent(
            "- mailed = select(Delivery.address).where(Delivery.user_id == user.id, Delivery.channel == EMAIL)\n"
            "+ mailed = select(Delivery.address).where(Delivery.user_id == user.id, )",
            "What another channel calls an address is no mailbox.",
        ),
        Equivalent(
            "- if (await session.scalar(others) or 0) >= MAX_OPEN:\n"
            "+ if (await session.scalar(others) or 1) >= MAX_OPEN:",
            "Neither none nor one is too many.",
        ),
        Equivalent(
            "- rows = await session.execute(open_ones.order_by(Invitation.id))\n"
            "+ rows = await session.execute(open_ones.order_by(None))",
            BY_INDEX,
        ),
        Equivalent(
            "- .join(Membership, Membership.user_id == User.id)\n+ .join(Membership, None)",
            INFERRED,
        ),
        Equivalent(
            "- .join(Membership, Membership.user_id == User.id)\n+ .join(Membership, )",
            INFERRED,
        ),
    ],
    "app/teams/open_invitations.py": [
        Equivalent(
            "- .join(User, User.id == Invitation.inviter_id, isouter=True)\n"
            "+ .join(User, None, isouter=True)",
            INFERRED,
        ),
        Equivalent(
            "- .join(User, User.id == Invitation.inviter_id, isouter=True)\n"
            "+ .join(User, isouter=True)",
            INFERRED,
        ),
        Equivalent(
            "- .join(Team, Team.id == Invitation.team_id)\n+ .join(Team, None)",
            INFERRED,
        ),
        Equivalent(
            "- .join(Team, Team.id == Invitation.team_id)\n+ .join(Team, )",
            INFERRED,
        ),
    ],
    "app/notifications/events/notices.py": [
        Equivalent(
            "- newer = select(Compilation.id).where(\n+ newer = select(None).where(",
            EXISTS_ANYTHING,
        ),
        Equivalent(
            "- .join(Team, Team.id == Event.team_id, isouter=True)\n"
            "+ .join(Team, None, isouter=True)",
            INFERRED,
        ),
        Equivalent(
            "- .join(Team, Team.id == Event.team_id, isouter=True)\n+ .join(Team, isouter=True)",
            INFERRED,
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
