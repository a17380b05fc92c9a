"""What a line of the log is about."""

from __future__ import annotations

import pytest

from uploader.core.log_subject import About, fields_of

pytestmark = pytest.mark.unit


def test_only_what_is_known_is_named():
    """In one order, with the names of files quoted, as they may have blanks in them."""
    assert (
        str(About("/srv/drop", b"a b/\xff.tif", session=0))
        == r"folder=/srv/drop file='a b/\\xff.tif' session=0"
    )
    assert str(About(item="i-1", code="stale")) == "item=i-1 code=stale"
    assert not str(About())


def test_the_arguments_of_a_log_call_give_its_fields():
    """Several add up; other arguments, and calls without any, give none."""
    found = fields_of(("x", About("/srv/drop"), 3, About(session=7, item="i")))
    assert found == {"folder": "/srv/drop", "session": "7", "item": "i"}
    assert fields_of(()) == fields_of(None) == fields_of({"a": 1}) == {}
