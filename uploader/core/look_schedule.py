"""When which file is looked at next: each has one time at most, and the earliest comes first."""

from __future__ import annotations

import heapq


class LookSchedule:
    """The planned looks of one folder, by the files' ids; times are monotonic seconds."""

    def __init__(self) -> None:
        self._due: dict[int, float] = {}
        self._heap: list[tuple[float, int]] = []

    def __len__(self) -> int:
        return len(self._due)

    def plan(self, file_id: int, due: float | None) -> None:
        """Look at a file then, whatever was planned; None: not at all until it is planned again."""
        if due == self._due.get(file_id):
            return
        if due is None:
            del self._due[file_id]
        else:
            self._due[file_id] = due
            heapq.heappush(self._heap, (due, file_id))
        if len(self._heap) > 2 * len(self._due) + 1000:
            self._heap = [(due, file_id) for file_id, due in self._due.items()]
            heapq.heapify(self._heap)

    def next(self) -> float | None:
        """When the first look is due; None where none is planned."""
        while self._heap:
            due, file_id = self._heap[0]
            if self._due.get(file_id) == due:
                return due
            heapq.heappop(self._heap)
        return None

    def pop(self, now: float) -> int | None:
        """The file that is longest due, which is handed out once; None where none is due."""
        due = self.next()
        if due is None or due > now:
            return None
        file_id = heapq.heappop(self._heap)[1]
        del self._due[file_id]
        return file_id
