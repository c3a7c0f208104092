"""create_app() builds the web application."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any
from urllib.parse import urlsplit

from litestar import Litestar, Request
from litestar.config.allowed_hosts import AllowedHostsConfig
from litestar.di import Provide
from litestar.exceptions import HTTPException

from app.accounts.revocation import RevocationWatcher
from app.api.routing import api_router
from app.api_docs.document import openapi_config
from app.api_docs.schemas import StructSchemas
from app.error_handlers import on_crash, on_failure, on_http_exception
from app.errors import Failure, SignedOut
from app.forwarding import ForwardedLitestar, ProxiesSeen
from app.gc_tuning import freeze_loaded_objects, give_large_blocks_back
from app.http import PageRequest, possible_ids, provide_form
from app.installation import Installation, install
from app.middleware import AuthenticationMiddleware, ForgeryMiddleware, secure_response
from app.models import User
from app.notifications.live.detached_streams import StreamingLitestar
from app.notifications.live.follower import Follower
from app.notifications.live.html import HtmlPublisher
from app.notifications.live.hub import Hub
from app.notifications.live.json import JsonPublisher
from app.notifications.live.resuming import Resumptions
from app.parsing import MAX_FORM_BYTES, ForgetfulLitestar
from app.private_files import create_private_files
from app.routes import API, PAGES
from app.settings import Settings, has_port, load
from app.telemetry import logs, metrics
from app.telemetry.requests import ObservedLitestar


class ClippyFront(ForwardedLitestar, StreamingLitestar, ObservedLitestar, ForgetfulLitestar):
    """A Litestar that finds the client behind proxies, detaches streams from their requests, logs
    and times each request, and retains nothing of it afterwards.
    """


def serve() -> Litestar:
    """The application as each web process runs it: with logging and metrics set up."""
    give_large_blocks_back()
    create_private_files()
    settings = load()
    logs.configure(settings)
    metrics.share(settings.data_dir)
    return create_app(install(settings))


def create_app(installation: Installation) -> StreamingLitestar:
    """The web application; its database is expected to be migrated."""
    settings = installation.settings
    app = ClippyFront(
        [*PAGES, api_router(API)],
        lifespan=[_connected, _listening, _settled],
        dependencies=_dependencies(),
        before_send=[secure_response],
        middleware=[AuthenticationMiddleware(), ForgeryMiddleware()],
        request_class=PageRequest,
        request_max_body_size=MAX_FORM_BYTES,
        guards=[possible_ids],
        allowed_hosts=AllowedHostsConfig(allowed_hosts=_host_headers(settings), www_redirect=False),
        exception_handlers={
            Failure: on_failure,
            HTTPException: on_http_exception,
            Exception: on_crash,
        },
        openapi_config=openapi_config(settings.base_url),
        include_in_schema=False,
        plugins=[StructSchemas()],
        logging_config=None,
    )
    furnish(app, installation)
    return app


def furnish(app: Litestar, installation: Installation) -> None:
    """Attach the parts of `installation` that the application uses from startup to shutdown.

    After a shutdown, the application can be furnished again with another database; its base URL,
    allowed hosts and CSRF key do not change.
    """
    db, relay, hub = installation.db, installation.broker.relay, Hub()
    html_publisher = HtmlPublisher(db, hub)
    follower = Follower(db, relay, hub, [html_publisher, JsonPublisher(db, hub)])
    app.state.update(
        installation=installation,
        settings=installation.settings,
        proxies_seen=ProxiesSeen(installation.settings),
        signer=installation.signer,
        vapid_keys=installation.vapid_keys,
        db=db,
        broker=installation.broker,
        hub=hub,
        html_publisher=html_publisher,
        resumptions=Resumptions(db, follower),
        follower=follower,
        revocation_watcher=RevocationWatcher(db, relay, hub),
    )


@asynccontextmanager
async def _connected(app: Litestar) -> AsyncIterator[None]:
    async with app.state.installation.running():
        yield


@asynccontextmanager
async def _listening(app: Litestar) -> AsyncIterator[None]:
    state = app.state
    async with state.hub.running(), state.follower.running(), state.revocation_watcher.running():
        yield


@asynccontextmanager
async def _settled(_app: Litestar) -> AsyncIterator[None]:
    freeze_loaded_objects()
    yield


def _dependencies() -> dict[str, Provide]:
    names = (
        "settings",
        "signer",
        "vapid_keys",
        "db",
        "broker",
        "hub",
        "html_publisher",
        "resumptions",
    )
    shared = {name: Provide(_furnished(name), sync_to_thread=False) for name in names}
    return shared | {
        "optional_user": Provide(_optional_user, sync_to_thread=False),
        "user": Provide(_user, sync_to_thread=False),
        "session_id": Provide(_session_id, sync_to_thread=False),
        "form": Provide(provide_form),
    }


def _furnished(name: str) -> Any:
    def provide(request: Request[Any, Any, Any]) -> Any:
        return request.app.state[name]

    return provide


def _optional_user(request: Request[Any, Any, Any]) -> User | None:
    user: User | None = request.scope.get("user")
    return user


def _user(request: Request[Any, Any, Any]) -> User:
    user = request.scope.get("user")
    if not isinstance(user, User):
        raise SignedOut
    return user


def _session_id(request: Request[Any, Any, Any]) -> int:
    _user(request)
    return int(request.scope["state"]["session_id"])


def _host_headers(settings: Settings) -> list[str]:
    """The accepted Host headers: each allowed host, alone or with a port that we serve."""
    if "*" in settings.allowed_hosts:
        return ["*"]
    ports = {"", f":{settings.port}", f":{urlsplit(settings.base_url).port or settings.port}"}
    return [
        _ascii(host) + port
        for host in settings.allowed_hosts
        for port in ([""] if has_port(host) else ports)
    ]


def _ascii(host: str) -> str:
    """The host name in ASCII, as the Host header contains it (IDNA, RFC 5890)."""
    with suppress(UnicodeError):
        return host.lower().encode("idna").decode()
    return host.lower()
