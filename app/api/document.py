"""The OpenAPI 3.1 document, built from the handlers that answer and the shapes they hold to."""

from collections.abc import Iterable, Iterator, Mapping
from http import HTTPStatus
from importlib.metadata import version
from typing import Any

import msgspec
from litestar.handlers import HTTPRouteHandler
from litestar.routes import BaseRoute, HTTPRoute

from app.api.operation import OPERATION, SAFE, Operation
from app.api.shapes import PROBLEM_JSON, Answer, InvalidProblem, Problem, Sent
from app.numbers import GREATEST_ID

JSON = "application/json"
METHODS = ("GET", "POST", "PUT", "DELETE")
REF = "#/components/schemas/{name}"
DESCRIPTION = """\
Everything a page of ClippyFront does can be done by a program.

**Who asks.** Send a personal token, `Authorization: Bearer …`, made under Account or by
`POST /api/tokens`; one of scope `read` changes nothing. A session cookie serves as well, with the
value of the cookie `csrftoken` in the header `X-CSRF-Token` on whatever changes something.

**What goes wrong** is told as problem details (RFC 9457). A 400 names every wrong field in
`errors`. What is not yours is 404, as if it were not there. Times are ISO 8601, UTC.
"""
SECURITY = {
    "token": {"type": "http", "scheme": "bearer", "description": "A personal access token."},
    "session": {"type": "apiKey", "in": "cookie", "name": "session"},
    "csrf": {"type": "apiKey", "in": "header", "name": "X-CSRF-Token"},
}
HEADERS = {
    401: {"WWW-Authenticate": "Bearer"},
    429: {"Retry-After": "Seconds to wait"},
    503: {"Retry-After": "Seconds to wait"},
}
DETAILS = {
    400: "What was sent is malformed or wrong",
    401: "Signed out, or the token is not valid",
    403: "Not allowed: the role, the scope of the token, or the CSRF token",
    404: "Not there, or not yours",
    409: "Right in itself, but not as things stand",
    413: "Larger than can be taken",
    416: "Beyond the end of the file",
    429: "Tried too often",
    503: "Too many streams are open",
}


def describe(routes: Iterable[BaseRoute], url: str) -> dict[str, Any]:
    """The whole document, for the routes of the application; `url` is where it is reached."""
    operations = [(route, *found) for route in routes for found in operations_of(route)]
    paths: dict[str, Any] = {}
    for route, method, operation in sorted(operations, key=_place):
        described = _operation(route, method, operation)
        paths.setdefault(route.path_format, {})[method.lower()] = described
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "ClippyFront",
            "version": version("clippyfront"),
            "description": DESCRIPTION,
        },
        "servers": [{"url": url}],
        "paths": paths,
        "components": {
            "schemas": _schemas(operation for _route, _method, operation in operations),
            "responses": {str(status): _problem(status) for status in DETAILS},
            "securitySchemes": SECURITY,
        },
    }


def _place(one: tuple[BaseRoute, str, Operation]) -> tuple[str, int]:
    return one[0].path_format, METHODS.index(one[1])


def operations_of(route: BaseRoute) -> Iterator[tuple[str, Operation]]:
    """(method, operation) of each handler of the API at this route."""
    if isinstance(route, HTTPRoute):
        for method, (handler, _model) in route.route_handler_map.items():
            if isinstance(handler, HTTPRouteHandler) and OPERATION in handler.opt:
                yield method, handler.opt[OPERATION]


def _operation(route: BaseRoute, method: str, operation: Operation) -> dict[str, Any]:
    summary, _blank, rest = operation.description.partition("\n\n")
    described = {
        "operationId": operation.name,
        "tags": [operation.name.split(".")[0]],
        "summary": " ".join(summary.split()),
        "description": rest,
        "parameters": [*_in_path(route), *_in_query(operation)],
        "requestBody": _body(operation),
        "responses": _responses(operation),
        "security": [] if operation.is_public else _security(method),
    }
    return {name: value for name, value in described.items() if value or name == "security"}


def _security(method: str) -> list[dict[str, list[str]]]:
    by_cookie: dict[str, list[str]] = (
        {"session": []} if method in SAFE else {"session": [], "csrf": []}
    )
    return [{"token": []}, by_cookie]


def _in_path(route: BaseRoute) -> list[dict[str, Any]]:
    number = {"type": "integer", "minimum": 1, "maximum": GREATEST_ID}
    return [
        {
            "name": name,
            "in": "path",
            "required": True,
            "schema": number if parameter.type is int else {"type": "string"},
        }
        for name, parameter in route.path_parameters.items()
    ]


def _in_query(operation: Operation) -> list[dict[str, Any]]:
    if operation.query is None:
        return []
    schema = _schema_of(operation.query)
    return [
        {
            "name": name,
            "in": "query",
            "required": name in schema.get("required", []),
            **_described(dict(field), operation.query.example.get(name)),
        }
        for name, field in schema["properties"].items()
    ]


def _described(schema: dict[str, Any], example: Any) -> dict[str, Any]:
    """What belongs to the parameter, not to its schema."""
    told = {name: schema.pop(name) for name in ("description", "deprecated") if name in schema}
    return told | {"schema": schema} | ({} if example is None else {"example": example})


def _body(operation: Operation) -> dict[str, Any] | None:
    if operation.upload:
        files = {"type": "array", "items": {"type": "string", "format": "binary"}, "minItems": 1}
        form = {
            "type": "object",
            "properties": {operation.upload: files},
            "required": [operation.upload],
        }
        return {"required": True, "content": {"multipart/form-data": {"schema": form}}}
    if operation.body is None:
        return None
    is_required = bool(_schema_of(operation.body).get("required"))
    return {"required": is_required, "content": {JSON: _media(operation.body)}}


def _media(shape: type[Sent] | type[Answer]) -> dict[str, Any]:
    example = {"example": shape.example} if shape.example else {}
    return {"schema": {"$ref": REF.format(name=shape.__name__)}} | example


def _responses(operation: Operation) -> dict[str, Any]:
    good = {str(status): _answer(status, operation) for status in operation.answers}
    bad = {
        str(status): {"$ref": f"#/components/responses/{status}"}
        for status in sorted(operation.problems)
    }
    return good | bad


def _answer(status: int, operation: Operation) -> dict[str, Any]:
    shape = operation.answers[status]
    answer: dict[str, Any] = {"description": HTTPStatus(status).phrase}
    if isinstance(shape, str):
        answer["content"] = {shape: {"schema": {"type": "string", "format": "binary"}}}
    elif shape is not None:
        answer["content"] = {JSON: _media(shape)}
    if operation.headers:
        answer["headers"] = _headers(operation.headers)
    return answer


def _headers(headers: Mapping[str, str]) -> dict[str, Any]:
    text = {"type": "string"}
    return {name: {"description": told, "schema": text} for name, told in headers.items()}


def _problem(status: int) -> dict[str, Any]:
    detail = DETAILS[status]
    shape = InvalidProblem if status == 400 else Problem
    example = {"status": status, "title": HTTPStatus(status).phrase, "detail": detail}
    if status == 400:
        example["errors"] = [{"field": "name", "detail": "This field is required."}]
    schema = {"$ref": REF.format(name=shape.__name__)}
    problem = {
        "description": detail,
        "content": {PROBLEM_JSON: {"schema": schema, "example": example}},
    }
    return problem | ({"headers": _headers(HEADERS[status])} if status in HEADERS else {})


def _schemas(operations: Iterable[Operation]) -> dict[str, Any]:
    """Every shape that is sent as a body or answered, and those within."""
    used: set[Any] = {Problem, InvalidProblem}
    for operation in operations:
        used |= {shape for shape in operation.answers.values() if isinstance(shape, type)}
        used |= {operation.body} - {None}
    ordered = sorted(used, key=lambda shape: str(shape.__name__))
    schemas = msgspec.json.schema_components(ordered, ref_template=REF)[1]
    for shape in ordered:
        schemas[shape.__name__] |= getattr(shape, "rules", {})
    return dict(sorted(schemas.items()))


def _schema_of(shape: type[Sent]) -> dict[str, Any]:
    return dict(msgspec.json.schema_components([shape], ref_template=REF)[1][shape.__name__])
