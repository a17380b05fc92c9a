"""What can be asked of `/api/v1/`, as one table: routes and the OpenAPI document are both made of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

BASE = "/api/v1"

Schema = Mapping[str, Any]
"""JSON Schema, as OpenAPI 3.1 has it."""

TEXT: Schema = {"type": "string"}
WHOLE: Schema = {"type": "integer", "minimum": 0}
MAYBE_TEXT: Schema = {"type": ["string", "null"]}
MAYBE_MOMENT: Schema = {"type": ["string", "null"], "format": "date-time"}
MOMENT: Schema = {"type": "string", "format": "date-time"}


def obj(**fields: Schema) -> Schema:
    """An object that has all these fields, and may have more: fields are added, never renamed."""
    return {"type": "object", "properties": fields, "required": sorted(fields)}


def listed(items: Schema) -> Schema:
    """A list of such values."""
    return {"type": "array", "items": items}


def named(name: str) -> Schema:
    """One of the schemas of `openapi.SCHEMAS`."""
    return {"$ref": f"#/components/schemas/{name}"}


@dataclass(frozen=True, slots=True)
class Parameter:
    """Of the path or the query."""

    name: str
    text: str
    schema: Schema = field(default_factory=lambda: TEXT)
    where: str = "query"


@dataclass(frozen=True, slots=True)
class Operation:
    """A path below `BASE`, what it takes and what it answers."""

    path: str
    summary: str
    answer: Schema
    handler: Callable[[Request], Awaitable[Response]]
    parameters: tuple[Parameter, ...] = ()
    body: Schema | None = None
    """Not None: it changes something, and is a POST that needs the cookie."""
    kind: str = "application/json"

    @property
    def method(self) -> str:
        """GET, or POST where it changes something."""
        return "GET" if self.body is None else "POST"

    @property
    def name(self) -> str:
        """Its identifier, of path and method."""
        words = self.path.strip("/").replace("{id:int}", "one").replace(".", "_").replace("/", "_")
        return f"{self.method.lower()}_{words}"
