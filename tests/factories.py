"""The cast, and what tests need of the world, made directly in the database."""

from app import clock
from app.database import Database
from app.models import Membership, Team, User
from app.security import Signer
from app.values.email_addresses import address_key

SECRET_KEY = "a secret of the tests"
SIGNER = Signer(SECRET_KEY)
PASSWORD = "correct horse"
# argon2 of PASSWORD with the cheapest parameters, so that a test does not wait for it.
PASSWORD_HASH = (
    "$argon2id$v=19$m=8,t=1,p=1$QnaBCg5RuxmfvmO5wy9yng$PLZB6riyb/XU6LvndZlrUpCyX+DYmUIwqd6xtB+1Gzk"
)


async def make_account(db: Database, name: str, email: str = "", *, grouping: bool = False) -> User:
    """Without groups, each notification has a row of its own on pages."""
    email = email or f"{name}@example.com"
    account = User(
        username=name,
        username_key=name.casefold(),
        email=email,
        email_key=address_key(email),
        email_confirmed_at=clock.now(),
        password_hash=PASSWORD_HASH,
        timezone="UTC",
        language="en",
        grouping=grouping,
    )
    async with db.write() as session:
        session.add(account)
    return account


async def make_team(
    db: Database,
    owner: User,
    name: str = "Video Squad",
    *,
    admins: list[User] | None = None,
    editors: list[User] | None = None,
    viewers: list[User] | None = None,
) -> Team:
    team = Team(name=name)
    roles = {"owner": [owner], "admin": admins, "editor": editors, "viewer": viewers}
    async with db.write() as session:
        session.add(team)
        await session.flush()
        for role, people in roles.items():
            for user in people or []:
                session.add(Membership(team_id=team.id, user_id=user.id, role=role))
    return team
