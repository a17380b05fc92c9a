"""A time for each of some files, of which the earliest comes first: when to look at it, since when it is quiet."""

from __future__ import annotations

import heapq


class FileTimes:
    """Monotonic seconds by the files' ids, one at most for each."""

    def __init__(self) -> None:
        self._times: dict[int, float] = {}
        self._heap: list[tuple[float, int]] = []

    def __len__(self) -> int:
        return len(self._times)

    def set(self, file_id: int, time: float | None) -> None:
        """Give a file this time instead of the one it had; None: it has none from now on."""
        if time == self._times.get(file_id):
            return
        if time is None:
            del self._times[file_id]
        else:
            self._times[file_id] = time
            heapq.heappush(self._heap, (time, file_id))
        if len(self._heap) > 2 * len(self._times) + 1000:
            self._heap = [(time, file_id) for file_id, time in self._times.items()]
            heapq.heapify(self._heap)

    def first(self) -> float | None:
        """The earliest time; None where no file has one."""
        while self._heap:
            time, file_id = self._heap[0]
            if self._times.get(file_id) == time:
                return time
            heapq.heappop(self._heap)
        return None

    def pop(self, now: float) -> int | None:
        """The file whose time is the earliest, if it has come. It has none from then on."""
        time = self.first()
        if time is None or time > now:
            return None
        file_id = heapq.heappop(self._heap)[1]
        del self._times[file_id]
        return file_id
