"""Starts the bot's real binary between the two simulated vendors, and says what a case saw."""

from __future__ import annotations

import asyncio
import base64
import os
import re
import shutil
import signal
import ssl
import subprocess
from collections.abc import Callable, Coroutine
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from .clock import Clock
from .digitalocean import ACTIVE, OFF, DigitalOcean, Droplet, Snapshot
from .discord import ADMINISTRATOR, Discord, Message, Person, Reply, buttons_of, text_of

APPLICATION, GUILD = "100000000000000001", "100000000000000002"
DISCORD_TOKEN = base64.b64encode(APPLICATION.encode()).decode().rstrip("=") + ".GabcdE." + "x" * 38
DIGITALOCEAN_TOKEN = "dop_v1_" + "a" * 64
TAKE_ROLE, RESTORE_ROLE, VIEW_ROLE = "400000000000000001", "400000000000000002", "400000000000000003"


class Broken(Exception):
    """The bot broke a promise."""


class Skipped(Exception):
    """This machine lacks what the case needs."""


class Certificates:
    """A root of our own and discord.com's certificate under it."""

    def __init__(self, folder: Path) -> None:
        now = datetime.now(UTC)
        root_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
        root_name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Foreign Root")])

        def builder(name: x509.Name, public: Any) -> x509.CertificateBuilder:
            return (
                x509.CertificateBuilder()
                .subject_name(name)
                .issuer_name(root_name)
                .public_key(public)
                .serial_number(x509.random_serial_number())
                .not_valid_before(now - timedelta(days=3650))
                .not_valid_after(now + timedelta(days=3650))
            )

        root = (
            builder(root_name, root_key.public_key())
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .sign(root_key, hashes.SHA256())
        )
        leaf_name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "discord.com")])
        leaf = (
            builder(leaf_name, key.public_key())
            .add_extension(x509.SubjectAlternativeName([x509.DNSName("discord.com")]), critical=False)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .sign(root_key, hashes.SHA256())
        )
        self.root, self.chain = folder / "root.pem", folder / "discord.pem"
        self.root.write_bytes(root.public_bytes(serialization.Encoding.PEM))
        self.chain.write_bytes(
            leaf.public_bytes(serialization.Encoding.PEM)
            + key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )

    def context(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.chain)
        return context


Play = Callable[["World"], Coroutine[Any, Any, str | None]]


class Shared:
    """What every case uses: the bot's program, the library that bends its clock, and the certificates it must trust."""

    def __init__(self, binary: Path, folder: Path) -> None:
        self.binary = binary
        self.warp = folder / "warp.so"
        source = Path(__file__).with_name("warp.c")
        subprocess.run(["cc", "-shared", "-fPIC", "-O2", "-o", self.warp, source, "-ldl"], check=True)
        self.certificates = Certificates(folder)


@dataclass
class Case:
    name: str
    run: Play
    env: dict[str, str] = field(default_factory=dict)
    limit: float = 120.0  # our seconds
    quick: bool = False  # done within some five seconds, on a busy machine too


CASES: list[Case] = []


def case(
    name: str, *, limit: float = 120.0, quick: bool = False, env: dict[str, str] | None = None, **variables: str
) -> Callable[[Play], Play]:
    """Registers a case; `variables` and `env` are what the bot's environment has in addition."""

    def register(run: Play) -> Play:
        CASES.append(Case(name, run, {**(env or {}), **variables}, limit, quick))
        return run

    return register


class World:
    """One case's own little universe."""

    def __init__(self, shared: Shared, folder: Path, env: dict[str, str]) -> None:
        self.shared, self.folder, self.env = shared, folder, env
        self.clock = Clock(folder / "clock")
        self.digitalocean = DigitalOcean(self.clock, DIGITALOCEAN_TOKEN)
        self.discord = Discord(self.clock, APPLICATION, DISCORD_TOKEN, GUILD)
        self.ada = self.discord.person("ada", permissions=ADMINISTRATOR)
        self.process: asyncio.subprocess.Process | None = None
        self.starts = 0
        self._processes: list[asyncio.subprocess.Process] = []
        self._runners: list[web.AppRunner] = []
        self._ports: dict[str, int] = {}

    # -- life -----------------------------------------------------------------------------------

    async def open(self) -> None:
        context = self.shared.certificates.context()
        self._ports["do"] = await self._serve(self.digitalocean.handle, None)
        self._ports["rest"] = await self._serve(self.discord.handle, context)
        self._ports["gateway"] = await self._serve(self.discord.gateway, None)
        self.discord.gateway_url = f"ws://127.0.0.1:{self._ports['gateway']}"

    async def _serve(self, handler: Any, tls: ssl.SSLContext | None) -> int:
        app = web.Application(client_max_size=1 << 24)
        app.router.add_route("*", "/{path:.*}", handler)

        async def undate(_request: web.Request, response: web.StreamResponse) -> None:
            if not self.digitalocean.is_dated:
                response.headers.pop("Date", None)

        app.on_response_prepare.append(undate)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls)
        await site.start()
        self._runners.append(runner)
        return int(runner.addresses[0][1])

    async def close(self) -> None:
        for process in self._processes:
            if process.returncode is None:
                process.kill()
                await process.wait()
        self.digitalocean.close()
        for runner in self._runners:
            await runner.cleanup()

    def environment(self, **changed: str) -> dict[str, str]:
        base = {
            "PATH": os.environ["PATH"],
            "DISCORD_TOKEN": DISCORD_TOKEN,
            "DISCORD_GUILD_ID": GUILD,
            "DIGITALOCEAN_TOKEN": DIGITALOCEAN_TOKEN,
            "DIGITALOCEAN_API_URL": f"http://127.0.0.1:{self._ports['do']}",
            "DISCORD_CONNECT_TO": f"127.0.0.1:{self._ports['rest']}",
            "EXTRA_CA_FILE": str(self.shared.certificates.root),
            "DATABASE_URL": f"sqlite://{self.folder}/bot.db",
            "TAKE_ROLES": TAKE_ROLE,
            "RESTORE_ROLES": RESTORE_ROLE,
            "VIEW_ROLES": VIEW_ROLE,
            "POLL_INTERVAL": "200ms",
            # One person speaks for whole crowds here.
            "OPERATIONS_PER_PERSON": "10000",
            "INTERACTIONS_PER_PERSON": "10000",
            "SHUTDOWN_TIMEOUT": "3s",
            "DECISION_TIMEOUT": "4s",
            "SETTLE_TIME": "1s",
            "RUST_LOG": "info",
            "WARP_FILE": str(self.clock.file),
            "LD_PRELOAD": str(self.shared.warp),
            "RUST_BACKTRACE": "1",
        }
        return {**base, **self.env, **changed}

    async def spawn(self, **changed: str) -> asyncio.subprocess.Process:
        """One more process of the bot."""
        self.starts += 1
        with (self.folder / f"bot-{self.starts}.log").open("wb") as log:
            process = await asyncio.create_subprocess_exec(
                str(self.shared.binary),
                env=self.environment(**changed),
                cwd=self.folder,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self._processes.append(process)
        return process

    async def start(self, ready: bool = True, **changed: str) -> None:
        self.discord.ready.clear()
        self.process = await self.spawn(**changed)
        if ready:
            end = asyncio.get_running_loop().time() + 30
            while not self.discord.ready.is_set():
                if self.process.returncode is not None or asyncio.get_running_loop().time() > end:
                    raise Broken(f"the bot did not start (exit {self.process.returncode}): {self.log()[-300:]}")
                await asyncio.sleep(0.02)
            await self.until(lambda: bool(self.discord.commands), 30, "commands registered")

    async def kill(self, how: signal.Signals = signal.SIGKILL) -> int | None:
        if self.process is not None and self.process.returncode is None:
            self.process.send_signal(how)
            await self.process.wait()
        return self.process.returncode if self.process else None

    def kill_now(self) -> None:
        if self.process is not None and self.process.returncode is None:
            self.process.send_signal(signal.SIGKILL)

    def log(self) -> str:
        return "".join(path.read_text(errors="replace") for path in sorted(self.folder.glob("bot-*.log")))

    async def check(self, *arguments: str, **changed: str) -> tuple[int, str]:
        process = await asyncio.create_subprocess_exec(
            str(self.shared.binary),
            *arguments,
            env=self.environment(**changed),
            cwd=self.folder,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        out, _ = await asyncio.wait_for(process.communicate(), 60)
        return process.returncode or 0, out.decode(errors="replace")

    # -- beginnings -----------------------------------------------------------------------------

    async def take(self, **options: Any) -> Droplet:
        """A take of `web-1`, accepted."""
        droplet = self.digitalocean.add_droplet("web-1")
        await self.start()
        reply = await self.discord.command(self.ada, "take", droplet="web-1", **options)
        self.expect(reply.kind is not None, "no answer to the command")
        return droplet

    async def take_until_off(self, **options: Any) -> Droplet:
        droplet = await self.take(**options)
        await self.goes_off(droplet)
        return droplet

    async def restore_asked(self, droplet: Droplet, **options: Any) -> tuple[Snapshot, Reply]:
        """A restore of `web-1` to `old-one`, up to the question."""
        old = next(
            (s for s in self.digitalocean.snapshots.values() if s.name == "old-one"), None
        ) or self.digitalocean.add_snapshot(droplet, "old-one")
        if self.process is None:
            await self.start()
        value = await self.choice(self.ada, "restore", "snapshot", "old-one", droplet=droplet.name)
        question = await self.discord.command(self.ada, "restore", droplet=droplet.name, snapshot=value, **options)
        return old, question

    async def pressed(self, label: str, person: Person | None = None) -> Reply:
        """Presses the newest button like `label` in any channel."""
        message = self.asked(label)
        if message is None:
            raise Broken(f"no button like {label!r} anywhere")
        return await self.discord.press(person or self.ada, message, label)

    # -- seeing ---------------------------------------------------------------------------------

    async def until(self, seen: Callable[[], object], within: float, what: str) -> None:
        """Waits `within` seconds of the bot's time."""
        end = self.clock.elapsed() + within
        while not seen():
            if self.clock.elapsed() > end:
                raise Broken(f"not within {within:g}s: {what}")
            await asyncio.sleep(0.03)

    def asked(self, label: str) -> Message | None:
        """The newest message with a button like `label` that can be pressed."""

        def has(message: Message) -> bool:
            return any(
                re.search(label, b.get("label") or "", re.IGNORECASE) and not b.get("disabled") for b in message.buttons
            )

        return next((m for m in reversed(self.discord.live()) if has(m)), None)

    def expect(self, condition: object, what: str) -> None:
        if not condition:
            raise Broken(what)

    def announcements(self, person: Person | None = None) -> list[Message]:
        """New messages that mention who asked and close an operation."""
        return [m for m in self.discord.pings(person or self.ada) if (m.nonce or "").rsplit("-", 1)[-1].startswith("a")]

    def calls_for_people(self, person: Person | None = None) -> list[Message]:
        """New messages that mention somebody and are no announcement: questions, and calls for help."""
        return [m for m in self.discord.pings(person or self.ada) if m not in self.announcements(person)]

    async def announced(self, within: float = 30.0, count: int = 1, person: Person | None = None) -> Message:
        await self.until(lambda: len(self.announcements(person)) >= count, within, f"announcement {count}")
        return self.announcements(person)[count - 1]

    def ours(self, droplet: Droplet, known: AbstractSet[int] = frozenset()) -> list[Snapshot]:
        return [s for s in self.digitalocean.snapshots.values() if s.droplet == droplet.id and s.id not in known]

    async def back_on(self, droplet: Droplet, within: float) -> float:
        """Waits for the Droplet; gives how long it was off."""
        await self.until(lambda: droplet.status == ACTIVE, within, f"{droplet.name} back on")
        spans, since = 0.0, None
        for at, status in droplet.downtime:
            if status == OFF:
                since = at
            elif since is not None:
                spans, since = spans + at - since, None
        return spans

    async def back_on_after_off(self, droplet: Droplet, within: float) -> None:
        await self.goes_off(droplet, within)
        await self.back_on(droplet, within)

    async def goes_off(self, droplet: Droplet, within: float = 20.0) -> None:
        await self.until(lambda: droplet.status == OFF, within, f"{droplet.name} off")

    async def good_take(self, droplet: Droplet, within: float = 30.0, snapshots: int = 1) -> Message:
        """The one right ending of an ordinary take."""
        said = await self.announced(within)
        await self.back_on(droplet, within)
        taken = self.ours(droplet)
        self.expect(len(taken) == snapshots, f"{len(taken)} Snapshots: {[s.name for s in taken]}")
        self.expect(all(s.taken == OFF for s in taken), f"Snapshot taken while {taken[0].taken}")
        await self.clock.sleep(0.5)
        self.expect(len(self.announcements()) == 1, f"{len(self.announcements())} announcements")
        self.expect(
            "✅" in said.text or "ready" in said.text.lower() or "done" in said.text.lower(),
            f"announcement says {said.text[:160]!r}",
        )
        return said

    async def choice(self, person: Person, name: str, focus: str, like: str, /, **options: Any) -> str:
        """The value of the suggestion whose label contains `like`."""
        reply = await self.discord.complete(person, name, focus, **{**options, focus: ""})
        found = [c["value"] for c in reply.choices if like in c["name"]]
        if not found:
            raise Broken(f"no suggestion like {like!r} among {[c['name'] for c in reply.choices]}")
        return found[0]

    def write_calls(self) -> None:
        """Every call to both vendors, in order, into `calls.log`."""
        calls = sorted([*self.digitalocean.calls, *self.discord.calls], key=lambda c: c.at)
        (self.folder / "calls.log").write_text("".join(f"{call}\n" for call in calls))


@dataclass
class Result:
    case: Case
    verdict: str  # PASS, FAIL (a promise was broken), WORLD (this harness failed)
    seen: str
    seconds: float
    folder: Path


def all_that_people_saw(discord: Discord) -> list[str]:
    said = []
    for m in discord.messages:
        deleted = " DELETED" if m.deleted else ""
        for at, body in m.versions[:-1][-40:]:
            said.append(f"    <{at:.2f}s> {text_of(body)}\n      buttons: {[b.get('label') for b in buttons_of(body)]}")
        said.append(
            f"[{m.at:.2f}s #{m.channel[-1]} nonce={m.nonce} edits={len(m.edits)}{deleted}] {m.text}\n  buttons: {labels(m)}"
        )
    for r in discord.replies.values():
        choices = [c["name"] for c in r.choices][:6]
        said.append(f"(reply {r.sent_at:.2f}s kind={r.kind} to {r.person.name}) {r.text} {choices} {labels(r)}")
    return said


def labels(where: Message | Reply) -> list[str | None]:
    return [button.get("label") for button in where.buttons]


async def play(chosen: Case, shared: Shared, base: Path) -> Result:
    folder = base / "".join(c if c.isalnum() else "-" for c in chosen.name)[:70]
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    world = World(shared, folder, dict(chosen.env))
    loop = asyncio.get_running_loop()
    began = loop.time()
    verdict, seen = "PASS", ""
    try:
        await world.open()
        told: str | None = await asyncio.wait_for(chosen.run(world), chosen.limit)
        seen = told or ""
        world.expect(not world.discord.over_limits, f"over Discord's limits: {world.discord.over_limits[:4]}")
    except Skipped as skipped:
        verdict, seen = "SKIP", str(skipped)
    except Broken as broken:
        verdict, seen = "FAIL", str(broken)
    except TimeoutError:
        verdict, seen = "WORLD", f"took more than {chosen.limit:g}s"
    except Exception as error:  # noqa: BLE001 (whatever a case does wrong must not be blamed on the bot)
        verdict, seen = "WORLD", f"{type(error).__name__}: {error}"
    finally:
        world.write_calls()
        (folder / "messages.log").write_text("\n\n".join(all_that_people_saw(world.discord)) + "\n")
        if verdict in ("FAIL", "WORLD"):
            states = ", ".join([f"{d.name} {d.status}" for d in world.digitalocean.droplets.values()][:4])
            seen += (
                f" [{states}; {len(world.digitalocean.snapshots)} Snapshots; {len(world.announcements())} announcements, "
                f"{len(world.calls_for_people())} calls for people]"
            )
        strange = sorted(set(world.digitalocean.unknown + world.discord.unknown))
        if strange:
            seen += f" [this world lacks: {', '.join(strange)[:200]}]"
        await world.close()
    return Result(chosen, verdict, seen, loop.time() - began, folder)
