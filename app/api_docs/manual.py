"""The OpenAPI document arranged for the page /api/docs: chapters of operations, in plain words."""

import json
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from app.language import N_, _
from app.values.numbers import GREATEST_ID

TITLES = {
    "notifications": N_("Notifications"),
    "teams": N_("Teams and invitations"),
    "projects": N_("Projects and compilations"),
    "accounts": N_("Access tokens"),
    "operations": N_("Administration"),
}


@dataclass(frozen=True)
class Field:
    """A parameter, or a field of the request body."""

    name: str
    location: str
    type: str
    is_required: bool
    description: str


@dataclass(frozen=True)
class Entry:
    """An operation of the document, with what the page shows of it."""

    document: dict[str, Any]
    method: str
    path: str
    operation: dict[str, Any]

    @property
    def fields(self) -> list[Field]:
        return [*self._parameters(), *self._body_fields()]

    @property
    def command(self) -> str:
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

    @property
    def responses(self) -> Iterator[tuple[str, str, str]]:
        """(status, description, example as JSON or "")."""
        for status, reference in self.operation["responses"].items():
            response = self._resolve(reference)
            examples = [_example(body, indent=2) for _type, body in self._contents(response)]
            yield status, response["description"], "".join(examples)

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

    def _address(self) -> str:
        path = self.path
        for one in self.operation.get("parameters", ()):
            if one["in"] == "path":
                value = "7" if one["schema"]["type"] == "integer" else "TOKEN"
                path = path.replace("{" + one["name"] + "}", value)
        return f"{self.document['servers'][0]['url']}{path}"

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
            entry = Entry(document, method.upper(), path, operation)
            chapters.setdefault(operation["tags"][0], []).append(entry)
    return [
        Chapter(tag, _(TITLES.get(tag, tag.capitalize())), entries)
        for tag, entries in chapters.items()
    ]


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
