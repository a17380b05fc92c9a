"""Lines of keys: the scanner agrees with tomllib on where everything is."""

from __future__ import annotations

import pytest

from uploader.config.toml_lines import line_numbers, line_of

pytestmark = pytest.mark.unit

TEXT = '''# a comment with [brackets] = "and" quotes
top = """
[not a table]
key = 'inside'
"""
other = [ # ]
  "a]", # key = 1
  { x = 1, y = [2] },
]
"quoted = key" = 1
dotted.key = 2

[ table ] # comment
a = 'c:\\'
b = "\\"]"

[[many]]
x = 1
[[many]]
x = 1
y = { inner = 5 }
[many.sub]
z = 3
[[many.deep]]
u = 1
[[many.deep]]
[[many]]
[[many.deep]]
'''


def test_every_key_has_its_line():
    """Strings, comments, arrays and quoted keys do not confuse the count."""
    assert line_numbers(TEXT) == {
        ("top",): 2,
        ("other",): 6,
        ("quoted = key",): 10,
        ("dotted", "key"): 11,
        ("table",): 13,
        ("table", "a"): 14,
        ("table", "b"): 15,
        ("many", 0): 17,
        ("many", 0, "x"): 18,
        ("many", 1): 19,
        ("many", 1, "x"): 20,
        ("many", 1, "y"): 21,
        ("many", 1, "sub"): 22,
        ("many", 1, "sub", "z"): 23,
        ("many", 1, "deep", 0): 24,
        ("many", 1, "deep", 0, "u"): 25,
        ("many", 1, "deep", 1): 26,
        ("many", 2): 27,
        ("many", 2, "deep", 0): 28,
    }


@pytest.mark.parametrize(
    ("location", "line"),
    [
        (("many", 1, "y", "inner"), 21),
        (("many", 1, "missing"), 19),
        (("nowhere",), None),
        (("table", "zz"), 13),
    ],
)
def test_what_has_no_line_of_its_own_has_that_of_what_is_around(location, line):
    """A missing key is told where its table begins."""
    assert line_of(line_numbers(TEXT), location) == line


def test_windows_line_ends_count_once():
    """A file from a Windows editor has the same lines."""
    assert line_numbers("a = 1\r\n[t]\r\nb = 2\r\n") == {("a",): 1, ("t",): 2, ("t", "b"): 3}
