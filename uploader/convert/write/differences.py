"""What a comparison finds, in words."""

from __future__ import annotations

from dataclasses import dataclass

from uploader.convert.job import RasterWarning


@dataclass(frozen=True, slots=True)
class Differences:
    """`broken` are things that were changed, as nouns; `lost` are warnings, one of each code."""

    broken: tuple[str, ...] = ()
    lost: tuple[RasterWarning, ...] = ()

    def __add__(self, more: Differences) -> Differences:
        """Both together; texts of warnings of one code are put into one."""
        texts: dict[str, list[str]] = {}
        for warning in (*self.lost, *more.lost):
            said = texts.setdefault(warning.code, [])
            said += [warning.text] if warning.text not in said else []
        lost = tuple(RasterWarning(code, " ".join(said)) for code, said in texts.items())
        return Differences(tuple(dict.fromkeys((*self.broken, *more.broken))), lost)
