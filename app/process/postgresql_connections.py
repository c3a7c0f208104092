"""How every connection to PostgreSQL begins: the database's, the queue's and the relay's.

Imports no driver: where the settings ask for SQLite, none is needed.
"""

from typing import Any

from sqlalchemy.engine import make_url

from app.faults import BUSY_SECONDS

# For libpq (https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-PARAMKEYWORDS), in
# seconds and, for tcp_user_timeout, milliseconds. A server whose host has vanished counts as lost
# after 20 seconds, instead of the quarter of an hour that TCP would wait.
CONNECTING: dict[str, Any] = {
    "connect_timeout": 5,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 2,
    "tcp_user_timeout": 20_000,
    "fallback_application_name": "clippyfront",
}
# A host that hangs, or whose network is gone, must not block the others for ever. It loses its
# locks after IDLE_SECONDS within a transaction that does nothing, and its connection 20 seconds
# after it was last heard of. A wait for a lock ends after BUSY_SECONDS. No statement of ours takes
# minutes, so one that does is a mistake.
IDLE_SECONDS, STATEMENT_SECONDS = 30, 300
BEGINNING = "; ".join(
    f"SET SESSION {name} = {value}"
    for name, value in {
        "timezone": "'UTC'",
        "lock_timeout": f"'{BUSY_SECONDS:.0f}s'",
        "idle_in_transaction_session_timeout": f"'{IDLE_SECONDS}s'",
        "statement_timeout": f"'{STATEMENT_SECONDS}s'",
        "tcp_keepalives_idle": "10",
        "tcp_keepalives_interval": "5",
        "tcp_keepalives_count": "2",
    }.items()
)


def connection_info(database_url: str) -> str:
    """DATABASE_URL as libpq reads it, its password included."""
    return make_url(database_url).set(drivername="postgresql").render_as_string(False)


def server_name(database_url: str) -> str:
    """The server as a sentence can name it, without user and password."""
    url = make_url(database_url)
    hosts = url.host or url.normalized_query.get("host", ("this machine",))[0]
    return f"{hosts}:{url.port}" if url.port else hosts
