"""What the operations answer, as JSON Schema: facts for the description of the sandbox, in one table."""

from __future__ import annotations

from typing import Any

Schema = dict[str, Any]


def _object(required: dict[str, Schema], optional: dict[str, Schema] | None = None) -> Schema:
    """An object that may have more members than those named."""
    return {"type": "object", "properties": {**required, **(optional or {})}, "required": list(required)}


def _list(of: Schema) -> Schema:
    return {"type": "array", "items": of}


def _ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


_TEXT: Schema = {"type": "string"}
_NO_TEXT: Schema = {"type": ["string", "null"]}
_WHOLE: Schema = {"type": "integer"}
_NUMBER: Schema = {"type": "number"}
_ANY: Schema = {}
_OBJECT: Schema = {"type": "object"}
_SESSION = _object({"id": _TEXT})
_ITEM = _object(
    {
        **dict.fromkeys(("id", "project_id", "stac_id", "type", "name", "created_at", "updated_at"), _TEXT),
        "properties": _OBJECT,
        "lifecycle_state": _TEXT,
    },
    dict.fromkeys(("collection_id", "upload_id", "order_id", "datetime", "created_by"), _NO_TEXT),
)
_ORDER = _object(
    {
        **dict.fromkeys(("id", "status", "orderType", "billingMode", "currency", "projectId"), _TEXT),
        "totalAud": _NUMBER,
        "totalCredits": _WHOLE,
        "groups": _list(_OBJECT),
        "itemIds": _list(_TEXT),
        **dict.fromkeys(("createdAt", "updatedAt"), _TEXT),
    }
)
_KEY = _object(
    {**dict.fromkeys(("id", "prefix", "name", "created_at"), _TEXT), "permissions": _list(_TEXT)},
    {"expires_at": _NO_TEXT, "rate_limit": {"type": ["integer", "null"]}, "revoked_at": _NO_TEXT},
)
_EDGE = _object(
    {"depth": _WHOLE, **dict.fromkeys(("src_type", "src_id", "dst_type", "dst_id", "relation"), _TEXT)},
    {"invocation_id": _NO_TEXT},
)

COMPONENTS: dict[str, Schema] = {
    "Problem": _object({"title": _TEXT, "status": _WHOLE, "detail": _TEXT}, {"type": _TEXT}),
    "ValidationError": _object({"loc": _list({"type": ["string", "integer"]}), "msg": _TEXT, "type": _TEXT}),
    "HTTPValidationError": _object({"detail": _list(_ref("ValidationError"))}),
    "Item": _ITEM,
    "Order": _ORDER,
    "ApiKey": _KEY,
    "LineageEdge": _EDGE,
    "LineageNode": _object({"entity_type": _TEXT, "entity_id": _TEXT, "depth": _WHOLE}),
    "FeatureCollection": _object({"type": {"const": "FeatureCollection"}, "features": _list(_OBJECT)}),
}

_JSON = "application/json"
_ANSWERS: dict[str, tuple[str, str, Schema]] = {
    **dict.fromkeys(("uploads.initiate", "uploads.progress", "uploads.fail"), ("200", _JSON, _SESSION)),
    "uploads.signed_url": ("200", _JSON, _object({"upload_url": _TEXT, "object_path": _TEXT})),
    "uploads.complete": ("200", _JSON, _object({"id": _TEXT, "item_ids": _list(_TEXT)})),
    "items.get": ("200", _JSON, _object({"item": _ref("Item")})),
    "items.delete": ("200", _JSON, _object({"ok": {"const": True}, "id": _TEXT})),
    "stac.search": ("200", _JSON, _ref("FeatureCollection")),
    "items.get_stac": ("200", "application/geo+json", _object({"type": {"const": "Feature"}, "id": _TEXT})),
    "items.list": ("200", _JSON, _object({"items": _list(_ref("Item")), "total": _WHOLE})),
    "items.search": ("200", _JSON, _ref("FeatureCollection")),
    "items.list_assets": ("200", _JSON, _object({"assets": _list(_object({"id": _TEXT, "key": _TEXT}))})),
    "items.asset.download": ("200", _JSON, _object({"url": _TEXT, "expires_in": _NUMBER})),
    "items.lineage": ("200", _JSON, _object({"parents": _list(_OBJECT), "children": _list(_OBJECT)})),
    "collections.create": ("200", _JSON, _object({"id": _TEXT, "project_id": _TEXT, "name": _TEXT})),
    "collections.list": ("200", _JSON, _object({"collections": _list(_OBJECT)})),
    "collections.get": ("200", _JSON, _object({"collection": _OBJECT})),
    "provenance.get": (
        "200",
        _JSON,
        _object(
            {
                "root": _OBJECT,
                "direction": _TEXT,
                "edges": _list(_ref("LineageEdge")),
                "nodes": _list(_ref("LineageNode")),
            }
        ),
    ),
    "items.tile.tilejson": ("200", _JSON, _object({"tilejson": _TEXT, "tiles": _list(_TEXT)})),
    "items.tile.statistics": ("200", _JSON, _object({"statistics": _OBJECT, "rescale": _list(_NUMBER)})),
    "items.tile.render": ("200", "image/*", _ANY),
    **dict.fromkeys(("cog.tile.render", "cog.tile.terrain", "cog.thumbnail"), ("200", "image/*", _ANY)),
    "visualization.profiles.list": ("200", _JSON, _object({"profiles": _list(_OBJECT)})),
    "visualization.profile.get": ("200", _JSON, _object({"id": _TEXT, "config": _OBJECT})),
    "usage.current": ("200", _JSON, _object({"storage": _OBJECT, "credits": _OBJECT})),
    "catalog.search": ("200", _JSON, _ref("FeatureCollection")),
    "orders.archive.estimate": (
        "200",
        _JSON,
        _object(
            {
                "groups": _list(_OBJECT),
                "errors": _list(_OBJECT),
                "total_aud": _NUMBER,
                "total_credits": _WHOLE,
            }
        ),
    ),
    "orders.archive.place": ("202", _JSON, _ref("Order")),
    "orders.get": ("200", _JSON, _ref("Order")),
    "orders.list": ("200", _JSON, _object({"content": _list(_ref("Order")), "totalElements": _WHOLE})),
    "api_keys.create": ("200", _JSON, {**_KEY, "required": [*_KEY["required"], "key"]}),
    "api_keys.list": ("200", _JSON, _object({"api_keys": _list(_ref("ApiKey"))})),
    "api_keys.revoke": ("200", _JSON, _object({"ok": {"const": True}, "id": _TEXT})),
}


def answer_of(operation: str) -> tuple[str, str, Schema]:
    """Status, media type and schema of an operation's success; untyped JSON where the table has no row."""
    return _ANSWERS.get(operation, ("200", _JSON, _ANY))
