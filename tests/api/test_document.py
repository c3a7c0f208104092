"""The OpenAPI document: valid, complete, with examples that are what they show."""

import re

import httpx
import jsonschema_rs
import msgspec
import pytest
from litestar import Litestar
from litestar.routes import HTTPRoute

from app.api.document import operations_of
from app.api.operation import Operation
from app.api.shapes import Answer, Sent
from app.models import User
from tests.api.document import Document
from tests.conftest import sign_in, text_of

PAGES = {"/api/openapi.json", "/api/docs"}


def operations(app: Litestar) -> list[tuple[str, str, Operation]]:
    return [
        (route.path_format, method, operation)
        for route in app.routes
        for method, operation in operations_of(route)
    ]


def shapes_of(operation: Operation) -> list[type[Sent] | type[Answer]]:
    told = [operation.body, *operation.answers.values()]
    return [one for one in told if isinstance(one, type) and issubclass(one, (Sent, Answer))]


async def test_every_address_under_api_is_in_the_document(
    app: Litestar, document: Document
) -> None:
    served = {
        (route.path_format, method.lower())
        for route in app.routes
        if isinstance(route, HTTPRoute) and route.path.startswith("/api")
        for method in route.methods - {"OPTIONS"}
    }
    documented = {
        (path, method) for path, item in document.document["paths"].items() for method in item
    }

    assert {one for one in served if one[0] not in PAGES} == documented


async def test_no_two_shapes_and_no_two_operations_share_a_name(
    app: Litestar, document: Document
) -> None:
    shapes = {shape for *_, operation in operations(app) for shape in shapes_of(operation)}
    names = [shape.__name__ for shape in shapes]
    ids = [operation.name for _path, _method, operation in operations(app)]

    assert len(names) == len(set(names))
    assert len(ids) == len(set(ids))
    assert all(re.fullmatch(r"\w+", name) for name in document.document["components"]["schemas"])


async def test_every_reference_leads_somewhere(document: Document) -> None:
    references = set(re.findall(r"'\$ref': '([^']+)'", str(document.document)))

    assert references
    for reference in references:
        assert document.resolve({"$ref": reference})


async def test_every_shape_has_an_example_and_every_example_its_shape(
    app: Litestar, document: Document
) -> None:
    for path, method, operation in operations(app):
        for shape in shapes_of(operation):
            assert shape.example, f"{shape.__name__} of {method} {path} has no example"
            msgspec.convert(shape.example, shape)
            schema = {"$ref": f"#/components/schemas/{shape.__name__}"}
            schema |= {"components": document.document["components"]}
            jsonschema_rs.Draft202012Validator(schema).validate(shape.example)


async def test_every_operation_says_what_it_does_and_who_may(document: Document) -> None:
    for path, item in document.document["paths"].items():
        for method, operation in item.items():
            assert operation["summary"].endswith("."), f"{method} {path}"
            assert "401" in operation["responses"]


async def test_the_document_is_valid(document: Document) -> None:
    from schemathesis.openapi import from_dict

    schema = from_dict(document.document)

    assert schema.validate() is None
    assert len(list(schema.get_all_operations())) == sum(
        map(len, document.document["paths"].values())
    )


async def test_the_page_shows_every_operation_and_loads_nothing_from_elsewhere(
    client: httpx.AsyncClient, document: Document
) -> None:
    answer = await client.get("/api/docs")

    for path in document.document["paths"]:
        assert path in answer.text
    assert not re.findall(r'(?:src|href)="https?://', answer.text)
    assert "Mark many notifications as read." in text_of(answer)


@pytest.mark.parametrize("url", sorted(PAGES))
async def test_both_are_there_signed_in_or_out(
    client: httpx.AsyncClient, alice: User, url: str
) -> None:
    signed_out = await client.get(url)
    await sign_in(client, alice)

    assert signed_out.status_code == 200
    assert (await client.get(url)).status_code == 200
