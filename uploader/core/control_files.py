"""Control files: what programs keep beside a file as long as it still arrives, and remove when it is whole.

Such a program may write the file under its final name, at its full size, in any order; so nothing but the control
file says that it is not whole. Names are bytes; nothing here assumes that they are text.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

MADE_BY: Mapping[str, tuple[tuple[bytes, bytes], ...]] = {
    "aria2 (also Motrix, uGet)": ((b"", b".aria2"), (b"", b".aria2__temp")),
    "IBM Aspera: Connect, ascp (resume_suffix)": ((b"", b".aspera-ckpt"), (b"", b".aspx")),
    "Aspera (partial_file_suffix), rclone, others": ((b"", b".partial"),),
    "lftp pget": ((b"", b".lftp-pget-status"),),
    "axel": ((b"", b".st"),),
    "Firefox, wget wrappers, KGet: the name is taken by an empty file": ((b"", b".part"), (b".", b".part")),
    "eMule, aMule": ((b"", b".part.met"),),
    "WinSCP, while it replaces a file": ((b"", b".filepart"),),
    "Chrome, Edge, Opera, Safari": ((b"", b".crdownload"), (b"", b".opdownload"), (b"", b".download")),
    "qBittorrent, uTorrent, BitComet": ((b"", b".!qB"), (b"", b".!ut"), (b"", b".bc!")),
    "Resilio Sync": ((b"", b".!sync"), (b"", b".bts")),
    "Syncthing, while it replaces a file": ((b".syncthing.", b".tmp"), (b"~syncthing~", b".tmp")),
    "gsutil, gcloud storage": ((b"", b"_.gstmp"),),
    "Internet Download Manager, Free Download Manager": ((b"", b".idm"), (b"", b".fdmdownload")),
    "FlashGet": ((b"", b".jc!"), (b"", b".fb!")),
    "Thunder": ((b"", b".td"), (b"", b".td.cfg"), (b"", b".xltd"), (b"", b".xltd.cfg")),
    "Baidu": ((b"", b".downloading"), (b"", b".baiduyun.p.downloading")),
    "DownThemAll, yt-dlp": ((b"", b".dtapart"), (b"", b".ytdl")),
}
"""By program: what it puts before and after the name of the file that arrives.

From their manuals and sources: aria2c(1), lftp(1) "pget", axel's `state` file, IBM's "resuming file transfers with
ascp", WinSCP's "transfer to temporary filename", the download code of Firefox and Chromium, gsutil's `temporary file`.
"""

_AFFIXES = tuple(affix for affixes in MADE_BY.values() for affix in affixes)
_STARTS = tuple({before for before, _ in _AFFIXES if before})
_ENDS = tuple({after for before, after in _AFFIXES if not before})
"""What the name of every control file starts or ends with: hardly a file's does, and a scan asks for each."""


def of(name: bytes) -> Iterator[bytes]:
    """Every name that a control file of this file may have."""
    for before, after in _AFFIXES:
        yield before + name + after


def owners(name: bytes) -> frozenset[bytes]:
    """The names of the files that a file of this name could be a control file of; the spelling matters."""
    if not (name.endswith(_ENDS) or name.startswith(_STARTS)):
        return frozenset()
    return frozenset(
        name[len(before) : len(name) - len(after)]
        for before, after in _AFFIXES
        if len(name) > len(before) + len(after) and name.startswith(before) and name.endswith(after)
    )
