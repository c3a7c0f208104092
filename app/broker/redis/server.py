"""How queue and relay connect to Redis, and whether they can."""

import hashlib
from typing import Any

from redis import Redis as BlockingRedis
from redis import exceptions
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.retry import Retry as BlockingRetry

from app.language import _
from app.settings import SettingError, Settings

OLDEST = (6, 2)
# A failed enqueue does no harm, because the rows are the source of truth and a worker finds them
# later; one that hangs would hold up a request.
TIMEOUT_SECONDS = 5.0
_TIMES: dict[str, Any] = {
    "socket_connect_timeout": TIMEOUT_SECONDS,
    "socket_timeout": TIMEOUT_SECONDS,
    "socket_keepalive": True,
    "client_name": "clippyfront",
}


def open_client(url: str) -> Redis:
    """A client that is not connected yet. A command on a lost connection is tried once more."""
    return Redis.from_url(url, retry=Retry(NoBackoff(), 1), decode_responses=False, **_TIMES)


def installation_prefix(settings: Settings) -> str:
    """Begins every key and channel, so that installations may share a server.

    Derived from the secret key and the name of the database, which all processes of an installation
    share even if they reach the database at different addresses.
    """
    database = settings.database_url.partition("?")[0].rpartition("/")[2]
    secret = f"{settings.secret_key}\n{database}".encode()
    return f"clippyfront:{hashlib.sha256(secret).hexdigest()[:16]}"


def require_redis(url: str) -> None:
    """Raises SettingError unless the server at REDIS_URL answers and is new enough."""
    try:
        client = BlockingRedis.from_url(url, retry=BlockingRetry(NoBackoff(), 0), **_TIMES)
        with client:
            found: Any = client.info("server")
            version = str(found["redis_version"])
    except exceptions.AuthenticationError as error:
        raise SettingError(_refused().format(reason=_reason(error))) from None
    except exceptions.ResponseError as error:
        raise SettingError(_refused().format(reason=_reason(error))) from None
    except (exceptions.RedisError, OSError, ValueError) as error:
        sentence = _("REDIS_URL names a server that cannot be reached ({reason}).")
        raise SettingError(sentence.format(reason=_reason(error))) from None
    if tuple(int(part) for part in version.split(".")[:2]) < OLDEST:
        sentence = _("REDIS_URL names a server of Redis {version}, but 6.2 or newer is needed.")
        raise SettingError(sentence.format(version=version))


def _refused() -> str:
    return _("REDIS_URL names a server that refuses the connection ({reason}).")


def _reason(error: Exception) -> str:
    return str(error).rstrip(".") or type(error).__name__
