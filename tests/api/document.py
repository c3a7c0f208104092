"""Checks responses against the OpenAPI document."""

import re
from functools import cached_property
from typing import Any

import httpx
import jsonschema_rs


class Document:
    def __init__(self, document: dict[str, Any]) -> None:
        self.document = document

    @cached_property
    def _paths(self) -> list[tuple[re.Pattern[str], dict[str, Any]]]:
        """Paths without parameters first, since /notifications/{id} matches /notifications/undo too."""
        paths = sorted(self.document["paths"].items(), key=lambda one: one[0].count("{"))
        return [(re.compile(re.sub(r"{\w+}", "[^/]+", path)), item) for path, item in paths]

    async def check(self, answer: httpx.Response) -> None:
        """Raises AssertionError for a status or a body that the document does not describe."""
        operation = self.operation_of(answer.request)
        if operation is None:
            assert answer.status_code in (404, 405), f"{answer.request} is not documented"
            return
        documented = self.resolve(operation["responses"].get(str(answer.status_code), {}))
        asked = f"{answer.request.method} {answer.request.url.path} → {answer.status_code}"
        assert documented, f"{asked} is not documented"
        if "content" in documented:
            await self._check_body(answer, documented["content"], asked)

    def operation_of(self, request: httpx.Request) -> dict[str, Any] | None:
        for pattern, item in self._paths:
            if pattern.fullmatch(request.url.path):
                found: dict[str, Any] | None = item.get(request.method.lower())
                return found
        return None

    async def _check_body(self, answer: httpx.Response, content: Any, asked: str) -> None:
        kind = answer.headers["Content-Type"].partition(";")[0]
        assert kind in content, f"{asked} is {kind}, which is not documented"
        if kind.endswith("json"):
            await answer.aread()
            schema = content[kind]["schema"] | {"components": self.document["components"]}
            validator = jsonschema_rs.Draft202012Validator(schema, validate_formats=True)
            wrong = [error.message for error in validator.iter_errors(answer.json())]
            assert not wrong, f"{asked}: {wrong}"

    def resolve(self, described: dict[str, Any]) -> dict[str, Any]:
        if "$ref" not in described:
            return described
        found: Any = self.document
        for step in described["$ref"].removeprefix("#/").split("/"):
            found = found[step]
        return dict(found)
