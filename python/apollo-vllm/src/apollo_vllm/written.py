"""Which of this process's pages were ever written. A page that was not is zero and costs nothing, as long as nobody reads it."""

from __future__ import annotations

import mmap
import re
from pathlib import Path
from typing import Iterator

_PAGE = mmap.PAGESIZE

# /proc/PID/pagemap: eight bytes a page, the two highest bits say "in memory" and "swapped out".
_ENTRY = 8
_PRESENT = re.compile(rb"[\x40-\xff]+")

# /proc/PID/maps: a private mapping of no file (inode 0).
_ANONYMOUS = re.compile(r"^([0-9a-f]+)-([0-9a-f]+) ...p [0-9a-f]+ \S+ 0\s", re.MULTILINE)


class WrittenPages:
    """A look at the memory as it is now. Where the system does not show it, everything counts as written."""

    def __init__(self) -> None:
        try:
            maps = Path("/proc/self/maps").read_text()
        except OSError:
            maps = ""
        # Only there does an absent page hold zeros: elsewhere it holds what a file does.
        self._anonymous = [(int(begin, 16), int(end, 16)) for begin, end in _ANONYMOUS.findall(maps)]

    def of(self, address: int, size: int) -> Iterator[tuple[int, int]]:
        """Runs of written bytes in [address, address + size), as begin and end from `address`."""
        first, last = address // _PAGE, (address + size - 1) // _PAGE
        for run in _PRESENT.finditer(self._entries(address, size, first, last)):
            begin, end = (first + run.start()) * _PAGE, (first + run.end()) * _PAGE
            yield max(begin - address, 0), min(end - address, size)

    def _entries(self, address: int, size: int, first: int, last: int) -> bytes:
        """The highest byte of every page's entry."""
        count = last - first + 1
        if any(begin <= address and address + size <= end for begin, end in self._anonymous):
            try:
                with open("/proc/self/pagemap", "rb", buffering=0) as file:
                    file.seek(first * _ENTRY)
                    entries = file.read(count * _ENTRY)
                if len(entries) == count * _ENTRY:
                    return entries[_ENTRY - 1 :: _ENTRY]
            except OSError:
                pass
        return b"\xff" * count
