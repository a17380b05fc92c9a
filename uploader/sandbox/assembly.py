"""Puts the parts of a sandbox together from its options: the only place that knows them all."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from uploader.sandbox.access import Keyring, Tokens, new_key
from uploader.sandbox.blobs import sweep
from uploader.sandbox.errors import StartRefused
from uploader.sandbox.faults import Faults
from uploader.sandbox.inspector import Inspector
from uploader.sandbox.limits import Window
from uploader.sandbox.options import Key, Options
from uploader.sandbox.painting import Painters
from uploader.sandbox.pipeline import Pipeline
from uploader.sandbox.signing import Signer
from uploader.sandbox.world import Latency, World

if TYPE_CHECKING:
    import socket
    from contextlib import ExitStack

    from uploader.sandbox.database import Database
    from uploader.sandbox.rsa import PublicKey

_PAINTERS = 2
_ACCOUNT = "sandbox@geopera-sandbox.iam.gserviceaccount.com"


def open_world(options: Options, database: Database, sockets: list[socket.socket], stack: ExitStack) -> World:
    """Put a world on top of a database that is open and sockets that are bound; the stack closes its parts.

    The world's options carry the ports that were taken and the key that is in force.

    Raises:
        StartRefused: a file of `store_keys` holds no public key.

    """
    ports = [one.getsockname()[1] for one in sockets]
    key = options.api_key or database.remembered("api_key", new_key())
    options = replace(options, port=ports[0], store_port=ports[1], api_key=key)
    _seed(database, options)
    inspector = Inspector()
    stack.callback(inspector.close)
    painters = Painters(_PAINTERS, options.paint_deadline)
    stack.callback(painters.close)
    pipeline = Pipeline(database, options.root / "objects", options)
    stack.callback(pipeline.close)
    secret = bytes.fromhex(database.remembered("secret", os.urandom(32).hex()))
    api_url, store_url = (f"http://{_host(options)}:{port}" for port in ports)
    world = World(
        options=options,
        api_url=api_url,
        store_url=store_url,
        database=database,
        keyring=Keyring((Key(key, organization=options.organization, name="main"), *options.keys), database),
        tokens=Tokens(secret, api_url, options.token_life, options.refresh_life),
        signer=Signer(secret, _ACCOUNT, store_url, _accounts(options.store_keys)),
        window=Window(options),
        faults=Faults(options.seed),
        inspector=inspector,
        latency=Latency(options.latency, options.seed),
        painters=painters,
        pipeline=pipeline,
    )
    sweep(world.objects, database)
    pipeline.start()
    return world


def _seed(database: Database, options: Options) -> None:
    """Make the organizations and projects of the options; quota and credits follow them at every start."""
    names = {options.organization, *(key.organization for key in options.keys)}
    upsert = """INSERT INTO organization (id, quota_bytes, credits) VALUES (?, ?, ?)
                ON CONFLICT (id) DO UPDATE SET quota_bytes = excluded.quota_bytes"""
    with database.write() as tx:
        tx.executemany(upsert, [(name, options.quota_bytes, options.credits) for name in sorted(names)])
        projects = [(name, options.organization) for name in options.projects]
        tx.executemany("INSERT OR IGNORE INTO project VALUES (?, ?)", projects)


def _accounts(given: tuple[str, ...]) -> dict[str, PublicKey]:
    """The service accounts of the option `store_keys`, each `address=file`."""
    if not given:
        return {}
    from uploader.sandbox.rsa import PublicKey  # noqa: PLC0415  it loads a library that few sandboxes need

    pairs = (one.partition("=")[::2] for one in given)
    try:
        return {address: PublicKey.from_pem(Path(file).read_text()) for address, file in pairs}
    except (OSError, ValueError) as error:
        raise StartRefused(
            f"--store-key takes ADDRESS=FILE, the file a public key in PEM: {error}."
        ) from error


def _host(options: Options) -> str:
    host = options.public_host or {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(options.host, options.host)  # noqa: S104  compared, not bound
    return f"[{host}]" if ":" in host else host
