"""A handler of the JSON API: what it takes and answers is read from its signature, once.

    @api.post("/api/teams", status=201)
    async def create(…, sent: NamedDependency[NewTeam]) -> TeamObject:

`sent` is the body, `asked` the query, each read into its shape. The signature decides how the request is read and what the document says of it, so that the two
cannot differ. Who is signed out, or names an id that nothing can have, does not get so far.
"""

import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, get_args, get_origin, get_type_hints

import litestar
from litestar import Response
from litestar.di import Provide
from litestar.handlers import HTTPRouteHandler

from app.api.reading import read_body, read_query
from app.api.shapes import Sent
from app.http import AnyRequest, signed_in

OPERATION = "operation"
MOST_BYTES = 1_000_000
SAFE = ("GET",)


@dataclass(frozen=True)
class Operation:
    """`answers` maps each good status to its shape, a media type, or None for no body;
    `headers` names the headers of these answers, `problems` the other statuses that occur.
    `upload` is the field of a multipart body that takes files.
    """

    name: str
    description: str
    answers: Mapping[int, Any]
    problems: frozenset[int]
    is_public: bool = False
    query: type[Sent] | None = None
    body: type[Sent] | None = None
    upload: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)


def handle(
    method: str,
    path: str,
    *,
    status: int = 200,
    answers: Mapping[int, Any] | None = None,
    problems: Iterable[int] = (),
    headers: Mapping[str, str] | None = None,
    is_public: bool = False,
    upload: str = "",
    **options: Any,
) -> Callable[[Callable[..., Any]], HTTPRouteHandler]:
    """Make a function the handler of `method` at `path`; the arguments are those of `Operation`.

    `problems` are those that the signature does not tell: see `_problems`.
    """

    def decorate(handler: Callable[..., Any]) -> HTTPRouteHandler:
        hints = get_type_hints(handler, include_extras=True)
        operation = Operation(
            name=f"{handler.__module__.removeprefix('app.')}.{handler.__name__}",
            description=inspect.cleandoc(handler.__doc__ or ""),
            answers={status: _answered(hints["return"])} | dict(answers or {}),
            problems=_problems(method, path, hints, is_public, upload) | set(problems),
            is_public=is_public,
            query=_shape(hints, "asked"),
            body=_shape(hints, "sent"),
            upload=upload,
            headers=headers or {},
        )
        given = {"request_max_body_size": MOST_BYTES} | options
        return getattr(litestar, method.lower())(  # type: ignore[no-any-return]
            path,
            status_code=status,
            guards=[] if is_public else [signed_in],
            dependencies=_reading(operation),
            opt={OPERATION: operation},
            **given,
        )(handler)

    return decorate


get, post, put, delete = (partial(handle, method) for method in ("GET", "POST", "PUT", "DELETE"))


def _answered(annotation: Any) -> Any:
    """The shape in `Response[Shape]`, or the annotation itself."""
    origin = get_origin(annotation)
    is_response = isinstance(origin, type) and issubclass(origin, Response)
    shape = get_args(annotation)[0] if is_response else annotation
    return None if shape is type(None) else shape


def _problems(
    method: str, path: str, hints: Mapping[str, Any], is_public: bool, upload: str
) -> frozenset[int]:
    """400 and 413 for what is sent, 403 for who sends it, 404 for what a path names; and a token
    that is not valid is 401 everywhere.
    """
    takes_body = "sent" in hints or bool(upload)
    found = {
        400: takes_body or "asked" in hints,
        401: True,
        403: not is_public and method not in SAFE,
        404: "{" in path,
        413: takes_body,
    }
    return frozenset(status for status, occurs in found.items() if occurs)


def _shape(hints: Mapping[str, Any], name: str) -> type[Sent] | None:
    return get_args(hints[name])[0] if name in hints else None


def _reading(operation: Operation) -> dict[str, Provide]:
    given = {}
    if operation.query:
        given["asked"] = Provide(_from_query(operation.query), sync_to_thread=False)
    if operation.body:
        given["sent"] = Provide(_from_body(operation.body))
    return given


def _from_query(shape: type[Sent]) -> Callable[..., Any]:
    def provide(request: AnyRequest) -> Any:
        return read_query(request, shape)

    return provide


def _from_body(shape: type[Sent]) -> Callable[..., Any]:
    async def provide(request: AnyRequest) -> Any:
        return await read_body(request, shape)

    return provide
