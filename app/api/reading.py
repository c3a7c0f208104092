"""What a program sends, read into its shape: every wrong field is named, all at once.

msgspec stops at the first thing that is wrong; only then is each field looked at by itself.
"""

from collections.abc import Iterator, Mapping
from typing import Any, TypeVar

import msgspec
from msgspec import inspect as kinds

from app.api.shapes import Sent
from app.errors import Invalid
from app.http import AnyRequest
from app.language import _

Shape = TypeVar("Shape", bound=Sent)


async def read_body(request: AnyRequest, shape: type[Shape]) -> Shape:
    """The JSON body, whatever it calls itself; an empty one is an object without fields."""
    body = await request.body()
    try:
        sent = msgspec.json.decode(body) if body else {}
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise Invalid({"body": _("This is not JSON.")}) from None
    if not isinstance(sent, dict):
        raise Invalid({"body": _("Send a JSON object.")})
    return read(shape, sent)


def read_query(request: AnyRequest, shape: type[Shape]) -> Shape:
    """The parameters in the address; those that nobody asked for are passed over."""
    sent: dict[str, Any] = {}
    for field in msgspec.structs.fields(shape):
        if values := request.query_params.getall(field.encode_name, []):
            sent[field.encode_name] = values if _is_list(field.type) else values[-1]
    return read(shape, sent, is_text=True)


def read(shape: type[Shape], sent: Mapping[str, Any], *, is_text: bool = False) -> Shape:
    """Raises Invalid naming every wrong field. `is_text`: numbers and switches come as text."""
    try:
        return msgspec.convert(sent, shape, strict=not is_text)
    except msgspec.ValidationError:
        wrong = shape.wrong(sent) or dict(_wrong(shape, sent, is_text, ""))
        raise Invalid(wrong) from None


def _wrong(
    shape: type[msgspec.Struct], sent: Mapping[str, Any], is_text: bool, path: str
) -> Iterator[tuple[str, str]]:
    fields = {field.encode_name: field for field in msgspec.structs.fields(shape)}
    for name in sent.keys() - fields.keys():
        yield path + name, _("There is no such field.")
    for name, field in fields.items():
        inner = _struct_in(field.type)
        if name not in sent:
            if field.required:
                yield path + name, _("This field is required.")
        elif inner and isinstance(sent[name], dict):
            yield from _wrong(inner, sent[name], is_text, f"{path}{name}.")
        elif not _fits(field.type, sent[name], is_text):
            yield path + name, _expected(kinds.type_info(field.type))


def _fits(kind: Any, value: Any, is_text: bool) -> bool:
    try:
        msgspec.convert(value, kind, strict=not is_text)
    except msgspec.ValidationError:
        return False
    return True


def _struct_in(kind: Any) -> type[msgspec.Struct] | None:
    found = [one for one in _options(kinds.type_info(kind)) if isinstance(one, kinds.StructType)]
    return found[0].cls if found else None


def _is_list(kind: Any) -> bool:
    return any(isinstance(one, kinds.ListType) for one in _options(kinds.type_info(kind)))


def _options(kind: kinds.Type) -> tuple[kinds.Type, ...]:
    """Without what only describes it: the kinds of value that may stand here."""
    if isinstance(kind, kinds.Metadata):
        return _options(kind.type)
    if isinstance(kind, kinds.UnionType):
        return tuple(one for option in kind.types for one in _options(option))
    return (kind,)


def _expected(kind: kinds.Type) -> str:
    """What should stand here, in words."""
    words = [_in_words(one) for one in _options(kind) if not isinstance(one, kinds.NoneType)]
    return " ".join(dict.fromkeys(word for word in words if word))


def _in_words(kind: kinds.Type) -> str:
    match kind:
        case kinds.LiteralType(values=values):
            return _("One of: {values}.").format(values=", ".join(map(str, values)))
        case kinds.IntType(ge=least, le=most):
            return _("A whole number from {least} to {most}.").format(
                least="…" if least is None else least, most="…" if most is None else most
            )
        case kinds.StrType(min_length=least, max_length=most):
            return _text_in_words(least, most)
        case kinds.BoolType():
            return _("true or false.")
        case kinds.ListType(item_type=item, max_length=most):
            each = _expected(item)
            if most is None:
                return _("A list. Each: {each}").format(each=each)
            return _("A list of at most {most}. Each: {each}").format(most=most, each=each)
    return _("An object.")


def _text_in_words(least: int | None, most: int | None) -> str:
    if most is None:
        return _("Text.")
    return _("Text of {least} to {most} characters.").format(least=least or 0, most=most)
