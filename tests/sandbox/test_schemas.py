"""What the operations answer, held against two documents: the published one and the sandbox's own."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from tests.support import seeds
from tests.support.gallery import POWERLESS
from tests.support.walk import SCENE, walk
from uploader.sandbox.operations import TABLE

jsonschema = pytest.importorskip("jsonschema")

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx

    from tests.support.gallery import Gallery
    from tests.support.wire import Wire

pytestmark = pytest.mark.unit

BASE = "https://json-schema.org/draft/2020-12/schema"
RAW = {"items.get_stac", "items.tile.render", "cog.tile.render", "cog.tile.terrain", "cog.thumbnail"}
"""Published as JSON without a schema, told elsewhere to be GeoJSON and pictures."""
NOWHERE: dict[str, dict[str, Any]] = {
    "uploads.initiate": {"project_id": "p-none"},
    "uploads.signed_url": {"upload_id": "u_none", "file_name": "a.tif"},
    "uploads.progress": {"upload_id": "u_none"},
    "uploads.complete": {"upload_id": "u_none"},
    "uploads.fail": {"upload_id": "u_none", "error_message": "x"},
    "items.search": {"project_id": "p-none"},
    "items.list": {"project_id": "p-none"},
    "items.get": {"item_id": "it_none"},
    "items.get_stac": {"item_id": "it_none"},
    "items.list_assets": {"item_id": "it_none"},
    "items.asset.download": {"item_id": "it_none", "asset_id": "as_none"},
    "items.delete": {"item_id": "it_none"},
    "items.tile.render": {"item_id": "it_none", "z": 0, "x": 0, "y": 0},
    "items.tile.tilejson": {"item_id": "it_none"},
    "items.tile.statistics": {"item_id": "it_none", "expression": "b1"},
    "cog.tile.render": {"url": "STORE", "z": 0, "x": 0, "y": 0, "format": "png"},
    "cog.tile.terrain": {"url": "STORE", "z": 0, "x": 0, "y": 0},
    "cog.thumbnail": {"url": "STORE"},
    "cog.statistics": {
        "url": "STORE",
        "geometry": {"type": "Polygon", "coordinates": [[[0, 0], [1, 0], [1, 1]]]},
    },
    "provenance.get": {"entity_type": "item", "entity_id": "it_none"},
    "catalog.search": {"host_name": "nobody"},
    "orders.archive.place": {"projectId": "p-none", "captures": [SCENE]},
    "orders.get": {"order_id": "none"},
    "collections.create": {"project_id": "p-none", "name": "c"},
    "collections.list": {"project_id": "p-none"},
    "collections.get": {"project_id": "p-1", "collection_id": "none"},
    "usage.current": {"organization_id": "org-none"},
}
"""For each published operation a call that names what is not there."""
NOTHING_TO_MISS = {
    "stac.search",
    "orders.archive.estimate",
    "orders.list",
    "api_keys.create",
    "api_keys.list",
}
"""Those that name nothing which could be missing: they search, list, or tell of it in their answer."""


@pytest.fixture(scope="module")
def strict(gallery: Gallery) -> Wire:
    """The sandbox of the gallery: its painters are at work already."""
    return gallery.wire


@pytest.fixture(scope="module")
def answers(strict: Wire) -> dict[str, httpx.Response]:
    """A good answer of every operation."""
    return walk(strict)


@pytest.fixture(scope="module")
def published() -> dict[str, Any]:
    """The published document."""
    return seeds.published()


def named(document: dict[str, Any]) -> set[str]:
    """The operations of a document."""
    return {path.removeprefix("/v1/op/") for path in document["paths"]}


@pytest.fixture(scope="module")
def own(strict: Wire) -> dict[str, Any]:
    """The sandbox's document, as a stranger gets it."""
    response = strict.bare.get(f"{strict.box.base_url}/openapi.json")
    assert response.status_code == 200
    return response.json()


def breaches(
    document: dict[str, Any], operation: str, answer: httpx.Response, method: str = "post"
) -> list[str]:
    """Where an answer breaks the document: an undeclared status or media type, or a body that does not conform."""
    declared = document["paths"][f"/v1/op/{operation}"][method]["responses"].get(str(answer.status_code))
    if declared is None:
        return [f"{operation}: {answer.status_code} is not declared"]
    media_type = answer.headers["content-type"].partition(";")[0]
    if media_type.startswith("image/") and "image/*" in declared["content"]:
        return []
    if media_type not in declared["content"]:
        return [f"{operation}: {answer.status_code} as {media_type} is not declared"]
    schema = {**declared["content"][media_type].get("schema", {}), "components": document["components"]}
    checker = jsonschema.Draft202012Validator(schema)
    value = answer.json() if "json" in media_type else None
    return [f"{operation}: {one.json_path}: {one.message}" for one in checker.iter_errors(value)]


def refused(wire: Wire, operation: str) -> list[httpx.Response]:
    """Three refusals that every operation has: no credential, no scope, and an input of the wrong kind."""
    path = f"{wire.box.base_url}/v1/op/{operation}"
    nothing = {"Authorization": f"Bearer {POWERLESS}"}
    return [
        wire.bare.post(path, json={}),
        wire.bare.post(path, json={}, headers=nothing),
        wire.http.post(path, json=[1]),
    ]


def test_answers_conform_to_the_published_schemas(
    answers: dict[str, httpx.Response], published: dict[str, Any]
) -> None:
    """Each of the 32 published operations exists here, succeeds, and answers as published; pictures are pictures."""
    assert len(named(published)) == 32
    assert named(published) <= answers.keys() <= TABLE.keys()
    told = [text for one in named(published) - RAW for text in breaches(published, one, answers[one])]
    assert told == []
    for one in RAW:
        kind = "application/geo+json" if one == "items.get_stac" else "image/"
        assert answers[one].headers["content-type"].startswith(kind), one


def test_refusals_conform_to_the_published_schemas(strict: Wire, published: dict[str, Any]) -> None:
    """Each of the 32 with every refusal that is published for it: 401, 403, 404, 422 and 500."""
    strict.fault(operation="*", kind="status", status=500)
    broken = {one: strict.post(one) for one in named(published)}
    strict.bare.delete(f"{strict.box.base_url}/sandbox/faults")
    found: dict[str, list[httpx.Response]] = {one: [broken[one], *refused(strict, one)] for one in broken}
    for one, body in NOWHERE.items():
        url = {"url": f"{strict.box.store_url}/storage/geopera-sandbox/uploads/none"} if "url" in body else {}
        found[one].append(strict.post(one, **{**body, **url}))

    assert set(found) - NOTHING_TO_MISS == NOWHERE.keys()
    for one, answers in found.items():
        wanted = {500, 401, 403, 422} | ({404} if one in NOWHERE else set())
        assert {answer.status_code for answer in answers} == wanted, one
    told = [
        text
        for one, answers in found.items()
        for answer in answers
        for text in breaches(published, one, answer)
    ]
    assert told == []


@pytest.mark.parametrize(
    ("options", "operation", "body", "status"),
    [
        ({"quota_bytes": 1}, "uploads.initiate", {"project_id": "p-1", "total_bytes": 2}, 402),
        ({"credits": 0}, "orders.archive.place", {"projectId": "p-1", "captures": [SCENE]}, 402),
        ({}, "uploads.fail", {"upload_id": "ENDED", "error_message": "again"}, 409),
        ({"rate_limit": 1, "rate_window": 1e9}, "api_keys.list", {}, 429),
        ({"validation": "problem"}, "items.get", {}, 422),
        ({"validation": "errors"}, "items.get", {}, 422),
    ],
)
def test_further_refusals_are_the_published_problem(
    open_wire: Callable[..., Wire],
    published: dict[str, Any],
    *,
    options: dict[str, Any],
    operation: str,
    body: dict[str, Any],
    status: int,
) -> None:
    """What the guides tell and the schema leaves out has the schema's one shape of a problem."""
    wire = open_wire(**options)
    if body.get("upload_id"):
        body = {**body, "upload_id": wire.initiate()}
    wire.post(operation, **body)
    answer = wire.post(operation, **body)
    schema = {"$ref": "#/components/schemas/Problem", "components": published["components"]}

    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    jsonschema.Draft202012Validator(schema).validate(answer.json())


def test_scopes_are_the_published_ones(published: dict[str, Any]) -> None:
    """Each operation asks for the scope that is published for it."""
    calls = [call for item in published["paths"].values() for call in item.values()]

    assert {one["operationId"]: TABLE[one["operationId"]].scope for one in calls} == {
        one["operationId"]: one["x-required-scope"] for one in calls
    }


def test_answers_conform_to_the_sandboxs_own_document(
    own: dict[str, Any], answers: dict[str, httpx.Response], strict: Wire
) -> None:
    """It tells of itself what it does, successes and refusals."""
    found = [text for one, answer in answers.items() for text in breaches(own, one, answer)]
    found += [text for one in TABLE for answer in refused(strict, one) for text in breaches(own, one, answer)]

    assert found == []


def test_the_document_is_whole(own: dict[str, Any]) -> None:
    """Every operation with scope, tier and both paths, GET exactly on reads; ids unique, references resolved."""
    calls = [call for item in own["paths"].values() for call in item.values()]
    names = {ref.rpartition("/")[2] for ref in re.findall(r"'\$ref': '([^']+)'", repr(own))}

    assert own["openapi"] == "3.1.0"
    assert len({call["operationId"] for call in calls}) == len(calls)
    assert names <= set(own["components"]["schemas"])
    for one in TABLE.values():
        item = own["paths"][f"/v1/op/{one.id}"]
        assert set(item) == ({"get", "post"} if one.reads else {"post"})
        assert (item["post"]["x-required-scope"], item["post"]["x-side-effect"]) == (one.scope, one.effect)
        assert f"/v1/{one.id.replace('.', '/')}" in own["paths"]
        assert item["post"]["summary"], one.id


def test_the_schemas_are_schemas(own: dict[str, Any]) -> None:
    """Each component, and each answer, is valid JSON Schema of the draft that OpenAPI 3.1 means."""
    for schema in own["components"]["schemas"].values():
        jsonschema.Draft202012Validator.check_schema({"$schema": BASE, **schema})
    for item in own["paths"].values():
        for call in item.values():
            for parameter in call.get("parameters", ()):
                jsonschema.Draft202012Validator.check_schema(parameter.get("schema", {}))


def test_reads_answer_get_by_both_paths(strict: Wire, answers: dict[str, httpx.Response]) -> None:
    """Every read of the walk gives over GET what it gave over POST, and what changes something gives 405."""
    for operation, answer in answers.items():
        sent = json.loads(answer.request.content)
        flat = {name: value if isinstance(value, str) else json.dumps(value) for name, value in sent.items()}
        for path in (f"/v1/op/{operation}", f"/v1/{operation.replace('.', '/')}"):
            again = strict.http.get(path, params=flat)
            assert again.status_code == (200 if TABLE[operation].reads else 405), (path, again.text)
