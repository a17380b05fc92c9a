"""Everything that can be switched on the sandbox: the only list of its options, for Python and the command line.

Each field of `Options` carries its own description; `flags()` turns the fields into command line flags of the
same names, so that no second list can differ from the first.
"""

from __future__ import annotations

import json
from dataclasses import MISSING, Field, dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar, get_args, get_origin, get_type_hints

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Key:
    """An API key beside the main one, to try scopes, roles and foreign organizations.

    `scopes` are exact, `*`, `resource:*` or `*:action`. `roles` maps project ids to admin, editor or viewer;
    None makes the key an admin of every project of its organization. `name` is what the history shows.
    """

    secret: str
    scopes: tuple[str, ...] = ("*",)
    roles: Mapping[str, str] | None = None
    organization: str = "org-1"
    name: str = ""

    @classmethod
    def parse(cls, text: str) -> Key:
        """Read a key from a JSON object with these field names.

        Raises:
            ValueError: it is not such an object.

        """
        try:
            facts = json.loads(text)
            return cls(**{**facts, "scopes": tuple(facts.get("scopes", ("*",)))})
        except (TypeError, AttributeError, json.JSONDecodeError) as error:
            raise ValueError(
                f'a key is JSON like {{"secret": "gpra_x", "scopes": ["items:read"]}}: {error}'
            ) from error


def _option(default: T, text: str, **facts: object) -> T:
    """Declare one option: its default, its description, and what differs in its flag."""
    return field(default=default, metadata={"help": text, **facts})


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How the sandbox behaves. The defaults are the hardest reading of what the platform's documents say.

    The description of every option is the text beside it, which `--help` prints too. Sizes are bytes, times
    seconds.
    """

    root: Path = field(metadata={"help": "Folder of the database and the objects; made when absent."})
    host: str = _option("127.0.0.1", "Address to listen on.")
    port: int = _option(0, "Port of the API; 0 takes a free one.")
    store_port: int = _option(0, "Port of the object store, another origin than the API; 0 takes a free one.")
    public_host: str = _option("", "Host name that URLs carry; empty: the address listened on.")
    api_key: str = _option("", "The main API key; empty: made once and kept in the root.")
    keys: tuple[Key, ...] = _option(
        (), "A further key, as JSON (secret, scopes, roles, organization).", flag="--key"
    )
    username: str = _option("demo", "User name of the password grant; it has the rights of the main key.")
    password: str = _option("demo", "Password of the password grant.")
    organization: str = _option("org-1", "The organization that owns the projects.")
    projects: tuple[str, ...] = _option(("p-1",), "A project of the organization.", flag="--project")
    quota_bytes: int = _option(100 << 30, "Storage quota of the organization.", flag="--quota")
    credits: int = _option(100_000, "Credits of the organization (100 are one Australian dollar).")
    url_life: float = _option(300.0, "How long a signed URL lives.")
    token_life: float = _option(300.0, "How long an access token lives.")
    refresh_life: float = _option(1800.0, "How long a refresh token lives; it dies at its first use anyway.")
    rate_limit: int = _option(600, "Calls per window and organization; 0: no limit.")
    rate_window: float = _option(60.0, "Length of the fixed window.")
    order_rate_limit: int = _option(60, "Orders that may be placed per window and organization; 0: no limit.")
    session_rate_limit: int = _option(
        0, "Sessions that may be opened per window and organization; 0: no limit of their own."
    )
    retry_after: Literal["seconds", "date"] = _option("seconds", "Form of Retry-After on a 429.")
    replay_initiate: bool = _option(
        default=False,
        text="Honour Idempotency-Key on uploads.initiate: same body, same session; other body, 409.",
    )
    items_per: Literal["file", "session"] = _option("file", "What one completed session makes items of.")
    repeat_item_ids: bool = _option(default=False, text="Tell item_ids again when complete is repeated.")
    repeat_fail: Literal["conflict", "ok"] = _option("conflict", "What a repeated fail gets: 409 or 200.")
    transfer_methods: Literal["guide", "published"] = _option(
        "guide", "guide accepts signed_url beside the published values; published refuses it with 422."
    )
    validation: Literal["fastapi", "problem", "errors"] = _option(
        "fastapi", "Shape of a 422: detail as a list, problem+json, or problem+json with errors."
    )
    items_visible_after: float = _option(0.0, "How long new items stay out of get, list and search.")
    delivery_after: float = _option(1.0, "How long an order is processed before its items are delivered.")
    place_status: Literal["202", "200"] = _option("202", "HTTP status of an order that was placed.")
    order_status: Literal["processing", "awaiting_data"] = _option(
        "processing", "What an order is called until it is delivered."
    )
    card: Literal["none", "plain", "3ds"] = _option(
        "none",
        "What pays when credits run out: nothing (402), a card, or a card with a 3-D Secure challenge.",
    )
    latency: float = _option(0.0, "Longest random delay of an answer, half before and half after the commit.")
    seed: int = _option(0, "Seed of delays and of faults with a probability.")
    names_in_items: bool = _option(default=True, text="Show file names in items and assets.")
    pipeline_delay: float = _option(0.0, "How long after complete the pipeline of its items begins.")
    paint_deadline: float = _option(
        20.0,
        "How long one raster may keep the child that renders or measures it, not counting waits for a processor.",
    )
    repeated_asset_key: Literal["number", "replace", "refuse"] = _option(
        "number",
        "An asset key that its item has: kept beside it with a number, replaced, or 422 at initiate.",
    )
    item_box: Literal["first", "union"] = _option(
        "first", "Where an item of several assets lies: where its first does, or all of them."
    )
    default_view: Literal["first", "newest"] = _option(
        "first", "Which asset of an item the default visualization shows."
    )
    update_properties: Literal["replace", "merge"] = _option(
        "replace", "What becomes of an item's properties that items.update does not name."
    )
    items_update: Literal["known", "unknown"] = _option(
        "known", "Whether items.update exists; unknown answers 404, as to any name that is no operation."
    )
    resumable: bool = _option(
        default=False,
        text="Honour `resumable: true` in uploads.signed_url: the URL is signed for opening a resumable session.",
    )
    store_keys: tuple[str, ...] = _option(
        (),
        "A service account whose GOOG4-RSA-SHA256 signatures the store takes: its address, =, file of its public key.",
        flag="--store-key",
    )


@dataclass(frozen=True, slots=True)
class Flag:
    """One command line flag, enough to declare it in argparse or click.

    `kind` is text, path, integer, number, choice, key or switch; `default` is what the field has. A flag that
    was not given should not reach `options_from`.
    """

    name: str
    flag: str
    kind: str
    help: str
    default: Any
    choices: tuple[str, ...] = ()
    multiple: bool = False
    required: bool = False

    @property
    def parse(self) -> Callable[[str], Any]:
        """What turns the flag's text into its value."""
        return _PARSERS[self.kind]


_PARSERS: dict[str, Callable[[str], Any]] = {
    "text": str,
    "choice": str,
    "path": Path,
    "integer": int,
    "number": float,
    "key": Key.parse,
}
_KINDS: dict[Any, str] = {
    str: "text",
    int: "integer",
    float: "number",
    bool: "switch",
    Path: "path",
    Key: "key",
}


def flags() -> tuple[Flag, ...]:
    """All flags in the order of the fields of `Options`."""
    hints = get_type_hints(Options)
    return tuple(_flag(one, hints[one.name]) for one in fields(Options))


def options_from(given: Mapping[str, Any]) -> Options:
    """Build the options from parsed flags, by field name; lists become tuples.

    Raises:
        ValueError: the root is missing, or a name is unknown.

    """
    known = {one.name for one in fields(Options)}
    if "root" not in given or not set(given) <= known:
        raise ValueError(f"root is required, and no option is called {sorted(set(given) - known)}")
    values: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in given.items()
    }
    return Options(**values)


def _flag(one: Field[Any], hint: Any) -> Flag:
    choices = get_args(hint) if get_origin(hint) is Literal else ()
    many = get_origin(hint) is tuple
    return Flag(
        name=one.name,
        flag=one.metadata.get("flag", "--" + one.name.replace("_", "-")),
        kind="choice" if choices else _KINDS[get_args(hint)[0] if many else hint],
        help=one.metadata["help"],
        default=None if one.default is MISSING else one.default,
        choices=choices,
        multiple=many,
        required=one.default is MISSING,
    )
