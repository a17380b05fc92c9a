"""rio-cogeo's verdict without what it loads for other purposes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import rasterio
import rasterio.shutil
from rio_cogeo.cogeo import cog_validate

from uploader.convert.write import cog_validation

pytestmark = pytest.mark.unit


def _made(folder: Path, driver: str) -> Path:
    plain, made = folder / "plain.tif", folder / "made.tif"
    with rasterio.open(plain, "w", driver="GTiff", width=1200, height=700, count=1, dtype="uint8") as dataset:
        dataset.write(np.ones((1, 700, 1200), np.uint8))
    rasterio.shutil.copy(plain, made, driver=driver)
    return made


@pytest.mark.parametrize(("driver", "valid"), [("COG", True), ("GTiff", False)])
def test_the_verdict_is_that_of_rio_cogeo(tmp_path: Path, driver: str, valid: bool) -> None:
    """A COG is valid and a plain TIFF is not, as rio-cogeo says when it is loaded whole."""
    made = _made(tmp_path, driver)

    assert cog_validation.valid(made) == cog_validate(made, strict=True, quiet=True)[0] == valid
    assert not cog_validation.valid(tmp_path / "missing.tif")


_PROGRAM = """
import sys
from uploader.convert.write import cog_validation as ours
assert not {{"morecantile", "pyproj", "pydantic"}} & set(sys.modules), "loaded for nothing"
from rio_cogeo.cogeo import cog_info
print(cog_info({path!r}).COG, ours.valid({path!r}))
"""


def test_whoever_else_wants_rio_cogeo_gets_all_of_it(tmp_path: Path) -> None:
    """What was left out for the verdict is not left out for others."""
    program = _PROGRAM.format(path=str(_made(tmp_path, "COG")))
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert done.stdout.split() == ["True", "True"]


def test_what_does_not_load_without_the_rest_is_loaded_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    """A later rio-cogeo that needs the schemes at once gets them."""
    tried: list[bool] = []

    def demanding() -> str:
        tried.append("rio_cogeo.models" in sys.modules)
        if tried[-1]:
            raise TypeError("the schemes are of no use")
        return "whole"

    for name in [name for name in sys.modules if name.partition(".")[0] in ("rio_cogeo", "morecantile")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(cog_validation, "_loaded", demanding)

    assert cog_validation._validator() == "whole"
    assert tried == [True, False]
