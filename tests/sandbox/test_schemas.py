"""What the operations answer, held against two documents: the published one and the sandbox's own."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from tests.support import seeds
from tests.support.walk import walk
from tests.support.wire import Wire
from uploader.sandbox import Key, Options, Sandbox
from uploader.sandbox.operations import TABLE

jsonschema = pytest.importorskip("jsonschema")

if TYPE_CHECKING:
    from collections.abc import Iterator

    import httpx

pytestmark = pytest.mark.unit

BASE = "https://json-schema.org/draft/2020-12/schema"
UNPUBLISHED = {"items.lineage", "api_keys.revoke"}
"""Operations of the sandbox that the published excerpt leaves out, beside those of pictures."""


@pytest.fixture(scope="module")
def strict(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Wire]:
    """A sandbox that delivers at once, with a key that may do nothing."""
    options = Options(
        root=tmp_path_factory.mktemp("schemas"),
        delivery_after=0.0,
        rate_limit=0,
        keys=(Key("gpra_nothing", scopes=()),),
    )
    with Sandbox(options) as box, Wire(box) as wire:
        yield wire


@pytest.fixture(scope="module")
def answers(strict: Wire, raster: bytes) -> dict[str, httpx.Response]:
    """A good answer of every operation with a typed answer."""
    return walk(strict, raster)


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
    if media_type not in declared["content"]:
        return [f"{operation}: {answer.status_code} as {media_type} is not declared"]
    schema = {**declared["content"][media_type].get("schema", {}), "components": document["components"]}
    checker = jsonschema.Draft202012Validator(schema)
    return [f"{operation}: {one.json_path}: {one.message}" for one in checker.iter_errors(answer.json())]


def refused(wire: Wire, operation: str) -> list[httpx.Response]:
    """Three refusals that every operation has: no credential, no scope, and an input of the wrong kind."""
    path = f"{wire.box.base_url}/v1/op/{operation}"
    nothing = {"Authorization": "Bearer gpra_nothing"}
    return [
        wire.bare.post(path, json={}),
        wire.bare.post(path, json={}, headers=nothing),
        wire.http.post(path, json=[1]),
    ]


def test_answers_conform_to_the_published_schemas(answers: dict[str, httpx.Response]) -> None:
    """Every operation in both, answered as published; none that is published with a type is left out."""
    document = seeds.published()
    shared = {path.removeprefix("/v1/op/") for path in document["paths"]} & set(TABLE)
    typed = {one for one in shared if _success(document, one) != {}}

    assert len(shared) >= 24
    assert typed <= set(answers)
    assert set(answers) - UNPUBLISHED <= shared
    geo = {"items.get_stac"}  # declared as JSON, told to be GeoJSON by its page
    found = [text for one in shared & set(answers) - geo for text in breaches(document, one, answers[one])]
    assert found == []


def test_refusals_conform_to_the_published_schemas(strict: Wire) -> None:
    """401, 403 and 422 of every operation in both."""
    document = seeds.published()
    shared = sorted({path.removeprefix("/v1/op/") for path in document["paths"]} & set(TABLE))
    found = [(one, answer) for one in shared for answer in refused(strict, one)]

    assert {answer.status_code for _, answer in found} == {401, 403, 422}
    assert [text for one, answer in found for text in breaches(document, one, answer)] == []


def test_scopes_are_the_published_ones() -> None:
    """Each operation asks for the scope that is published for it."""
    published = {
        call["operationId"]: call["x-required-scope"]
        for item in seeds.published()["paths"].values()
        for call in item.values()
    }
    assert {one: TABLE[one].scope for one in TABLE if one in published} == {
        one: scope for one, scope in published.items() if one in TABLE
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


def _success(document: dict[str, Any], operation: str) -> Any:
    responses = document["paths"][f"/v1/op/{operation}"]["post"]["responses"]
    (good,) = (value for status, value in responses.items() if status.startswith("2"))
    return good["content"]["application/json"]["schema"]
