"""Alice's world as an address, a form or a browser sees it. `building.py` makes it."""

from dataclasses import dataclass, field
from typing import Any

import httpx
from advanced_alchemy.base import orm_registry
from litestar import Litestar
from sqlalchemy import func, select

from app.accounts.sessions import find_session, start_session
from app.models import User
from tests.application import browser
from tests.contract.forms import FORMS, Form

# How a browser calls a host without dots.
HOST = "testserver.local"
# What somebody is told is nothing they hold.
TOLD = ("notification", "delivery", "change")
COLUMNS_OF_ACCOUNTS = [
    key.parent
    for table in orm_registry.metadata.sorted_tables
    for key in table.foreign_keys
    if key.column.table is User.__table__ and table.name not in TOLD
]


@dataclass
class World:
    """`ids` says what stands for each parameter of an address and of a form's valid values;
    `ids_at` where an address wants another.
    """

    app: Litestar
    alice: User
    carol: User
    ids: dict[str, Any]
    ids_at: dict[str, dict[str, Any]]
    _sessions: dict[int, str] = field(default_factory=dict)

    def url(self, path: str, **others: object) -> str:
        """The address of alice's own thing; a parameter that is new wants its entry in `ids`."""
        ids = self.ids | self._own(path) | others
        names = {part: part[1:-1].partition(":")[0] for part in path.split("/") if "{" in part}
        for part, name in names.items():
            path = path.replace(part, str(ids[name]))
        return path

    def right(self, path: str) -> dict[str, str]:
        """Valid values for the fields of this form; empty if it has none."""
        fields = FORMS.get(path, Form()).fields
        return {name: field.right.format_map(self.ids) for name, field in fields.items()}

    def _own(self, path: str) -> dict[str, Any]:
        return next((own for start, own in self.ids_at.items() if path.startswith(start)), {})

    def visitor(self) -> httpx.AsyncClient:
        return browser(self.app)

    async def held_by(self, account: User) -> tuple[Any, ...]:
        """The account itself, and how many rows name it, column by column."""
        counts = [
            select(func.count()).where(column == account.id).scalar_subquery()
            for column in COLUMNS_OF_ACCOUNTS
        ]
        held = select(User.__table__, *counts).where(User.id == account.id)
        async with self.app.state.db.read() as session:
            return tuple((await session.execute(held)).one())

    async def sign_in(self, client: httpx.AsyncClient, account: User) -> None:
        """Again, where the last session has ended; the token for forms goes along."""
        db, token = self.app.state.db, self._sessions.get(account.id, "")
        if await find_session(db, token) is None:
            async with db.write() as session:
                present = await session.get_one(User, account.id)
                token = await start_session(session, present, "")
            self._sessions[account.id] = token
        client.cookies.set("session", token, HOST)
        await take_token(client)


async def take_token(client: httpx.AsyncClient) -> None:
    """As a script in one of our pages sends it."""
    await client.get("/login")
    client.headers["X-CSRF-Token"] = client.cookies["csrftoken"]
    client.headers["Sec-Fetch-Site"] = "same-origin"
