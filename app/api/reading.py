"""Reads request bodies and parameters, and names every invalid field at once.

msgspec stops at the first error; only then is each field checked by itself.
"""

from collections.abc import Iterator, Mapping
from typing import Any, TypeVar

import msgspec
from litestar import Request
from litestar.exceptions import ValidationException
from litestar.handlers import HTTPRouteHandler
from msgspec import inspect as kinds

from app.api.shapes import RequestBody
from app.errors import Invalid
from app.language import _
from app.values.names import NAME_PATTERN

Body = TypeVar("Body", bound=RequestBody)


class ApiRequest(Request[Any, Any, Any]):
    """A request that reads JSON into the type of the handler's `data`, whatever its Content-Type.

    Litestar's own conversion takes "5" for 5 and names only the first invalid field.
    """

    async def body(self) -> bytes:
        """An empty body counts as an empty object; Litestar would silently skip `data`."""
        return await super().body() or b"{}"

    async def json(self) -> Any:
        field = self.route_handler.parsed_data_field
        assert field, "Litestar asks for JSON only where a handler takes `data`."
        return decode(await self.body(), field.annotation)


def decode(body: bytes, shape: type[Body]) -> Body:
    """Raises Invalid naming every invalid field."""
    try:
        data = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise Invalid({"body": _("This is not JSON.")}) from None
    if not isinstance(data, dict):
        raise Invalid({"body": _("Send a JSON object.")})
    try:
        return msgspec.convert(data, shape)
    except msgspec.ValidationError:
        raise Invalid(shape.find_errors(data) or dict(_find_errors(shape, data))) from None


def invalid_parameters(handler: HTTPRouteHandler, error: ValidationException) -> Invalid:
    """Names each parameter that Litestar refused, and the values that it accepts."""
    types = dict(handler.signature_model.__annotations__)
    for provider in handler.resolve_dependencies().values():
        types |= provider.signature_model.__annotations__
    refused = error.extra if isinstance(error.extra, list) else []
    return Invalid({one["key"]: _expectation(types[one["key"]]) for one in refused})


def _find_errors(
    shape: type[msgspec.Struct], data: Mapping[str, Any], path: str = ""
) -> Iterator[tuple[str, str]]:
    fields = {field.encode_name: field for field in msgspec.structs.fields(shape)}
    for name in data.keys() - fields.keys():
        yield path + name, _("Unknown field.")
    for name, field in fields.items():
        inner = _struct_in(field.type)
        if name not in data:
            if field.required:
                yield path + name, _("This field is required.")
        elif inner and isinstance(data[name], dict):
            yield from _find_errors(inner, data[name], f"{path}{name}.")
        elif not _fits(field.type, data[name]):
            yield path + name, _expectation(field.type)


def _fits(type_: Any, value: Any) -> bool:
    try:
        msgspec.convert(value, type_)
    except msgspec.ValidationError:
        return False
    return True


def _struct_in(type_: Any) -> type[msgspec.Struct] | None:
    found = [one for one in _options(kinds.type_info(type_)) if isinstance(one, kinds.StructType)]
    return found[0].cls if found else None


def _options(kind: kinds.Type) -> tuple[kinds.Type, ...]:
    """The alternatives of a union, or the type itself, without its metadata."""
    if isinstance(kind, kinds.Metadata):
        return _options(kind.type)
    if isinstance(kind, kinds.UnionType):
        return tuple(one for option in kind.types for one in _options(option))
    return (kind,)


def _expectation(type_: Any) -> str:
    """What a value of this type looks like, in words."""
    return _in_words(kinds.type_info(type_))


def _in_words(kind: kinds.Type) -> str:
    words = [_option_in_words(one) for one in _options(kind)]
    return " ".join(dict.fromkeys(word for word in words if word))


def _option_in_words(kind: kinds.Type) -> str:
    match kind:
        case kinds.NoneType():
            return ""
        case kinds.LiteralType(values=values):
            return _("One of: {values}.").format(values=", ".join(map(str, values)))
        case kinds.IntType(ge=least, le=most):
            return _("A whole number from {least} to {most}.").format(
                least="…" if least is None else least, most="…" if most is None else most
            )
        case kinds.StrType(min_length=least, max_length=most, pattern=pattern):
            words = _text_in_words(least, most)
            return f"{words} {_name_in_words()}" if pattern == NAME_PATTERN else words
        case kinds.BoolType():
            return _("true or false.")
        case kinds.DateTimeType():
            return _("A time with its zone, like 2026-11-01T18:00:00Z.")
        case kinds.VarTupleType(item_type=item):
            # A parameter that may be repeated: each value is given by itself.
            return _in_words(item)
        case kinds.ListType(item_type=item, max_length=most):
            each = _in_words(item)
            if most is None:
                return _("A list. Each item: {each}").format(each=each)
            return _("A list of at most {most} items. Each item: {each}").format(
                most=most, each=each
            )
    return _("An object.")


def _name_in_words() -> str:
    return _("A single line, without characters that change the direction of the text.")


def _text_in_words(least: int | None, most: int | None) -> str:
    if most is None:
        return _("Text.")
    return _("Text of {least} to {most} characters.").format(least=least or 0, most=most)
