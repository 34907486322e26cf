"""A PostgreSQL cluster of a case's own."""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import tempfile
from pathlib import Path


class Postgres:
    def __init__(self, folder: Path) -> None:
        self.folder = folder / "postgres"
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]

    def url(self, password: str = "secret") -> str:
        return f"postgres://bot:{password}@127.0.0.1:{self.port}/bot"

    async def open(self, password: str = "secret") -> None:
        self.folder.mkdir()
        if os.getuid() == 0:
            shutil.chown(self.folder, "postgres")
            for parent in self.folder.parents:
                if Path(tempfile.gettempdir()) in parent.parents:
                    parent.chmod(parent.stat().st_mode | 0o011)
        await self._run("initdb", "-D", str(self.folder / "data"), "-A", "trust", "-U", "postgres", "--no-sync")
        hba = self.folder / "data" / "pg_hba.conf"
        hba.write_text(
            "local all postgres trust\nhost all postgres 127.0.0.1/32 trust\nhost all all 127.0.0.1/32 scram-sha-256\n"
        )
        await self.start()
        quoted = password.replace("'", "''")
        await self._psql(f"create role bot login password '{quoted}'")
        await self._psql("create database bot owner bot")

    async def start(self) -> None:
        options = (
            f"-p {self.port} -c unix_socket_directories= -c listen_addresses=127.0.0.1 "
            "-c fsync=off -c max_connections=40 -c shared_buffers=16MB"
        )
        await self._run(
            "pg_ctl", "-D", str(self.folder / "data"), "-w", "-l", str(self.folder / "log"), "-o", options, "start"
        )

    async def stop(self) -> None:
        await self._run("pg_ctl", "-D", str(self.folder / "data"), "-m", "immediate", "stop")

    async def _psql(self, statement: str) -> None:
        await self._run("psql", "-h", "127.0.0.1", "-p", str(self.port), "-U", "postgres", "-c", statement, "postgres")

    async def _run(self, *command: str) -> None:
        as_postgres = ("setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups") if os.getuid() == 0 else ()
        process = await asyncio.create_subprocess_exec(
            *as_postgres, *command, cwd="/", stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE
        )
        assert process.stderr is not None
        error = await process.stderr.read() if command[0] != "pg_ctl" else b""
        if await process.wait():
            raise RuntimeError(f"{command[0]} failed: {error.decode(errors='replace')[-300:]}")
