"""`/sandbox/items…`: items on a map, for people. Without credentials, for loopback callers only.

Nothing comes from outside: Leaflet is served from its Python package, and the only background is a grid.
"""

from __future__ import annotations

import json
from functools import wraps
from html import escape
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from anyio import to_thread
from pydantic import ValidationError
from starlette.responses import FileResponse, HTMLResponse, Response
from starlette.routing import Route

from uploader.sandbox.access import Principal
from uploader.sandbox.errors import Refusal
from uploader.sandbox.operations.base import Call
from uploader.sandbox.operations.items import assets_of, shown, visible_item
from uploader.sandbox.operations.provenance import Lineage, lineage
from uploader.sandbox.operations.tiles import Profiles, Render, native_zoom, profiles, render
from uploader.sandbox.test_control import is_local
from uploader.sandbox.world import Trace

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Awaitable, Callable, Mapping

    from starlette.requests import Request

    from uploader.sandbox.world import World

_LEAFLET = {"leaflet.js": "text/javascript", "leaflet.css": "text/css"}
_POLICY = (
    "default-src 'none'; img-src 'self' data:; "
    "script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'"
)
_LATEST = 100
_STYLE = """body{margin:0;font:14px/1.5 system-ui,sans-serif;display:flex;height:100vh;color:#223}
#map{flex:1;background:#eef1f4}aside{width:400px;overflow:auto;padding:16px 20px;box-sizing:border-box;
border-right:1px solid #ccd}h1{font-size:18px;margin:4px 0;overflow-wrap:anywhere}h2{font-size:14px;margin:18px 0 4px}
table{border-collapse:collapse}td,th{padding:1px 10px 1px 0;text-align:left;vertical-align:top;overflow-wrap:anywhere}
td.n{text-align:right;font-variant-numeric:tabular-nums}img{max-width:100%}"""
_SCRIPT = """const map=L.map('map',{attributionControl:false});
const box=[[b[1],b[0]],[b[3],b[2]]];map.fitBounds(box,{maxZoom:zoom+2});L.control.scale({imperial:false}).addTo(map);
L.tileLayer('/sandbox/items/'+id+'/tiles/{z}/{x}/{y}',{bounds:box,maxNativeZoom:zoom+2,maxZoom:28}).addTo(map);
L.rectangle(box,{fill:false,weight:1,dashArray:'4'}).addTo(map);"""
_EMPTY = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000b49444154789c6360"
    "000200000500017a5eab3f0000000049454e44ae426082"
)
"""A transparent pixel, for tiles beside the raster: a map asks for some of them."""


def _local(work: Callable[[World, Request], Response]) -> Callable[[Request], Awaitable[Response]]:
    """An endpoint of blocking work: for loopback callers, its refusals as plain text."""

    @wraps(work)
    async def endpoint(request: Request) -> Response:
        if not is_local(request):
            return Response("not found", 404)
        world: World = request.app.state.world
        limiter = world.painters.limiter if "z" in request.path_params else None
        try:
            return await to_thread.run_sync(work, world, request, limiter=limiter)
        except (Refusal, ValidationError) as error:
            status = error.status if isinstance(error, Refusal) else 404
            return Response(str(error), status, media_type="text/plain")

    return endpoint


def _overview(world: World, _: Request) -> Response:
    """The newest items of all projects."""
    query = "SELECT * FROM item WHERE deleted_at IS NULL ORDER BY sequence DESC LIMIT ?"
    with world.database.read() as tx:
        rows = tx.execute(query, (_LATEST,)).fetchall()
    cells = [
        f"<tr><td><a href='/sandbox/items/{row['id']}'><img height=64 alt='' "
        f"src='/sandbox/items/{row['id']}/thumbnail'></a><td><a href='/sandbox/items/{row['id']}'>"
        f"{escape(row['name'])}</a><td>{escape(row['project_id'])}<td>{escape(row['datetime'][:19])}"
        for row in rows
    ]
    return _html("Items", f"<main style='padding:20px'><h1>Items</h1><table>{''.join(cells)}</table></main>")


def _page(world: World, request: Request) -> Response:
    """One item: what is known of it, and where it lies."""
    item_id = request.path_params["item_id"]
    with world.database.read() as tx:
        call = _call(world, tx, item_id)
        row = visible_item(call, item_id)
        item = shown(row)
        facts = [json.loads(asset["facts"]) for asset in assets_of(call, item_id)]
        graph = json.loads(lineage(call, Lineage(item_id=item_id)).body)
        pictures = json.loads(profiles(call, Profiles(item_id=item_id)).body)["profiles"]
    text = f"<aside><a href='/sandbox/items'>Items</a>{_told(item, facts, graph, pictures)}</aside>"
    if item["bbox"] is None:
        return _html(item["name"], f"{text}<main style='padding:20px'>It lies nowhere on a map.</main>")
    zoom = native_zoom(facts[0] if facts else {}, item["bbox"])
    known = json.dumps({"b": item["bbox"], "zoom": zoom, "id": item_id}).replace("<", "\\u003c")
    script = f"const {{b,zoom,id}}={known};{_SCRIPT}"
    return _html(item["name"], f"{text}<div id=map></div><script>{script}</script>")


def _tile(world: World, request: Request) -> Response:
    """One tile by the default profile."""
    given = request.path_params
    with world.database.read() as tx:
        call = _call(world, tx, given["item_id"])
        try:
            answer = render(call, Render(**given, format="png"))
        except Refusal as refusal:
            if "outside" not in refusal.detail:
                raise
            return Response(_EMPTY, media_type="image/png")
    return Response(answer.body, media_type=answer.media_type)


def _thumbnail(world: World, request: Request) -> Response:
    """The picture that the pipeline made."""
    query = "SELECT thumbnail FROM profile WHERE item_id = ? AND is_default"
    with world.database.read() as tx:
        row = tx.execute(query, (request.path_params["item_id"],)).fetchone()
    return Response(row["thumbnail"] if row else _EMPTY, media_type="image/png")


def _library(_: World, request: Request) -> Response:
    """Leaflet, from its package."""
    name = request.path_params["name"]
    if name not in _LEAFLET:
        return Response("not found", 404)
    folder = Path(import_module("xstatic.pkg.leaflet").BASE_DIR)
    return FileResponse(folder / name, media_type=_LEAFLET[name])


ROUTES = [
    Route("/sandbox/items", _local(_overview)),
    Route("/sandbox/items/{item_id}", _local(_page)),
    Route("/sandbox/items/{item_id}/thumbnail", _local(_thumbnail)),
    Route("/sandbox/items/{item_id}/tiles/{z:int}/{x:int}/{y:int}", _local(_tile)),
    Route("/sandbox/leaflet/{name}", _local(_library)),
]


def _call(world: World, tx: sqlite3.Connection, item_id: str) -> Call:
    """A call by somebody who may see all of the item's organization."""
    query = "SELECT organization FROM project JOIN item ON item.project_id = project.id WHERE item.id = ?"
    row = tx.execute(query, (item_id,)).fetchone()
    who = Principal("page", row[0] if row else "", ("*",), None)
    return Call(world, who, tx, world.now(), Trace("page"))


def _told(
    item: Mapping[str, Any],
    facts: list[dict[str, Any]],
    graph: Mapping[str, Any],
    pictures: list[dict[str, Any]],
) -> str:
    plain = {
        "Item": item["id"],
        "Type": item["type"],
        "Project": item["project_id"],
        "Collection": item["collection_id"],
        "Time": item["datetime"],
        "Pipeline": item["properties"].get("geopera:pipeline"),
        "From": ", ".join(f"{one['entity_type']} {one['entity_id']}" for one in graph["parents"]),
        "Shown as": ", ".join(one["name"] for one in pictures),
    }
    rows = "".join(f"<tr><th>{name}<td>{escape(str(value))}" for name, value in plain.items() if value)
    bands = "".join(_band(band) for one in facts for band in one.get("bands", []))
    head = "<tr><th>Band<th>Type<th>Lowest<th>Highest<th>Mean"
    thumbnail = f"<img alt='' src='/sandbox/items/{item['id']}/thumbnail'>"
    table = f"<h2>Bands</h2><table>{head}{bands}</table>" if bands else ""
    return f"<h1>{escape(item['name'])}</h1>{thumbnail}<table>{rows}</table>{table}"


def _band(band: Mapping[str, Any]) -> str:
    known = band.get("statistics", {})
    numbers = "".join(
        f"<td class=n>{known[name]:.6g}" if name in known else "<td>"
        for name in ("minimum", "maximum", "mean")
    )
    return f"<tr><td>{escape(band['name'])}<td>{escape(band['data_type'])}{numbers}"


def _html(title: str, body: str) -> Response:
    head = (
        f"<!doctype html><html lang=en><meta charset=utf-8><title>{escape(title)}</title>"
        f"<link rel=stylesheet href=/sandbox/leaflet/leaflet.css><script src=/sandbox/leaflet/leaflet.js></script>"
        f"<style>{_STYLE}</style>"
    )
    return HTMLResponse(head + body, headers={"Content-Security-Policy": _POLICY})
