"""The document as people read it at /api/docs: chapters of entries, each with a command to try."""

import json
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from app.api.document import JSON
from app.language import N_, _
from app.numbers import GREATEST_ID

CHAPTERS = {
    "notifications": N_("Notifications"),
    "teams": N_("Teams and invitations"),
    "projects": N_("Projects and compilations"),
    "accounts": N_("Access tokens"),
}
FILE_UPLOAD = "multipart/form-data"


@dataclass(frozen=True)
class Field:
    """A parameter or a field of the body; `kind` is what may stand there, in short."""

    name: str
    place: str
    kind: str
    is_required: bool
    told: str


@dataclass(frozen=True)
class Entry:
    """One operation. `answers`: (status, what it means, an example or "")."""

    id: str
    method: str
    path: str
    summary: str
    description: str
    is_public: bool
    fields: list[Field]
    command: str
    answers: list[tuple[str, str, str]]


@dataclass(frozen=True)
class Chapter:
    id: str
    title: str
    entries: list[Entry]


def read_manual(document: dict[str, Any]) -> list[Chapter]:
    """In the order of `CHAPTERS`; what belongs to none of them stands at the end."""
    chapters: dict[str, list[Entry]] = {name: [] for name in CHAPTERS}
    for path, item in document["paths"].items():
        for method, operation in item.items():
            entry = _Reader(document, method.upper(), path, operation).entry()
            chapters.setdefault(operation["tags"][0], []).append(entry)
    return [
        Chapter(name, _(CHAPTERS.get(name, name.capitalize())), entries)
        for name, entries in chapters.items()
        if entries
    ]


@dataclass(frozen=True)
class _Reader:
    """Reads one operation of the document."""

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
            description=self.operation.get("description", ""),
            is_public=not self.operation["security"],
            fields=[*self._parameters(), *self._body_fields()],
            command=self._command(),
            answers=list(self._answers()),
        )

    def _parameters(self) -> Iterator[Field]:
        for one in self.operation.get("parameters", ()):
            told = one.get("description", "")
            if one.get("deprecated"):
                told = _("Deprecated. {told}").format(told=told)
            kind = self._kind(one["schema"])
            yield Field(one["name"], one["in"], kind, one["required"], told)

    def _body_fields(self) -> Iterator[Field]:
        for media in self.operation.get("requestBody", {"content": {}})["content"].values():
            schema = self._resolve(media["schema"])
            for name, field in schema["properties"].items():
                is_required = name in schema.get("required", ())
                told = field.get("description", "")
                yield Field(name, "body", self._kind(field), is_required, told)

    def _kind(self, schema: dict[str, Any]) -> str:
        schema = self._resolve(schema)
        if "enum" in schema:
            return " | ".join(map(str, schema["enum"]))
        if "anyOf" in schema:
            return " | ".join(dict.fromkeys(self._kind(one) for one in schema["anyOf"]))
        if schema.get("type") == "array":
            return _("list of {kind}").format(kind=self._kind(schema.get("items", {})))
        return _bounded(str(schema.get("format") or schema.get("type", "")), schema)

    def _command(self) -> str:
        """A line for a shell; the token is in $TOKEN, as the page says."""
        words = ["curl"]
        if self.operation["security"]:
            words += ['-H "Authorization: Bearer $TOKEN"']
        if self.method != "GET":
            words += [f"-X {self.method}"]
        for kind, media in self.operation.get("requestBody", {"content": {}})["content"].items():
            words += ["-F clips=@goal.mp4"] if kind == FILE_UPLOAD else [self._sent(media)]
        return " ".join([*words, shlex.quote(self._address())])

    def _sent(self, media: dict[str, Any]) -> str:
        return f"--json {shlex.quote(json.dumps(media.get('example', {}), ensure_ascii=False))}"

    def _address(self) -> str:
        path = self.path
        for one in self.operation.get("parameters", ()):
            given = "7" if one["schema"].get("type") == "integer" else "TOKEN"
            path = path.replace("{" + one["name"] + "}", given)
        return str(self.document["servers"][0]["url"]) + path

    def _answers(self) -> Iterator[tuple[str, str, str]]:
        for status, described in self.operation["responses"].items():
            answer = self._resolve(described)
            example = answer.get("content", {}).get(JSON, {}).get("example")
            shown = json.dumps(example, indent=2, ensure_ascii=False) if example else ""
            yield status, answer["description"], shown

    def _resolve(self, described: dict[str, Any]) -> dict[str, Any]:
        if "$ref" not in described:
            return described
        found: Any = self.document
        for step in described["$ref"].removeprefix("#/").split("/"):
            found = found[step]
        return dict(found)


def _bounded(kind: str, schema: dict[str, Any]) -> str:
    """With its bounds, where they are such that a person may meet them."""
    least, most = schema.get("minimum"), schema.get("maximum", GREATEST_ID)
    if least is None or most == GREATEST_ID:
        return kind
    return _("{kind} from {least} to {most}").format(kind=kind, least=least, most=most)
