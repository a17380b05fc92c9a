"""The process that children are forked from: GDAL is loaded, and nothing of others is open, so a fork is ready at once.

Reads jobs as lines of JSON from the daemon. Each gets a child of its own, confined to that job's folders; what it
answers is passed on unread, with what only the kernel can tell: how it ended, and its peak of memory. Started by
`worker`; `sys.argv` carries the parent's id. It has one thread, or forking would not be safe.
"""

from __future__ import annotations

import gc
import json
import logging
import os
import selectors
import signal
import sys
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from types import FrameType, ModuleType
from typing import Any, BinaryIO, NoReturn

from uploader.convert.engine.child_progress import ALIVE, BEAT, ChildProgress
from uploader.convert.isolation import confine, kernel, namespaces

ANSWER_BYTES = 8 << 20
"""The longest answer of a child; one that says more is killed."""

_REHEARSED = 2
_REHEARSAL = "rehearsal"
"""Before which raster it rehearses, and in which folder of its workshop."""

_FIRST_OTHER = 4
"""The first descriptor that is none of our own: input, outputs and answers."""

_ERROR_BYTES = 4096
_PIECE = 1 << 16


@dataclass(slots=True)
class Zygote:
    """What every child is confined to, and the child that lives now."""

    places: tuple[Path, ...]
    namespace: bool
    answers: BinaryIO
    child: int = 0
    done: int = 0
    """How many rasters it had converted."""
    kept: frozenset[int] = frozenset()
    """Descriptors of libraries, which a child has as well."""
    as_is: bool = False
    """Whether a child may go on with all that is open, so that no library need be told that there is a child."""

    def serve(self, request: dict[str, Any]) -> tuple[dict[str, Any], bytes, bytes]:
        """As `run`. Before the second raster that is done once which each child would do anew, or when it is asked for.

        Not before the first: whoever converts just one would wait for it.
        """
        if "rehearse" in request:
            self.done = max(self.done, _REHEARSED)
            self._rehearse(Path(request["rehearse"]))
            return {"exit": 0, "peak_bytes": 0, "errors": ""}, b"", b""
        if request.get("workshop"):
            self.done += 1
            if self.done == _REHEARSED:
                self._rehearse(Path(request["workshop"]))
        return self.run(request)

    def _rehearse(self, workshop: Path) -> None:
        from uploader.convert.engine import rehearsal  # noqa: PLC0415 - see _load

        if not rehearsal.DESCRIPTORS.is_dir():
            return  # without /proc nobody could tell what libraries keep open, and a child would close it
        rehearsal.rehearse(workshop / _REHEARSAL)
        self.kept = rehearsal.left_open(_FIRST_OTHER)
        self.as_is = rehearsal.tables(self.kept, self.places)

    def run(self, request: dict[str, Any]) -> tuple[dict[str, Any], bytes, bytes]:
        """Have a child do what is asked, and wait for its end; gives the ending and its two lines, empty for none."""
        answer, to_answer = os.pipe()
        errors, to_errors = os.pipe()
        try:
            self._fork(request, to_answer, to_errors)
        except OSError as error:
            os.close(answer)
            os.close(errors)
            return _short(error), b"", b""
        finally:
            os.close(to_answer)
            os.close(to_errors)
        said, printed = self._listen(answer, errors)
        _, status, usage = os.wait4(self.child, 0)
        self.child = 0
        ending = {
            "exit": os.waitstatus_to_exitcode(status),
            "peak_bytes": usage.ru_maxrss << 10,
            "errors": printed.decode("utf-8", "replace"),
        }
        answer_line, more, *_ = *said.split(b"\n")[:-1], b"", b""  # what has no end is none
        return ending, answer_line, more

    def _fork(self, request: dict[str, Any], to_answer: int, to_errors: int) -> None:
        """The signal that ends us waits until we know whom to end with us."""
        ourselves = os.getpid()
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
        try:
            self.child = kernel.fork_as_is() if self.as_is else os.fork()
        except OSError:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
            raise
        if self.child == 0:
            self._be_child(request, to_answer, to_errors, ourselves)
        self.answers.write(ALIVE)  # from now on it is the child that we wait for
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})

    def _be_child(self, request: dict[str, Any], to_answer: int, to_errors: int, ourselves: int) -> NoReturn:
        """Whatever fails in here ends this process: it must never go on as a second zygote."""
        try:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
            _arrange(to_answer, to_errors)
            from uploader.convert.engine import child  # noqa: PLC0415 - loaded by `main` before the first fork

            child.live(request, child.ParentZygote(ourselves, self.places, self.namespace, self.kept))
        except BaseException as error:  # noqa: BLE001 - there is nobody above who could tell it
            os.write(to_errors, f"{error!r}\n".encode())
        finally:
            os._exit(1)

    def _listen(self, answer: int, errors: int) -> tuple[bytes, bytes]:
        """Read both pipes to their ends: the answer up to its bound, of the errors the last bytes.

        Meanwhile the daemon is told that the child lives, for as long as it does.
        """
        said, printed = bytearray(), b""
        pulse = ChildProgress(self.child)
        with selectors.DefaultSelector() as selector:
            for handle in (answer, errors):
                selector.register(handle, selectors.EVENT_READ)
            while selector.get_map():
                ready = selector.select(BEAT)
                if pulse.due() and pulse.beats():
                    self.answers.write(ALIVE)
                for key, _ in ready:
                    piece = os.read(key.fd, _PIECE)
                    if not piece:
                        selector.unregister(key.fd)
                        os.close(key.fd)
                    elif key.fd == errors:
                        printed = (printed + piece)[-_ERROR_BYTES:]
                    elif len(said) <= ANSWER_BYTES:
                        said += piece
                        if part := pulse.heard(said):
                            self.answers.write(part)
                    else:
                        os.kill(self.child, signal.SIGKILL)
        return bytes(said) if len(said) <= ANSWER_BYTES else b"", printed

    def end(self, _signal: int, _frame: FrameType | None) -> None:
        """End with the child, and leave no zombie of it to whoever would inherit it."""
        if self.child:
            os.kill(self.child, signal.SIGKILL)
            os.waitpid(self.child, 0)
        os._exit(0)


def main(arguments: list[str]) -> None:
    """Give up rights, load GDAL, tell that we are ready, then have jobs done until the input ends."""
    confine.settle(int(arguments[0]))
    answers = _keep_stdout()
    namespace = namespaces.leave_network()
    namespaces.drop_capabilities()
    logging.root.addHandler(logging.NullHandler())  # or what nobody listens to would be printed
    try:
        _load()
    except BlockingIOError as error:  # EAGAIN: no process is to be had
        _say(answers, _short(error), b"", b"")
        return
    zygote = Zygote(confine.library_places(), namespace, answers)
    signal.signal(signal.SIGTERM, zygote.end)
    ending, *lines = zygote.run({})
    _say(answers, {"ready": True, "versions": _versions()} | ending, *lines)
    for request in sys.stdin.buffer:
        _say(answers, *zygote.serve(json.loads(request)))


def _short(error: OSError) -> dict[str, Any]:
    """The ending of a child that could not be started."""
    return {"exit": 0, "peak_bytes": 0, "errors": "", "short": error.strerror}


def _load() -> None:
    """Load all that a job needs, with GDAL's drivers registered, so that its child finds it in memory."""
    gc.disable()  # there is hardly anything to collect in modules, over and over again
    _load_rasterio()
    from uploader.convert.engine import child  # noqa: F401, PLC0415 - only here, after the rights are given up
    from uploader.convert.read.formats import open_raster  # noqa: PLC0415 - likewise

    _skip_drivers(open_raster.DRIVERS)
    open_raster.prepare()
    gc.freeze()  # or the collector would touch, and so copy, what is shared with each child
    gc.enable()


def _load_rasterio() -> None:
    """Load rasterio without what its commands and the network need, of which it wants one name each.

    They took a tenth of a zygote's start.
    """
    unneeded = {"click": ("FileError", Exception), "certifi": ("where", str)}
    for module, (name, value) in unneeded.items():
        stand_in = ModuleType(module)
        setattr(stand_in, name, value)
        sys.modules[module] = stand_in
    try:
        import rasterio  # noqa: F401, PLC0415 - see _load
    finally:
        for module in unneeded:
            del sys.modules[module]


def _versions() -> dict[str, str]:
    import rasterio  # noqa: PLC0415 - see _load

    return {"gdal": rasterio.__gdal_version__, "rasterio": rasterio.__version__}


def _arrange(to_answer: int, to_errors: int) -> None:
    """Put a child's pipes where it looks for them; its input is empty."""
    from uploader.convert.engine.child import ANSWER, ERRORS  # noqa: PLC0415 - see _load

    nothing, unused = os.pipe()  # not /dev/null, which an odd host may lack
    os.close(unused)
    # None of the three has one of these numbers already: those are our own input, outputs and answers.
    for handle, number in ((nothing, 0), (to_errors, 1), (to_errors, ERRORS), (to_answer, ANSWER)):
        os.dup2(handle, number)


def _keep_stdout() -> BinaryIO:
    """Take the answers' pipe for ourselves, and send what libraries print to the bounded error stream."""
    answers = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)
    return answers


def _say(answers: BinaryIO, ending: dict[str, Any], line: bytes, more: bytes) -> None:
    """Three lines: how the child ended, and the two that it said."""
    answers.write(b"\n".join((json.dumps(ending).encode(), line, more, b"")))


def _skip_drivers(wanted: Collection[str]) -> None:
    """Switch off all of GDAL's drivers but those that are wanted, before the first of them is registered.

    GDAL reads GDAL_SKIP when it registers its drivers, and only then tells which it has. So a process of its own,
    forked from us, does that and tells their names.
    """
    known, to_known = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.write(to_known, json.dumps(_drivers()).encode())
        finally:
            os._exit(0)
    os.close(to_known)
    with os.fdopen(known, "rb") as told:
        names = json.load(told)
    os.waitpid(child, 0)
    os.environ["GDAL_SKIP"] = ",".join(sorted(set(names) - set(wanted)))


def _drivers() -> list[str]:
    import rasterio  # noqa: PLC0415 - see _load

    with rasterio.Env() as env:  # type: ignore[no-untyped-call]
        return list(env.drivers())
