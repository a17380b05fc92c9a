"""The sandbox's own description, OpenAPI 3.1, made from the table of operations: it cannot tell of others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import uploader
from uploader.sandbox.answer_schemas import COMPONENTS, answer_of
from uploader.sandbox.oauth import REALM
from uploader.sandbox.operations import TABLE

if TYPE_CHECKING:
    from uploader.sandbox.operations.base import Operation

_PROBLEM = "application/problem+json"
_REFUSALS = {
    "400": "The body is not JSON.",
    "401": "There is no valid credential.",
    "403": "The scope, the membership or the role is missing.",
    "404": "There is no such thing, or it belongs to another organization.",
    "409": "The state of the thing forbids it, or the Idempotency-Key was used with another body.",
    "429": "The window of calls is full.",
    "500": "The sandbox has a bug.",
}
_PAYS = "The quota or the credits do not suffice."
_KEYED = {
    "orders.archive.place": "Same key and body: the same answer, byte for byte, for 24 h.",
    "uploads.initiate": "Honoured only with the switch --replay-initiate.",
}
_PAYING = ("orders.archive.place", "uploads.initiate", "uploads.complete")


def document(server: str) -> dict[str, Any]:
    """The whole document; `server` is the origin that the paths are below."""
    components = dict(COMPONENTS)
    paths: dict[str, Any] = {}
    for one in TABLE.values():
        schema = _input(one, components)
        item = {"post": _post(one, schema)} | ({"get": _get(one, schema)} if one.reads else {})
        paths[f"/v1/op/{one.id}"] = item
        paths[f"/v1/{one.id.replace('.', '/')}"] = {name: _renamed(call) for name, call in item.items()}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Local sandbox of the platform",
            "version": uploader.__version__,
            "description": "What `uploader sandbox` understands; where sources are silent, docs/sandbox.md "
            "tells what it guesses.",
        },
        "servers": [{"url": server}],
        "security": [{"bearer": []}, {"apiKey": []}, {"realm": []}],
        "paths": paths,
        "components": {"schemas": components, "securitySchemes": _security()},
    }


def _input(one: Operation, components: dict[str, Any]) -> dict[str, Any]:
    """The input's schema under the operation's name, with what it refers to, all among the components."""
    schema = one.input.model_json_schema(ref_template="#/components/schemas/{model}")
    components.update(schema.pop("$defs", {}))
    name = "".join(part.title() for part in one.id.replace("_", ".").split(".")) + "Input"
    components[name] = {**schema, "title": name}
    return {"$ref": f"#/components/schemas/{name}", "properties": schema.get("properties", {})} | {
        "required": schema.get("required", [])
    }


def _post(one: Operation, schema: dict[str, Any]) -> dict[str, Any]:
    call = _call(one)
    if one.id in _KEYED:
        header = {"name": "Idempotency-Key", "in": "header", "required": False, "schema": {"type": "string"}}
        call["parameters"] = [{**header, "description": _KEYED[one.id]}]
    content = {"application/json": {"schema": {"$ref": schema["$ref"]}}}
    return {**call, "requestBody": {"required": bool(schema["required"]), "content": content}}


def _get(one: Operation, schema: dict[str, Any]) -> dict[str, Any]:
    parameters = [
        {"name": name, "in": "query", "required": name in schema["required"], **_query(kind)}
        for name, kind in schema["properties"].items()
    ]
    return {**_call(one), "operationId": f"{one.id}.get", "parameters": parameters}


def _query(schema: dict[str, Any]) -> dict[str, Any]:
    """Lists of texts and numbers are written with commas; everything with members as JSON."""
    kinds = [schema, *schema.get("anyOf", ())]
    if any(kind.get("items", {}).get("type") in ("string", "number") for kind in kinds):
        return {"style": "form", "explode": False, "schema": schema}
    if any(kind.get("type") in ("object", "array") or "$ref" in kind for kind in kinds):
        return {"content": {"application/json": {"schema": schema}}}
    return {"schema": schema}


def _call(one: Operation) -> dict[str, Any]:
    status, media_type, schema = answer_of(one.id)
    problem = {"content": {_PROBLEM: {"schema": {"$ref": "#/components/schemas/Problem"}}}}
    refusals = {status: {"description": text, **problem} for status, text in _REFUSALS.items()}
    if one.id in _PAYING:
        refusals["402"] = {"description": _PAYS, **problem}
    return {
        "operationId": one.id,
        "summary": (one.run.__doc__ or "").partition("\n")[0],
        "tags": [one.id.partition(".")[0]],
        "x-required-scope": one.scope,
        "x-side-effect": one.effect,
        "responses": {
            status: {"description": "Done.", "content": {media_type: {"schema": schema}}},
            "422": {"description": "The input is wrong; nothing was done.", "content": _invalid()},
            **refusals,
        },
    }


def _invalid() -> dict[str, Any]:
    """Both families of a 422: the switch --validation tells which one comes."""
    return {
        "application/json": {"schema": {"$ref": "#/components/schemas/HTTPValidationError"}},
        _PROBLEM: {"schema": {"$ref": "#/components/schemas/Problem"}},
    }


def _renamed(call: dict[str, Any]) -> dict[str, Any]:
    """The same call under its second path: an operationId may stand only once."""
    return {**call, "operationId": f"{call['operationId']}.by_path"}


def _security() -> dict[str, Any]:
    url = {"tokenUrl": f"{REALM}token", "refreshUrl": f"{REALM}token", "scopes": {}}
    return {
        "bearer": {"type": "http", "scheme": "bearer", "description": "An access token or an API key."},
        "apiKey": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
        "realm": {"type": "oauth2", "flows": {"clientCredentials": url, "password": url}},
    }
