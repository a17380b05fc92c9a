"""Credits, and the card that stands in when they run out: refusals with 402, and the challenge of 3-D Secure.

A challenge is not kept: its `client_secret` follows from the caller's organization, Idempotency-Key and body, so
that the retry of a refused call meets the same one, although the refusal rolled everything back. Only its
confirmation is a row, used up by the order that it lets through.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from uploader.sandbox.errors import Refusal

if TYPE_CHECKING:
    import sqlite3

    from uploader.sandbox.operations.base import Call
    from uploader.sandbox.world import World

_LENGTH = 24


def reserve(call: Call, credits_needed: int) -> None:
    """Take credits from the organization, in the call's transaction.

    Raises:
        Refusal: 402, they do not suffice and there is no card, or its challenge is not confirmed.

    """
    query = "SELECT credits FROM organization WHERE id = ?"
    balance = int(call.tx.execute(query, (call.who.organization,)).fetchone()[0])
    short = credits_needed - balance
    if short > 0:
        _charge(call, short, credits_needed, balance)
    change = "UPDATE organization SET credits = credits + ? WHERE id = ?"
    call.tx.execute(change, (max(short, 0) - credits_needed, call.who.organization))


def confirm(world: World, client_secret: str) -> bool:
    """Note that the holder of the card passed the challenge; False: it is none of ours."""
    name, _, proof = client_secret.removeprefix("pi_").partition("_secret_")
    if world.tokens.mac(name)[:_LENGTH] != proof:
        return False
    with world.database.write() as tx:
        tx.execute("INSERT OR REPLACE INTO confirmation VALUES (?, ?)", (client_secret, world.now()))
    return True


def _charge(call: Call, short: int, needed: int, balance: int) -> None:
    """Buy the missing credits with the card."""
    card = call.world.options.card
    lack = f"{needed} credits needed, {balance} available"
    if card == "none":
        raise Refusal(402, f"not enough credits and no card: {lack}")
    if card == "3ds" and not _passed(call.tx, secret := _client_secret(call)):
        if not secret:
            raise Refusal(402, f"the card needs 3-D Secure: repeat with an Idempotency-Key ({lack})")
        raise Refusal(402, f"the card needs 3-D Secure: {lack}", extra={"client_secret": secret})
    call.effect("card.charged", size=short)


def _passed(tx: sqlite3.Connection, client_secret: str) -> bool:
    deleted = tx.execute("DELETE FROM confirmation WHERE client_secret = ?", (client_secret,))
    return deleted.rowcount > 0


def _client_secret(call: Call) -> str:
    """The challenge of this logical call; empty without an Idempotency-Key, which is what makes calls one."""
    if not call.idempotency:
        return ""
    tokens = call.world.tokens
    name = tokens.mac("\n".join((call.who.organization, *call.idempotency)))[:_LENGTH]
    return f"pi_{name}_secret_{tokens.mac(name)[:_LENGTH]}"
