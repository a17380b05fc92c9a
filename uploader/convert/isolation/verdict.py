"""What confinement a host gives to converting children, as they found it themselves; pure, for parent and child."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

TRIED = ("read a foreign file", "write outside", "open a socket", "start a process", "signal a process")
"""What a child tries on itself when it is confined, each of which must fail."""


@dataclass(frozen=True, slots=True)
class Confinement:
    """The layers that hold. `landlock` is its ABI, 0 for none; `reached` is what of `TRIED` was possible."""

    namespace: bool = False
    landlock: int = 0
    seccomp: bool = False
    reached: tuple[str, ...] = ()

    def layers(self) -> dict[str, str]:
        """By what is held, which layer holds it; `none` where nothing does."""
        namespace = "own namespace" if self.namespace else ""
        seccomp = "seccomp" if self.seccomp else ""
        landlock = f"Landlock (ABI {self.landlock})" if self.landlock else ""
        return {
            "network": " and ".join(filter(None, (namespace, seccomp))) or "none",
            "files": landlock or "none",
            "syscalls": seccomp or "none",
        }

    def missing(self) -> tuple[str, ...]:
        """What to do about each layer that does not hold, in words."""
        ways = (
            (not self.landlock, "For files: Linux 5.19 or newer with `landlock` among its lsm= modules."),
            (
                not self.seccomp,
                "For system calls: x86_64 or aarch64, and a container that allows seccomp(2).",
            ),
            (
                not (self.namespace or self.seccomp),
                "For the network: allow user namespaces (user.max_user_namespaces), or seccomp.",
            ),
        )
        return tuple(way for lacking, way in ways if lacking)

    def to_json(self) -> dict[str, Any]:
        """As plain JSON types."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Confinement:
        """The inverse of `to_json`. Raises KeyError or TypeError on anything else."""
        reached = tuple(str(what) for what in data["reached"])
        return cls(bool(data["namespace"]), int(data["landlock"]), bool(data["seccomp"]), reached)
