"""Time as the bot under test lives it: faster than ours, or with its wall clock stepped (see warp.c)."""

from __future__ import annotations

import asyncio
import mmap
import struct
import time
from datetime import UTC, datetime
from email.utils import format_datetime
from pathlib import Path

SLOTS = 16
INDEX = struct.Struct("=q")
SLOT = struct.Struct("=qqqd")  # true monotonic, the bot's monotonic, the bot's wall clock (ns) at that moment; speed


class Clock:
    def __init__(self, file: Path, speed: float = 1.0) -> None:
        self.file = file
        self.speed = speed
        self._slot = 0
        self._bot_step = 0.0  # of the bot's wall clock alone
        self._wall = time.time()  # everybody's, at the last change
        self._elapsed = 0.0
        self._true = time.monotonic()
        self._start = self._true
        file.write_bytes(b"\0" * (INDEX.size + SLOTS * SLOT.size))
        with file.open("r+b") as handle:
            self._shared = mmap.mmap(handle.fileno(), 0)
        self._publish()

    def run_at(self, speed: float) -> None:
        """From now on, `speed` seconds of the bot's go by in one of ours."""
        self._rebase()
        self.speed = speed
        self._publish()

    def step_bot(self, seconds: float) -> None:
        """Sets the bot's wall clock, and nobody else's, forward or back."""
        self._rebase()
        self._bot_step += seconds
        self._publish()

    def leap(self, seconds: float) -> None:
        """That much time goes by for everybody, while the bot is dead."""
        self._rebase()
        self._wall += seconds
        self._elapsed += seconds
        self._publish()

    def set(self, when: str) -> None:
        """What time it is for everybody, before the bot is started first."""
        self._rebase()
        self._wall = datetime.fromisoformat(when).timestamp()
        self._publish()

    async def until_time(self, when: str, speed: float = 600.0, then: float = 1.0) -> None:
        """Runs fast until that moment of everybody's wall clock, then `then` times as fast as we."""
        end = datetime.fromisoformat(when).timestamp()
        if end > self.now():
            self.run_at(speed)
            while (left := end - self.now()) > 0:
                await asyncio.sleep(min(left / speed, 0.05))
        self.run_at(then)

    def now(self) -> float:
        """The wall clock of everyone but the bot."""
        return self._wall + self._since()

    def elapsed(self) -> float:
        return self._elapsed + self._since()

    async def sleep(self, seconds: float) -> None:
        end = self.elapsed() + seconds
        while (left := end - self.elapsed()) > 0:
            await asyncio.sleep(min(left / self.speed, 0.1))

    def rfc3339(self, at: float | None = None) -> str:
        return datetime.fromtimestamp(self.now() if at is None else at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

    def http_date(self) -> str:
        return format_datetime(datetime.fromtimestamp(self.now(), UTC), usegmt=True)

    def _since(self) -> float:
        return (time.monotonic() - self._true) * self.speed

    def _rebase(self) -> None:
        since, self._true = self._since(), time.monotonic()
        self._wall += since
        self._elapsed += since

    def _publish(self) -> None:
        self._slot = (self._slot + 1) % SLOTS
        nanoseconds = (int(t * 1e9) for t in (self._true, self._start + self._elapsed, self._wall + self._bot_step))
        at = INDEX.size + self._slot * SLOT.size
        self._shared[at : at + SLOT.size] = SLOT.pack(*nanoseconds, self.speed)
        self._shared[: INDEX.size] = INDEX.pack(self._slot)
