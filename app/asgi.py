"""create_app() builds the web application."""

import multiprocessing
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from litestar import Litestar, Request
from litestar.config.app import AppConfig
from litestar.datastructures import State
from litestar.di import Provide
from litestar.exceptions import HTTPException
from litestar.plugins import ReceiveRoutePlugin
from litestar.routes import BaseRoute, HTTPRoute

from app.accounts.credential_cache import CredentialCache
from app.accounts.revocation import RevocationWatcher
from app.api.routing import api_router
from app.api_docs.document import openapi_config
from app.api_docs.schemas import StructSchemas
from app.broker.runtime_directory import runtime_directory
from app.errors import Failure, SignedOut
from app.http import PageRequest, provide_form
from app.installation import Installation, check, install
from app.models import User
from app.notifications.live.detached_streams import STREAM_PATHS, StreamingLitestar
from app.notifications.live.follower import Follower
from app.notifications.live.html import Bells
from app.notifications.live.hub import Hub
from app.notifications.live.publisher import StreamPublisher
from app.notifications.live.resuming import Resumptions
from app.notifications.live.topic_publisher import TopicPublisher, Viewers
from app.process.gc_tuning import freeze_loaded_objects, give_large_blocks_back
from app.process.parent_process import end_with_parent
from app.process.private_files import create_private_files
from app.routes import API, PAGES
from app.settings import load
from app.telemetry import logs, metrics
from app.telemetry.requests import ObservedLitestar
from app.topics import PROGRESS, PROJECT, TEAM
from app.visibility import project_viewers, team_viewers
from app.web.compression import CompressingLitestar
from app.web.error_handlers import on_crash, on_failure, on_http_exception
from app.web.forwarding import AddressedLitestar, ForwardedLitestar, ProxiesSeen
from app.web.middleware import AuthenticationMiddleware, ForgeryMiddleware, secure_response
from app.web.parsing import MAX_FORM_BYTES, ForgetfulLitestar
from app.web.visits import Visits, note_visit

# The entries of the application's state (see `furnish`) that handlers may ask for by name.
PARTS = (
    "settings",
    "signer",
    "vapid_keys",
    "db",
    "broker",
    "hub",
    "bells",
    "resumptions",
    "visits",
)


class ClippyFront(
    ForwardedLitestar,
    StreamingLitestar,
    CompressingLitestar,
    ObservedLitestar,
    AddressedLitestar,
    ForgetfulLitestar,
):
    """A Litestar that finds the client behind proxies, detaches streams from their requests,
    compresses whole bodies, logs and times each request, refuses requests for other hosts, and
    caches nothing of a request.
    """


class DependenciesInTurn(ReceiveRoutePlugin):
    """Resolves the dependencies of a request one after the other. Litestar would resolve them
    concurrently, each in a task. Ours never wait for anything, so the tasks would cost more than
    they do.
    """

    def receive_route(self, route: BaseRoute) -> None:
        if isinstance(route, HTTPRoute):
            for _handler, model in route.route_handler_map.values():
                model.dependency_batches = [
                    {one} for batch in model.dependency_batches for one in batch
                ]


class HeadLikeGet(ReceiveRoutePlugin):
    """Answers HEAD wherever GET is answered (RFC 9110, 9.1); the server leaves out the body.
    Streams refuse HEAD: they are nothing but their body.
    """

    def receive_route(self, route: BaseRoute) -> None:
        if not isinstance(route, HTTPRoute) or route.path in STREAM_PATHS:
            return
        if get := route.route_handler_map.get("GET"):
            route.route_handler_map["HEAD"] = get
            route.methods.add("HEAD")


def serve() -> Litestar:
    """The application as each web process runs it: with logging and metrics set up."""
    if multiprocessing.parent_process():  # with WEB_CONCURRENCY, one of several
        end_with_parent(os.getppid())
    give_large_blocks_back()
    create_private_files()
    settings = load(check=check)
    logs.configure(settings)
    metrics.share(runtime_directory(settings.data_dir, "metrics"))
    return create_app(install(settings))


def create_app(installation: Installation) -> StreamingLitestar:
    """The web application; its database is expected to be migrated."""
    settings = installation.settings
    app = ClippyFront(
        [*PAGES, api_router(API)],
        lifespan=[_connected, _listening, _settled],
        on_app_init=[_provide_parts],
        dependencies=_dependencies(),
        before_send=[secure_response],
        middleware=[AuthenticationMiddleware(), ForgeryMiddleware()],
        before_request=note_visit,
        request_class=PageRequest,
        request_max_body_size=MAX_FORM_BYTES,
        exception_handlers={
            Failure: on_failure,
            HTTPException: on_http_exception,
            Exception: on_crash,
        },
        openapi_config=openapi_config(settings.base_url),
        include_in_schema=False,
        plugins=[StructSchemas(), DependenciesInTurn(), HeadLikeGet()],
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
    bells = Bells(db)
    follower = Follower(db, relay, hub, StreamPublisher(db, hub, bells))
    viewers: Viewers = {
        TEAM: team_viewers,
        PROJECT: project_viewers,
        PROGRESS: project_viewers,
    }
    app.state.update(
        installation=installation,
        settings=installation.settings,
        proxies_seen=ProxiesSeen(installation.settings),
        signer=installation.signer,
        vapid_keys=installation.vapid_keys,
        db=db,
        credentials=CredentialCache(db, relay),
        visits=Visits(db),
        broker=installation.broker,
        hub=hub,
        bells=bells,
        resumptions=Resumptions(db, follower),
        follower=follower,
        topic_publisher=TopicPublisher(db, relay, hub, follower, viewers),
        revocation_watcher=RevocationWatcher(db, relay, hub),
    )


@asynccontextmanager
async def _connected(app: Litestar) -> AsyncIterator[None]:
    async with app.state.installation.running():
        yield


@asynccontextmanager
async def _listening(app: Litestar) -> AsyncIterator[None]:
    state = app.state
    async with (
        state.hub.running(),
        state.follower.running(),
        state.topic_publisher.running(),
        state.revocation_watcher.running(),
        state.credentials.running(),
    ):
        yield


@asynccontextmanager
async def _settled(_app: Litestar) -> AsyncIterator[None]:
    freeze_loaded_objects()
    yield


def _provide_parts(config: AppConfig) -> AppConfig:
    """Providers do not take the request: passing it to them would take Litestar longer than they
    do.
    """
    for name in PARTS:
        config.dependencies[name] = Provide(_part(config.state, name), sync_to_thread=False)
    return config


def _part(state: State, name: str) -> Callable[[], Any]:
    def provide() -> Any:
        return state[name]

    return provide


def _dependencies() -> dict[str, Provide]:
    return {
        "optional_user": Provide(_optional_user, sync_to_thread=False),
        "user": Provide(_user, sync_to_thread=False),
        "session_id": Provide(_session_id, sync_to_thread=False),
        "form": Provide(provide_form),
    }


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
