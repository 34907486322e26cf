"""Two processes, two accounts, one database; crowds; and a bot on a Droplet of its own account."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web

from world.digitalocean import ACTIVE, OFF, Outcome
from world.harness import Broken, Skipped, World, case
from world.postgres import Postgres

MINUTE = 60.0
OTHER = "dop_v1_" + "b" * 64


@asynccontextmanager
async def postgres(w: World, password: str = "secret") -> AsyncIterator[Postgres]:
    cluster = Postgres(w.folder)
    await cluster.open(password)
    try:
        w.env["DATABASE_URL"] = cluster.url()
        yield cluster
    finally:
        try:
            await cluster.stop()
        except RuntimeError:
            pass


@case("standby: PostgreSQL, the active one is killed while off: the standby brings it back within a minute", limit=120)
async def takeover(w: World) -> str:
    async with postgres(w):
        w.digitalocean.usual["snapshot"] = Outcome(takes=3)
        droplet = await w.take()
        standby = await w.spawn()
        await w.goes_off(droplet)
        await w.kill()
        killed = w.clock.elapsed()
        await w.good_take(droplet, 70)
        w.expect(standby.returncode is None, "the standby ended")
        return f"on {w.clock.elapsed() - killed:.0f}s after the kill; IDENTIFYs: {w.discord.identified}"


@case(
    "standby: PostgreSQL, the active one is frozen while off, a standby takes over, then it thaws: exactly one",
    limit=150,
)
async def thaw(w: World) -> str:
    async with postgres(w):
        w.digitalocean.usual["snapshot"] = Outcome(takes=3)
        droplet = await w.take()
        await w.spawn()
        await w.until(lambda: w.digitalocean.posts("shutdown"), 10, "shutdown")
        assert w.process is not None
        w.process.send_signal(signal.SIGSTOP)
        await w.back_on_after_off(droplet, 70)
        w.process.send_signal(signal.SIGCONT)
        await w.clock.sleep(5)
        await w.good_take(droplet, 60)
        return f"IDENTIFYs: {w.discord.identified}"


@case("account: two accounts on one PostgreSQL: the second process does nothing to what the first owes", limit=200)
async def two_accounts(w: World) -> str:
    async with postgres(w):
        w.digitalocean.strangers_tokens[OTHER] = "99999999-2222-4333-8444-555555555555"
        w.digitalocean.usual["snapshot"] = Outcome(takes=4)
        droplets = [w.digitalocean.add_droplet(f"web-{n}") for n in range(6)]
        await w.start()
        for droplet in droplets:
            await w.discord.command(w.ada, "take", droplet=droplet.name)
        await w.goes_off(droplets[0])
        second = await w.spawn(DIGITALOCEAN_TOKEN=OTHER)
        await w.announced(60, count=6)
        w.expect(
            all(d.status == ACTIVE for d in droplets), f"left off: {[d.name for d in droplets if d.status == OFF]}"
        )
        lied = [m.text[:100] for m in w.discord.messages if "exist" in m.text]
        w.expect(not lied, f"said {lied[:1]}")
        w.expect(all(len(w.ours(d)) == 1 for d in droplets), "not one Snapshot each")
        return f"the second: {'exit ' + str(second.returncode) if second.returncode is not None else 'stays'}"


@case("account: the same, and the first is killed while all are off, for 2 minutes", limit=250)
async def two_accounts_killed(w: World) -> str:
    async with postgres(w):
        w.digitalocean.strangers_tokens[OTHER] = "99999999-2222-4333-8444-555555555555"
        w.digitalocean.usual["snapshot"] = Outcome(takes=6)
        droplets = [w.digitalocean.add_droplet(f"web-{n}") for n in range(6)]
        await w.start()
        for droplet in droplets:
            await w.discord.command(w.ada, "take", droplet=droplet.name)
        second = await w.spawn(DIGITALOCEAN_TOKEN=OTHER)
        await w.until(lambda: all(d.status == OFF for d in droplets), 30, "all off")
        await w.kill()
        w.clock.run_at(3)
        await w.clock.sleep(2 * MINUTE)
        w.clock.run_at(1)
        await w.start(ready=False)
        await w.until(
            lambda: all(d.status == ACTIVE for d in droplets),
            90,
            f"all back on with the right token; off: {sum(d.status == OFF for d in droplets)}",
        )
        lied = [m.text[:120] for m in w.discord.messages if "exist" in m.text]
        w.expect(not lied, f"said {lied[:1]}")
        return f"the second: {'exit ' + str(second.returncode) if second.returncode is not None else 'stays'}"


@case("account: a second process with a refused token beside a healthy one that works", limit=120)
async def refused_second(w: World) -> str:
    async with postgres(w):
        w.digitalocean.usual["snapshot"] = Outcome(takes=5)
        droplet = await w.take_until_off()
        second = await w.spawn(DIGITALOCEAN_TOKEN="dop_v1_" + "c" * 64)
        await w.good_take(droplet, 60)
        w.expect(not w.calls_for_people(), f"people were pinged: {[m.text[:80] for m in w.calls_for_people()]}")
        return f"the second: {'exit ' + str(second.returncode) if second.returncode is not None else 'stays'}"


@case("database: PostgreSQL is away for 3 minutes while off", limit=150)
async def database_away(w: World) -> str:
    async with postgres(w) as cluster:
        w.digitalocean.usual["snapshot"] = Outcome(takes=3)
        droplet = await w.take_until_off()
        await cluster.stop()
        w.clock.run_at(5)
        await w.clock.sleep(3 * MINUTE)
        meanwhile = droplet.status
        w.clock.run_at(1)
        await cluster.start()
        await w.good_take(droplet, 90)
        return f"while it was away: {meanwhile}"


@case("database: a PostgreSQL password with @ # / unescaped: no piece of it is shown or looked up", limit=60)
async def odd_password(w: World) -> str:
    code, out = await w.check("check", DATABASE_URL="postgres://bot:p4ss@w0rd#hunter/two@127.0.0.1:1/bot")
    code2, out2 = await w.check("run", DATABASE_URL="postgres://bot:p4ss@w0rd#hunter/two@127.0.0.1:1/bot")
    leaks = [piece for piece in ("w0rd", "hunter", "p4ss") if piece in out + out2]
    w.expect(not leaks, f"shows {leaks}: {(out + out2)[-300:]!r}")
    w.expect("lookup" not in out + out2, f"a piece of the password was looked up as a host: {out2.strip()[-160:]!r}")
    return f"exit {code}, {code2}: {out2.strip()[-160:]!r}"


@case("database: the same password, percent-encoded, works", limit=90)
async def encoded_password(w: World) -> None:
    async with postgres(w, "p@ss#w/rd") as cluster:
        w.env["DATABASE_URL"] = cluster.url("p%40ss%23w%2Frd")
        droplet = await w.take()
        await w.good_take(droplet, 40)


@case("files: SQLite through a symlink: the second process is refused", limit=60)
async def symlink(w: World) -> str:
    await w.start()
    (w.folder / "link.db").symlink_to(w.folder / "bot.db")
    second = await w.spawn(DATABASE_URL=f"sqlite://{w.folder}/link.db")
    try:
        code = await asyncio.wait_for(second.wait(), 8)
    except TimeoutError:
        raise Broken(f"two are active on one database; IDENTIFYs: {w.discord.identified}") from None
    return f"exit {code}"


@case("files: SQLite through a hard link: the second process is refused", limit=60)
async def hard_link(w: World) -> str:
    await w.start()
    os.link(w.folder / "bot.db", w.folder / "hard.db")
    second = await w.spawn(DATABASE_URL=f"sqlite://{w.folder}/hard.db")
    try:
        code = await asyncio.wait_for(second.wait(), 8)
    except TimeoutError:
        raise Broken(f"two are active on one database; IDENTIFYs: {w.discord.identified}") from None
    return f"exit {code}"


@case("files: database files are not readable by others (umask 022)", limit=30)
async def modes(w: World) -> None:
    await w.start()
    bad = [f"{p.name} {oct(p.stat().st_mode & 0o777)}" for p in w.folder.glob("bot.db*") if p.stat().st_mode & 0o077]
    w.expect(not bad, str(bad))


@case("files: tokens are in no log, at trace level", limit=60, RUST_LOG="trace")
async def tokens(w: World) -> None:
    from world.harness import DIGITALOCEAN_TOKEN, DISCORD_TOKEN

    droplet = await w.take()
    await w.good_take(droplet)
    w.expect(DIGITALOCEAN_TOKEN not in w.log() and DISCORD_TOKEN not in w.log(), "a token stands in the log")


async def crowd(w: World, count: int, minutes: float, hourly: int, late: bool) -> str:
    w.digitalocean.hourly_limit, w.digitalocean.minute_limit = hourly, hourly // 20
    w.digitalocean.usual["snapshot"] = Outcome(takes=minutes * MINUTE)
    w.digitalocean.usual["shutdown"] = Outcome(takes=4, works=not late)
    w.digitalocean.usual["power_on"] = Outcome(takes=4)
    droplets = [w.digitalocean.add_droplet(f"web-{n}") for n in range(count)]
    await w.start()
    w.clock.run_at(2)
    for droplet in droplets:
        await w.discord.command(w.ada, "take", droplet=str(droplet.id), if_hung="live" if late else "ask")
    w.clock.run_at(10)
    w.discord.calls.clear()
    await w.announced(120 * MINUTE, count=count)
    await w.until(lambda: all(d.status == ACTIVE for d in droplets), 2 * MINUTE, "all on")
    waits = []
    for droplet in droplets:
        ended = next(
            (a.completed for a in w.digitalocean.actions.values() if a.droplet == droplet.id and a.type == "snapshot"),
            None,
        )
        ons = [at for at, s in droplet.downtime[1:] if s == ACTIVE]
        if ended and ons:
            waits.append(ons[-1] - (ended - w.clock.now() + w.clock.elapsed()))
    seen = (
        f"on at most {max(waits, default=0):.0f}s after its Snapshot's end (median {sorted(waits)[len(waits) // 2] if waits else 0:.0f}s); "
        f"{len(w.digitalocean.calls) / count:.2f} requests each, {w.digitalocean.throttled} refused; {w.clock.elapsed() / 60:.0f} min in all"
    )
    w.expect(max(waits, default=0) <= 65, seen)
    return seen


@case(
    "crowd: 200 takes of 5 minutes at 1,000 requests an hour",
    limit=900,
    POLL_INTERVAL="5s",
    SETTLE_TIME="30s",
    SHUTDOWN_TIMEOUT="2m",
    RUST_LOG="warn",
)
async def crowd_200(w: World) -> str:
    return await crowd(w, 200, 5, 1000, late=False)


@case(
    "crowd: 40 takes with if-hung: live and ignored shutdowns, and one ordinary take beside them",
    limit=600,
    POLL_INTERVAL="5s",
    SETTLE_TIME="30s",
    SHUTDOWN_TIMEOUT="30s",
    RUST_LOG="warn",
)
async def crowd_late(w: World) -> str:
    w.digitalocean.hourly_limit, w.digitalocean.minute_limit = 1600, 80
    w.digitalocean.usual["snapshot"] = Outcome(takes=60)
    w.digitalocean.usual["shutdown"] = Outcome(takes=4, works=False)
    hung = [w.digitalocean.add_droplet(f"hung-{n}") for n in range(40)]
    web_1 = w.digitalocean.add_droplet("web-1")
    await w.start()
    for droplet in hung:
        await w.discord.command(w.ada, "take", droplet=droplet.name, if_hung="live")
    w.clock.run_at(10)
    await w.announced(30 * MINUTE, count=40)
    w.digitalocean.usual["shutdown"] = Outcome(takes=4)
    before = len(w.digitalocean.calls)
    asked = w.clock.elapsed()
    w.clock.run_at(2)
    await w.discord.command(w.ada, "take", droplet="web-1")
    w.clock.run_at(10)
    await w.announced(20 * MINUTE, count=41)
    off = await w.back_on(web_1, 5)
    took = w.clock.elapsed() - asked
    rate = (len(w.digitalocean.calls) - before) / took * 60
    w.expect(off <= 60 + 65, f"web-1 was off for {off:.0f}s with a Snapshot of 60 s")
    w.expect(rate <= 80, f"{rate:.0f} requests a minute")
    return f"web-1 off for {off:.0f}s; {rate:.0f} requests a minute"


@case("own droplet: the bot runs on web-1 (metadata service) and is asked to take it", limit=60)
async def itself(w: World) -> str:
    droplet = w.digitalocean.add_droplet("web-1")

    async def metadata(request: web.Request) -> web.Response:
        if request.path.endswith("/id"):
            return web.Response(text=str(droplet.id))
        if request.path.endswith("v1.json"):
            return web.json_response({"droplet_id": droplet.id, "hostname": "web-1"})
        return web.Response(status=404)

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", metadata)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, "169.254.169.254", 80).start()
    except OSError:
        raise Skipped("run with --metadata, in a network namespace of its own") from None
    try:
        await w.start()
        reply = await w.discord.command(w.ada, "take", droplet="web-1")
        await w.clock.sleep(5)
        w.expect(not w.digitalocean.posts("shutdown"), "it shut down its own Droplet")
        w.expect("web-1" in reply.text, f"said {reply.text[:200]!r}")
        code, out = await w.check("check")
        return f"{reply.text[:120]!r}; check says so: {'itself' in out or 'runs on' in out or 'own Droplet' in out} (exit {code})"
    finally:
        await runner.cleanup()
