"""The OpenAPI document arranged for the page /api/docs: chapters of operations, in plain words."""

import json
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from app.language import N_, _
from app.numbers import GREATEST_ID

TITLES = {
    "notifications": N_("Notifications"),
    "teams": N_("Teams and invitations"),
    "projects": N_("Projects and compilations"),
    "accounts": N_("Access tokens"),
}


@dataclass(frozen=True)
class Field:
    """A parameter, or a field of the request body."""

    name: str
    place: str
    type: str
    is_required: bool
    description: str


@dataclass(frozen=True)
class Entry:
    """One operation. `responses`: (status, description, example as JSON or "")."""

    id: str
    method: str
    path: str
    summary: str
    description: str
    is_public: bool
    fields: list[Field]
    command: str
    responses: list[tuple[str, str, str]]


@dataclass(frozen=True)
class Chapter:
    id: str
    title: str
    entries: list[Entry]


def read_manual(document: dict[str, Any]) -> list[Chapter]:
    """A chapter for each tag, in the order of the document."""
    chapters: dict[str, list[Entry]] = {}
    for path, item in document["paths"].items():
        for method, operation in item.items():
            entry = _Reader(document, method.upper(), path, operation).entry()
            chapters.setdefault(operation["tags"][0], []).append(entry)
    return [
        Chapter(tag, _(TITLES.get(tag, tag.capitalize())), entries)
        for tag, entries in chapters.items()
    ]


@dataclass(frozen=True)
class _Reader:
    document: dict[str, Any]
    method: str
    path: str
    operation: dict[str, Any]

    def entry(self) -> Entry:
        return Entry(
            id=self.operation["operationId"],
            method=self.method,
            path=self.path,
            summary=self.operation["summary"],
            description=self.operation["description"],
            is_public=not self.operation["security"],
            fields=[*self._parameters(), *self._body_fields()],
            command=self._command(),
            responses=list(self._responses()),
        )

    def _parameters(self) -> Iterator[Field]:
        for one in self.operation.get("parameters", ()):
            schema, description = one["schema"], one.get("description", "")
            if schema.get("deprecated"):
                description = _("Deprecated. {description}").format(description=description)
            yield Field(one["name"], one["in"], self._type(schema), one["required"], description)

    def _body_fields(self) -> Iterator[Field]:
        for _media_type, body in self._contents(self.operation.get("requestBody", {})):
            for name, schema in body["properties"].items():
                description = schema.get("description", "")
                is_required = name in body["required"]
                yield Field(name, "body", self._type(schema), is_required, description)

    def _type(self, schema: dict[str, Any]) -> str:
        schema = self._resolve(schema)
        if "enum" in schema:
            return " | ".join(map(str, schema["enum"]))
        if "anyOf" in schema:
            return " | ".join(dict.fromkeys(self._type(one) for one in schema["anyOf"]))
        if schema.get("type") == "array":
            return _("list of {type}").format(type=self._type(schema["items"]))
        return _bounded(schema.get("format") or schema.get("type", ""), schema)

    def _command(self) -> str:
        """A line for a shell; the page tells the reader to put the token into $TOKEN."""
        words = ["curl"]
        if self.operation["security"]:
            words += ['-H "Authorization: Bearer $TOKEN"']
        if self.method != "GET":
            words += [f"-X {self.method}"]
        for media_type, body in self._contents(self.operation.get("requestBody", {})):
            is_upload = media_type == "multipart/form-data"
            words += [
                "-F clips=@goal.mp4" if is_upload else f"--json {shlex.quote(_example(body))}"
            ]
        return " ".join([*words, shlex.quote(self._address())])

    def _address(self) -> str:
        path = self.path
        for one in self.operation.get("parameters", ()):
            value = "7" if one["schema"]["type"] == "integer" else "TOKEN"
            path = path.replace("{" + one["name"] + "}", value)
        return f"{self.document['servers'][0]['url']}{path}"

    def _responses(self) -> Iterator[tuple[str, str, str]]:
        for status, reference in self.operation["responses"].items():
            response = self._resolve(reference)
            examples = [_example(body, indent=2) for _type, body in self._contents(response)]
            yield status, response["description"], "".join(examples)

    def _contents(self, described: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
        """(media type, schema) of a request body or a response."""
        for media_type, media in described.get("content", {}).items():
            yield media_type, self._resolve(media["schema"])

    def _resolve(self, described: dict[str, Any]) -> dict[str, Any]:
        if "$ref" not in described:
            return described
        found: Any = self.document
        for step in described["$ref"].removeprefix("#/").split("/"):
            found = found[step]
        return dict(found)


def _example(schema: dict[str, Any], indent: int | None = None) -> str:
    examples = schema.get("examples", ())
    return json.dumps(examples[0], indent=indent, ensure_ascii=False) if examples else ""


def _bounded(type_: str, schema: dict[str, Any]) -> str:
    """The type with its bounds, unless they are those of every id."""
    least, most = schema.get("minimum"), schema.get("maximum", GREATEST_ID)
    if least is None or most == GREATEST_ID:
        return type_
    text = _("{type} from {least} to {most}")
    return text.format(type=type_, least=int(least), most=int(most))
