"""The OpenAPI document: valid, complete, with examples that match their schemas."""

import re

import httpx
import jsonschema_rs
import msgspec
import pytest
from litestar import Litestar
from litestar.handlers import HTTPRouteHandler
from litestar.routes import HTTPRoute

from app.api.shapes import RequestBody, ResponseBody
from app.models import User
from app.notifications.inbox.filters import MOST_VALUES
from app.projects.projects import MAX_PROJECTS
from app.teams.teams import MAX_TEAMS
from tests.api.document import Document
from tests.conftest import sign_in, text_of

PAGES = {"/api/openapi.json", "/api/docs"}


def endpoints(app: Litestar) -> list[HTTPRouteHandler]:
    return [
        handler
        for route in app.routes
        if isinstance(route, HTTPRoute)
        for method, (handler, _model) in route.route_handler_map.items()
        if method != "HEAD" and handler.resolve_include_in_schema()
    ]


def bodies_of(endpoint: HTTPRouteHandler) -> list[type[RequestBody] | type[ResponseBody]]:
    returned = endpoint.parsed_fn_signature.return_type
    fields = [endpoint.parsed_data_field, returned, *returned.inner_types]
    return [
        field.annotation
        for field in fields
        if field and field.is_subclass_of((RequestBody, ResponseBody))
    ]


async def test_every_endpoint_is_in_the_document(app: Litestar, document: Document) -> None:
    served = {
        (route.path_format, method.lower())
        for route in app.routes
        if isinstance(route, HTTPRoute) and route.path.startswith("/api")
        for method in route.methods - {"HEAD", "OPTIONS"}
    }
    documented = {
        (path, method) for path, item in document.document["paths"].items() for method in item
    }

    assert {one for one in served if one[0] not in PAGES} == documented


@pytest.mark.parametrize(
    ("path", "limit"), [("/api/projects", MAX_PROJECTS), ("/api/teams", MAX_TEAMS)]
)
async def test_how_many_one_can_own_is_documented(
    document: Document, path: str, limit: int
) -> None:
    summary = document.document["paths"][path]["post"]["summary"]

    assert f"You can own at most {limit:,}." in summary


async def test_no_two_bodies_and_no_two_operations_share_a_name(
    app: Litestar, document: Document
) -> None:
    bodies = {body for endpoint in endpoints(app) for body in bodies_of(endpoint)}
    names = [body.__name__ for body in bodies]
    ids = [
        operation["operationId"]
        for item in document.document["paths"].values()
        for operation in item.values()
    ]

    assert len(names) > 30
    assert len(names) == len(set(names))
    assert len(ids) == len(set(ids)) == len(endpoints(app))
    assert all(re.fullmatch(r"\w+", name) for name in document.document["components"]["schemas"])


async def test_every_reference_leads_somewhere(document: Document) -> None:
    references = set(re.findall(r"'\$ref': '([^']+)'", str(document.document)))

    assert references
    for reference in references:
        assert document.resolve({"$ref": reference})


async def test_every_body_has_an_example_and_every_example_is_valid(
    app: Litestar, document: Document
) -> None:
    components = document.document["components"]
    for endpoint in endpoints(app):
        for body in bodies_of(endpoint):
            assert body.example, f"{body.__name__} of {endpoint} has no example"
            msgspec.convert(body.example, body)
            assert components["schemas"][body.__name__]["examples"] == [body.example]
            schema = {"$ref": f"#/components/schemas/{body.__name__}", "components": components}
            jsonschema_rs.Draft202012Validator(schema).validate(body.example)


async def test_every_json_body_shows_its_example(document: Document) -> None:
    for path, item in document.document["paths"].items():
        for method, operation in item.items():
            described = [operation.get("requestBody", {}), *operation["responses"].values()]
            for one in described:
                media = document.resolve(one).get("content", {}).get("application/json")
                assert media is None or media["example"], f"{method} {path}"


async def test_the_list_and_the_filter_of_a_selection_say_how_many_values_a_field_takes(
    document: Document,
) -> None:
    filters = document.document["components"]["schemas"]["FilterObject"]
    for described in (document.document["paths"]["/api/notifications"]["get"], filters):
        assert f"at most {MOST_VALUES} different" in " ".join(described["description"].split())


async def test_ids_in_paths_and_bodies_are_bounded_by_what_a_column_holds(
    document: Document,
) -> None:
    bounds = {"type": "integer", "minimum": 1, "maximum": 2**63 - 1}
    parameters = [
        parameter["schema"]
        for item in document.document["paths"].values()
        for operation in item.values()
        for parameter in operation.get("parameters", ())
        if parameter["in"] == "path" and parameter["name"].endswith("_id")
    ]
    selection = document.document["components"]["schemas"]["SelectionObject"]["properties"]

    assert len(parameters) > 20
    assert all(schema == bounds for schema in parameters)
    assert selection["notification_ids"]["items"] == bounds
    assert selection["up_to"] == bounds


async def test_an_operation_names_the_failures_that_its_method_path_and_body_bring(
    document: Document,
) -> None:
    operations = document.document["paths"]

    def failures(path: str, method: str) -> set[str]:
        return {status for status in operations[path][method]["responses"] if status >= "4"}

    assert failures("/api/teams", "get") == {"401", "503"}
    assert failures("/api/teams", "post") == {"400", "401", "403", "409", "413", "503", "507"}
    assert failures("/api/teams/{team_id}", "get") == {"400", "401", "404", "414", "503"}
    assert failures("/api/tokens", "post") == {"400", "401", "409", "413", "429", "503", "507"}
    assert failures("/api/projects/{project_id}/clips", "post") == {
        "400", "401", "403", "404", "413", "503", "507",
    }  # fmt: skip


async def test_every_failure_is_a_problem(document: Document) -> None:
    for path, item in document.document["paths"].items():
        for method, operation in item.items():
            for status, response in operation["responses"].items():
                if status >= "4":
                    content = document.resolve(response)["content"]
                    assert list(content) == ["application/problem+json"], f"{method} {path}"


async def test_writing_endpoints_need_a_token_or_a_session_with_its_csrf_token(
    document: Document,
) -> None:
    teams, tokens = document.document["paths"]["/api/teams"], "/api/tokens"

    assert teams["get"]["security"] == [{"token": []}, {"session": []}]
    assert teams["post"]["security"] == [{"token": []}, {"session": [], "csrf": []}]
    assert document.document["paths"][tokens]["post"]["security"] == []


async def test_other_addresses_under_api_are_problems(client: httpx.AsyncClient) -> None:
    for url in ("/api", "/api/redoc", "/api/swagger", "/api/openapi.yaml", "/api/schema"):
        answer = await client.get(url)
        assert answer.status_code == 404
        assert answer.headers["Content-Type"] == "application/problem+json", url


async def test_every_operation_has_a_summary_and_a_401(document: Document) -> None:
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
async def test_document_and_page_are_public(
    client: httpx.AsyncClient, alice: User, url: str
) -> None:
    signed_out = await client.get(url)
    await sign_in(client, alice)

    assert signed_out.status_code == 200
    assert (await client.get(url)).status_code == 200
