"""The least that answers `unread-count`: a bare Litestar and sqlite3, without users or sessions."""

import os
import sqlite3
from typing import Any

from litestar import Litestar, get

UNREAD = (
    "SELECT count(*) FROM notification"
    " WHERE user_id = ? AND read_at IS NULL AND deleted_at IS NULL AND NOT hidden"
)
connection = sqlite3.connect(os.environ.get("BARE_DATABASE", ":memory:"))
user_id = int(os.environ.get("BARE_USER_ID", "0"))


@get("/unread-count")
async def unread_count() -> dict[str, Any]:
    [count] = connection.execute(UNREAD, (user_id,)).fetchone()
    return {"count": count}


app = Litestar([unread_count], openapi_config=None, logging_config=None)
