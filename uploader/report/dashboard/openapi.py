"""The OpenAPI document of `/api/v1/`, made of the table of operations."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from uploader import __version__
from uploader.core.lifecycle import STAGE_ENDS
from uploader.core.model import FileState, HoldCause, Scope, SessionState
from uploader.report.dashboard.access import SESSION_SECONDS
from uploader.report.dashboard.operations import (
    BASE,
    MAYBE_MOMENT,
    MAYBE_TEXT,
    MOMENT,
    TEXT,
    WHOLE,
    Operation,
    Schema,
    listed,
    named,
    obj,
)

_FLAG: Schema = {"type": "boolean"}
_MAYBE_WHOLE: Schema = {"type": ["integer", "null"], "minimum": 0}
_LIST: Schema = {"type": "array"}


def _maybe(name: str) -> Schema:
    return {"anyOf": [named(name), {"type": "null"}]}


SCHEMAS: Mapping[str, Schema] = {
    "Error": obj(error=TEXT),
    "Hold": obj(
        scope={"enum": [*Scope]},
        cause={"enum": [*HoldCause]},
        subject=TEXT,
        reason=TEXT,
        way_out=TEXT,
        since=MAYBE_MOMENT,
        until=MAYBE_MOMENT,
        files=WHOLE,
        bytes=WHOLE,
    ),
    "Folder": obj(
        path=TEXT,
        target=TEXT,
        pending=WHOLE,
        completed=WHOLE,
        today=WHOLE,
        rejected=WHOLE,
        held=_FLAG,
        stages={"type": "object", "additionalProperties": obj(files=WHOLE, bytes=WHOLE)},
    ),
    "Status": obj(
        pending=WHOLE,
        completed=WHOLE,
        rejected=WHOLE,
        files={"type": "object", "additionalProperties": WHOLE},
        sessions={"type": "object", "additionalProperties": WHOLE},
        holds=listed(named("Hold")),
        revision=WHOLE,
        folders=listed(named("Folder")),
        bytes=obj(pending=WHOLE, uploaded=WHOLE),
        today=obj(completed=WHOLE, bytes=WHOLE),
        last_completed=MAYBE_MOMENT,
        rate=obj(files_per_hour={"type": "number"}, bytes_per_second={"type": "number"}),
        eta=MAYBE_MOMENT,
        running=listed(obj(kind=TEXT, subject=TEXT, total=WHOLE, done=WHOLE)),
        failed=listed(obj(path=TEXT, reason=TEXT, attempts=WHOLE)),
        possibly_leaked_bytes=WHOLE,
    ),
    "File": obj(
        id=WHOLE,
        folder=TEXT,
        path=TEXT,
        current=_FLAG,
        state={"enum": [*FileState]},
        size=WHOLE,
        object_size=_MAYBE_WHOLE,
        method=MAYBE_TEXT,
        file_name=MAYBE_TEXT,
        session=_MAYBE_WHOLE,
        item_id=MAYBE_TEXT,
        reason=MAYBE_TEXT,
        hold=MAYBE_TEXT,
        attempts=WHOLE,
        next=MAYBE_MOMENT,
        seen=MOMENT,
        changed=MOMENT,
        completed=MAYBE_MOMENT,
        archived_as=MAYBE_TEXT,
        warnings=_LIST,
        content=MAYBE_TEXT,
        scene=MAYBE_TEXT,
        asset=MAYBE_TEXT,
    ),
    "Event": obj(
        time=MOMENT,
        file=_MAYBE_WHOLE,
        session=_MAYBE_WHOLE,
        path=MAYBE_TEXT,
        event=TEXT,
        state=TEXT,
        note=TEXT,
    ),
    "Session": obj(
        id=WHOLE,
        state={"enum": [*SessionState]},
        upload_id=MAYBE_TEXT,
        project_id=TEXT,
        collection_id=TEXT,
        target_item_id=TEXT,
        asset_key=TEXT,
        files=WHOLE,
        bytes=WHOLE,
        items=_LIST,
        reason=MAYBE_TEXT,
        next=MAYBE_MOMENT,
        created=MOMENT,
        changed=MOMENT,
    ),
    "Receipt": obj(
        id=WHOLE,
        path=TEXT,
        item_id=MAYBE_TEXT,
        project_id=MAYBE_TEXT,
        file_name=MAYBE_TEXT,
        source=obj(sha256=MAYBE_TEXT, size=WHOLE),
        object=obj(sha256=MAYBE_TEXT, size=_MAYBE_WHOLE),
        seen=MOMENT,
        completed=MOMENT,
        method=MAYBE_TEXT,
        warnings=_LIST,
        state=TEXT,
    ),
    "Story": obj(
        file=_maybe("File"),
        versions=listed(WHOLE),
        events=listed(named("Event")),
        session=_maybe("Session"),
        receipt=_maybe("Receipt"),
    ),
    "Stages": obj(**{event.value: listed(obj(files=WHOLE, bytes=WHOLE)) for event in STAGE_ENDS}),
}


def document(operations: Iterable[Operation]) -> dict[str, Any]:
    """The whole document, as JSON."""
    paths: dict[str, dict[str, Any]] = {}
    for operation in operations:
        path = f"{BASE}{operation.path.replace(':int', '')}"
        paths.setdefault(path, {})[operation.method.lower()] = _described(operation)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "geopera-uploader",
            "version": __version__,
            "description": "What a running daemon does, has done and waits for. Fields are added, never renamed.",
        },
        "paths": paths,
        "components": {
            "schemas": SCHEMAS,
            "securitySchemes": {
                "cookie": {
                    "type": "apiKey",
                    "in": "cookie",
                    "name": "uploader_PORT",
                    "description": (
                        "Given by POST /enter for a token of `uploader dashboard`, which is good once; the cookie for "
                        f"{SESSION_SECONDS / 3600:.0f} hours, or until the daemon ends."
                    ),
                }
            },
        },
    }


def _described(operation: Operation) -> dict[str, Any]:
    wrong = {"description": "In words.", "content": {"application/json": {"schema": named("Error")}}}
    described: dict[str, Any] = {
        "operationId": operation.name,
        "summary": operation.summary,
        "parameters": [
            {
                "name": each.name,
                "in": each.where,
                "required": each.where == "path",
                "description": each.text,
                "schema": each.schema,
            }
            for each in operation.parameters
        ],
        "responses": {
            "200": {"description": "It is so.", "content": {operation.kind: {"schema": operation.answer}}},
            "default": wrong,
        },
    }
    if operation.body is not None:
        described["security"] = [{"cookie": []}]
        described["requestBody"] = {
            "required": True,
            "content": {"application/json": {"schema": operation.body}},
        }
    return described
