"""A way to PostgreSQL that can fall silent, or lose the answer to a COMMIT."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass


@dataclass
class Line:
    """One connection, and what becomes of what it carries."""

    client: asyncio.StreamWriter
    server: asyncio.StreamWriter
    is_silent: bool = False
    loses_answer: bool = False


class SilentLine:
    """Listens on a port of its own and passes everything on, until it is told otherwise."""

    def __init__(self, target: int) -> None:
        self.target, self.port = target, 0
        self.lines: list[Line] = []
        self.commits = 0
        self.lose_commit: int | None = None
        self.lose_every_commit = False
        self.tasks: set[asyncio.Task[None]] = set()

    async def open(self) -> None:
        self.server = await asyncio.start_server(self.serve, "127.0.0.1", 0)
        self.port = self.server.sockets[0].getsockname()[1]

    def fall_silent(self) -> int:
        """Nothing more comes through the connections that there are, and none of them closes. New ones are well."""
        for line in self.lines:
            line.is_silent = True
        return len(self.lines)

    async def serve(self, from_client: asyncio.StreamReader, client: asyncio.StreamWriter) -> None:
        from_server, server = await asyncio.open_connection("127.0.0.1", self.target)
        line = Line(client, server)
        self.lines.append(line)
        up = asyncio.ensure_future(self.pass_on(line, from_client, server, is_up=True))
        down = asyncio.ensure_future(self.pass_on(line, from_server, client, is_up=False))
        try:
            await asyncio.wait((up, down), return_when=asyncio.FIRST_COMPLETED)
            if line.is_silent:
                await asyncio.wait((up, down))
        finally:
            up.cancel()
            down.cancel()
            client.transport.abort()
            server.transport.abort()
            self.lines.remove(line)

    async def pass_on(
        self, line: Line, source: asyncio.StreamReader, target: asyncio.StreamWriter, *, is_up: bool
    ) -> None:
        try:
            while data := await source.read(65536):
                if line.is_silent:
                    continue
                if is_up and b"COMMIT" in data:
                    self.commits += 1
                    line.loses_answer |= self.lose_every_commit or self.lose_commit == self.commits
                if not is_up and line.loses_answer:
                    return
                target.write(data)
        except ConnectionError:
            return
