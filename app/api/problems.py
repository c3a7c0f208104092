"""Problem details (RFC 9457): their shape, and what each status means in this API."""

from litestar.openapi import ResponseSpec

from app.api.shapes import ResponseBody

PROBLEM_JSON = "application/problem+json"
MEANINGS = {
    400: "The request is malformed or a field is invalid",
    401: "The caller is not signed in, or the token is not valid",
    403: "The caller's role, token scope or CSRF token does not allow this",
    404: "It does not exist, or it is not yours",
    409: "The request is valid but conflicts with the current state",
    410: "It was removed",
    413: "The request body is too large",
    414: "The address is too long, or its query has too many fields",
    416: "The range starts beyond the end of the file",
    429: "Too many requests",
    503: "The server is busy, or cannot reach its database or disk",
    507: "The server's disk is full: everything can be read, nothing can be saved",
}


class Problem(ResponseBody):
    """Problem details (RFC 9457)."""

    status: int
    title: str
    detail: str


class FieldProblem(ResponseBody):
    """An invalid field; `field` is its path, as in `filter.type`."""

    field: str
    detail: str


class InvalidProblem(Problem):
    """Problem details that name every invalid field."""

    errors: list[FieldProblem]


def about_request(title: str, sentence: str) -> InvalidProblem:
    """A 400 about the whole request: no field of it can be named."""
    return InvalidProblem(400, title, sentence, [FieldProblem("request", sentence)])


def problems(*statuses: int) -> dict[int, ResponseSpec]:
    """The `responses` of a handler that fails with these statuses.

    Those that follow from its method, path and body need not be named: see `app.api_docs`.
    """
    return {
        status: ResponseSpec(Problem, generate_examples=False, media_type=PROBLEM_JSON)
        for status in statuses
    }
