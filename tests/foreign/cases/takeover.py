"""Connections that fall silent, clocks that differ, tokens that are refused, a lease that somebody edits: who looks after a Droplet that is off."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from cases.several import postgres
from world.clock import Clock
from world.digitalocean import ACTIVE, OFF, Outcome
from world.harness import World, case
from world.http import Call, answering, cut_after
from world.postgres import Postgres
from world.silence import SilentLine

MINUTE = 60.0
GOOD = "dop_v1_" + "d" * 64
DOWN = answering(503, {"id": "server_error", "message": "Unexpected server-side error"})


@asynccontextmanager
async def silent_line(w: World) -> AsyncIterator[tuple[Postgres, SilentLine]]:
    async with postgres(w) as cluster:
        line = SilentLine(cluster.port)
        await line.open()
        w.env["DATABASE_URL"] = f"postgres://bot:secret@127.0.0.1:{line.port}/bot"
        yield cluster, line


async def psql(cluster: Postgres, statement: str) -> str:
    command = ("psql", "-h", "127.0.0.1", "-p", str(cluster.port), "-U", "postgres", "-At", "-c", statement, "bot")
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT)
    out, _ = await process.communicate()
    if process.returncode:
        raise RuntimeError(out.decode())
    return out.decode().strip()


def other_clock(w: World, ahead: float) -> Clock:
    other = Clock(w.folder / "clock2")
    other.step_bot(ahead)
    return other


@case("silent: PostgreSQL, every connection falls silent while off, new ones are well: on within a minute", limit=150)
async def silent(w: World) -> str:
    async with silent_line(w) as (_, line):
        w.digitalocean.usual["snapshot"] = Outcome(takes=6)
        droplet = await w.take_until_off()
        line.fall_silent()
        at = w.clock.elapsed()
        await w.back_on(droplet, 60)
        on = w.clock.elapsed() - at
        await w.good_take(droplet, 60)
        return f"on {on:.0f}s later"


@case("silent: the same with 8 Droplets off: all on within 90 s, each said once", limit=260)
async def silent_crowd(w: World) -> str:
    async with silent_line(w) as (_, line):
        w.digitalocean.usual["snapshot"] = Outcome(takes=6)
        droplets = [w.digitalocean.add_droplet(f"web-{number}") for number in range(8)]
        await w.start()
        for droplet in droplets:
            await w.discord.command(w.ada, "take", droplet=droplet.name)
        await w.until(lambda: all(droplet.status == OFF for droplet in droplets), 30, "all off")
        line.fall_silent()
        at = w.clock.elapsed()
        await w.until(lambda: all(droplet.status == ACTIVE for droplet in droplets), 90, "all on")
        on = w.clock.elapsed() - at
        await w.announced(90, count=8)
        w.expect(all(len(w.ours(droplet)) == 1 for droplet in droplets), "one Snapshot each")
        return f"on {on:.0f}s later"


@case("silent: the same with a standby whose connections are well: one of them brings it back", limit=150)
async def silent_standby(w: World) -> str:
    async with silent_line(w) as (cluster, line):
        w.digitalocean.usual["snapshot"] = Outcome(takes=6)
        droplet = await w.take_until_off()
        line.fall_silent()
        w.env["DATABASE_URL"] = cluster.url()
        await w.spawn()
        at = w.clock.elapsed()
        await w.back_on(droplet, 90)
        return f"on {w.clock.elapsed() - at:.0f}s later"


async def watched(w: World, ahead: float, lands: float) -> str:
    """A hung shutdown takes effect so many seconds after its cancel, when a standby looks after it whose clock is ahead."""
    async with postgres(w):
        w.digitalocean.usual["shutdown"] = Outcome(takes=1, works=True, effect_after=lands)
        droplet = await w.take()
        other = other_clock(w, ahead)
        await w.spawn(WARP_FILE=str(other.file))
        await w.until(lambda: w.asked("force"), 30, "the question")
        await w.discord.press(w.ada, w.asked("force"), "cancel")
        await w.announced(30)
        await w.clock.sleep(2)
        await w.kill()
        await w.clock.sleep(40)
        for clock in (w.clock, other):
            clock.run_at(6)
        await w.goes_off(droplet, lands)
        off = w.clock.elapsed()
        await w.back_on(droplet, 2 * MINUTE)
        return f"on after {w.clock.elapsed() - off:.0f}s"


@case("clocks: a standby 5 min ahead watches on for a shutdown that lands after 11.5 min", limit=260)
async def watched_a_little(w: World) -> str:
    return await watched(w, 5 * MINUTE, 11.5 * MINUTE)


@case("clocks: a standby 20 min ahead watches on for a shutdown that lands after 3 min", limit=200)
async def watched_much(w: World) -> str:
    return await watched(w, 20 * MINUTE, 3 * MINUTE)


@case("clocks: SQLite, restarted with the clock 20 min forward while a late shutdown is watched for: made good", limit=200)
async def watched_sqlite(w: World) -> str:
    w.digitalocean.usual["shutdown"] = Outcome(takes=1, works=True, effect_after=150)
    droplet = await w.take()
    await w.until(lambda: w.asked("force"), 30, "the question")
    await w.discord.press(w.ada, w.asked("force"), "cancel")
    await w.announced(30)
    await w.clock.sleep(2)
    await w.kill()
    w.clock.step_bot(20 * MINUTE)
    await w.start()
    await w.clock.sleep(10)
    w.clock.run_at(4)
    await w.goes_off(droplet, 200)
    off = w.clock.elapsed()
    await w.back_on(droplet, 2 * MINUTE)
    return f"on after {w.clock.elapsed() - off:.0f}s"


@case("clocks: a standby 12 min ahead takes over while people are asked about a hung shutdown: the question stays open", limit=150, DECISION_TIMEOUT="10m")
async def question_stays(w: World) -> str:
    async with postgres(w):
        w.digitalocean.usual["shutdown"] = Outcome(takes=1, works=False)
        await w.take()
        other = other_clock(w, 12 * MINUTE)
        await w.spawn(WARP_FILE=str(other.file))
        await w.until(lambda: w.asked("force"), 30, "the question")
        await w.clock.sleep(2)
        await w.kill()
        await w.clock.sleep(50)
        w.expect(not w.announcements(), f"ended by itself: {[m.text[:300] for m in w.announcements()]}")
        return "still open"


@case("clocks: a restore's question of 10 min ago, open for 2, is pressed at a standby 20 min behind: nothing is overwritten", limit=200)
async def question_is_over(w: World) -> str:
    async with postgres(w):
        droplet = w.digitalocean.add_droplet("web-1")
        other = other_clock(w, -20 * MINUTE)
        _, question = await w.restore_asked(droplet)
        await w.spawn(WARP_FILE=str(other.file))
        await w.clock.sleep(2)
        w.discord.ready.clear()
        await w.kill()
        for clock in (w.clock, other):
            clock.leap(10 * MINUTE)
        await w.until(lambda: w.discord.ready.is_set(), 90, "the standby")
        await w.clock.sleep(3)
        reply = await w.discord.press(w.ada, question, "restore")
        await w.clock.sleep(10)
        w.expect(not w.digitalocean.posts("restore"), f"restored: {reply.text[:150]!r}")
        return reply.text[:100]


@case("tokens: the active one's is revoked while off, a standby has a good one: on within a minute", limit=150)
async def revoked(w: World) -> str:
    async with postgres(w):
        w.digitalocean.tokens.add(GOOD)
        w.digitalocean.usual["snapshot"] = Outcome(takes=8)
        droplet = await w.take_until_off()
        await w.spawn(DIGITALOCEAN_TOKEN=GOOD)
        await w.until(lambda: any(call.token == GOOD for call in w.digitalocean.calls), 20, "the standby's token was tried")
        await w.clock.sleep(1)
        w.digitalocean.tokens = {GOOD}
        at = w.clock.elapsed()
        await w.back_on(droplet, 60)
        return f"on after {w.clock.elapsed() - at:.0f}s, {len(w.calls_for_people())} calls"


@case("tokens: PostgreSQL, the only process's is revoked while off: people are called, and a new one brings it back", limit=200)
async def revoked_alone(w: World) -> str:
    async with postgres(w):
        w.digitalocean.usual["snapshot"] = Outcome(takes=4)
        droplet = await w.take_until_off()
        good, w.digitalocean.tokens = w.digitalocean.tokens, {GOOD}
        at = w.clock.elapsed()
        await w.until(lambda: w.calls_for_people(), 90, "people are called")
        called = w.clock.elapsed() - at
        w.digitalocean.tokens = good
        await w.back_on(droplet, 60)
        return f"called after {called:.0f}s"


async def in_an_outage(w: World, fails: Callable[[Call], bool]) -> str:
    async with postgres(w):
        w.digitalocean.tokens.add(GOOD)
        w.digitalocean.usual["snapshot"] = Outcome(takes=4)
        droplet = await w.take()
        await w.spawn(DIGITALOCEAN_TOKEN=GOOD)
        await w.goes_off(droplet)
        await w.clock.sleep(2)
        w.digitalocean.fault(fails, DOWN)
        await w.kill()
        w.clock.run_at(6)
        at = w.clock.elapsed()
        await w.until(lambda: droplet.status == ACTIVE or w.calls_for_people(), 16 * MINUTE, "on, or people called")
        return f"{droplet.status}, {len(w.calls_for_people())} calls after {(w.clock.elapsed() - at) / MINUTE:.1f} min"


@case("tokens: a standby with another token of the account takes over while every GET is 503: on, or people are called", limit=260)
async def outage(w: World) -> str:
    return await in_an_outage(w, lambda call: call.method == "GET")


@case("tokens: the same while /v2/account alone is 503", limit=260)
async def account_outage(w: World) -> str:
    return await in_an_outage(w, lambda call: call.path == "/v2/account")


@case("tokens: restarted with another token of the account while every GET is 503: on, or people are called", limit=260)
async def rotated_in_an_outage(w: World) -> str:
    w.digitalocean.tokens.add(GOOD)
    w.digitalocean.usual["snapshot"] = Outcome(takes=4)
    droplet = await w.take_until_off()
    await w.clock.sleep(1)
    await w.kill()
    w.digitalocean.fault(lambda call: call.method == "GET", DOWN)
    w.clock.run_at(6)
    await w.start(ready=False, DIGITALOCEAN_TOKEN=GOOD)
    at = w.clock.elapsed()
    await w.until(lambda: droplet.status == ACTIVE or w.calls_for_people(), 16 * MINUTE, "on, or people called")
    return f"{droplet.status}, {len(w.calls_for_people())} calls after {(w.clock.elapsed() - at) / MINUTE:.1f} min"


@case("lease: it ends an hour ahead, as after a clock that was set back, and the active one is killed while off", limit=150)
async def lease_ahead(w: World) -> str:
    async with postgres(w) as cluster:
        w.digitalocean.usual["snapshot"] = Outcome(takes=3)
        droplet = await w.take()
        await w.spawn()
        await w.goes_off(droplet)
        await w.kill()
        await psql(cluster, "update lease set expires_at = expires_at + 3600000")
        at = w.clock.elapsed()
        await w.good_take(droplet, 90)
        return f"ended after {w.clock.elapsed() - at:.0f}s"


@case("lease: somebody deletes its row while off, with a standby there", limit=150)
async def lease_gone(w: World) -> str:
    async with postgres(w) as cluster:
        w.digitalocean.usual["snapshot"] = Outcome(takes=3)
        droplet = await w.take()
        await w.spawn()
        await w.goes_off(droplet)
        await psql(cluster, "delete from lease")
        await w.good_take(droplet, 120)
        return "on"


@case("truth: the answer to the commit of a take is lost: what the person reads is true, and asking again makes no second Snapshot", limit=150)
async def commit_lost(w: World) -> str:
    async with silent_line(w) as (_, line):
        droplet = w.digitalocean.add_droplet("web-1")
        await w.start()
        await w.clock.sleep(3)
        line.commits, line.lose_commit = 0, 1
        reply = await w.discord.command(w.ada, "take", droplet="web-1")
        await w.clock.sleep(45)
        posts = [call.action for call in w.digitalocean.calls if call.action]
        w.expect(not ("nothing was started" in reply.text and posts), f"said {reply.text[:90]!r}; then sent {posts}")
        w.expect(len(w.ours(droplet)) <= 1, f"{len(w.ours(droplet))} Snapshots")
        return f"{reply.text[:80]!r} {posts}"


@case("truth: the answer to the commit of Force power off is lost: what the person reads is true", limit=120, DECISION_TIMEOUT="60s")
async def force_lost(w: World) -> str:
    async with silent_line(w) as (_, line):
        w.digitalocean.usual["shutdown"] = Outcome(takes=60, works=False)
        w.digitalocean.power_off_beside_pending = True
        w.digitalocean.add_droplet("web-1")
        await w.start()
        await w.discord.command(w.ada, "take", droplet="web-1")
        await w.until(lambda: w.asked("force"), 20, "the question")
        await w.clock.sleep(4)
        line.commits, line.lose_commit = 0, 1
        reply = await w.discord.press(w.ada, w.asked("force"), "force")
        await w.clock.sleep(8)
        offs = len(w.digitalocean.posts("power_off"))
        w.expect(not ("nothing was started" in reply.text and offs), f"said {reply.text[:120]!r}, and sent {offs} power_off")
        return f"{reply.text[:80]!r}, {offs} power_off"


@case("truth: Leave it off while our power_on is under way: nobody reads that it was left off while it is on", limit=90)
async def left_too_late(w: World) -> str:
    w.digitalocean.usual["power_on"] = Outcome(takes=12)
    droplet = await w.take_until_off()
    await w.until(lambda: w.digitalocean.posts("power_on"), 30, "power_on")
    await w.clock.sleep(1)
    reply = await w.pressed("Leave")
    said = await w.announced(30)
    await w.clock.sleep(14)
    w.expect(not (droplet.status == ACTIVE and "left off" in said.text), f"answered {reply.text!r}, said {said.text!r}")
    return said.text[:100]


@case("truth: Leave it off while a restore runs, which turns it on at its end: nobody reads that it was left off", limit=90)
async def left_in_a_restore(w: World) -> str:
    w.digitalocean.usual["restore"] = Outcome(takes=8)
    droplet = w.digitalocean.add_droplet("web-1")
    _, question = await w.restore_asked(droplet)
    await w.discord.press(w.ada, question, "restore")
    await w.until(lambda: w.digitalocean.posts("restore"), 40, "restore")
    await w.clock.sleep(3)
    reply = await w.pressed("Leave")
    said = await w.announced(40)
    await w.clock.sleep(3)
    w.expect(not (droplet.status == ACTIVE and "left off" in said.text), f"{reply.text!r}; said {said.text!r}")
    return said.text[:100]


@case("truth: somebody's resize between the safety Snapshot and the restore, which turns it on: nobody reads that it stays off", limit=90)
async def resized(w: World) -> str:
    w.digitalocean.usual["snapshot"] = Outcome(takes=4)
    droplet = w.digitalocean.add_droplet("web-1")
    _, question = await w.restore_asked(droplet)
    await w.discord.press(w.ada, question, "restore")
    await w.goes_off(droplet)
    await w.until(lambda: w.digitalocean.posts("snapshot"), 30, "safety")
    await w.until(lambda: w.digitalocean.pending(droplet) is None, 30, "free")
    w.digitalocean.stranger(droplet, "resize", Outcome(takes=3))
    said = await w.announced(60)
    await w.clock.sleep(3)
    w.expect(not ("stays off" in said.text and droplet.status == ACTIVE), f"{droplet.status}, and said {said.text!r}")
    return said.text[:100]


@case("launch: the create's answer is lost, and the list by its tag answers 404 for 12 s: one Droplet", limit=90)
async def launched_once(w: World) -> str:
    w.digitalocean.usual["create"] = Outcome(takes=3)
    origin = w.digitalocean.add_droplet("web-1")
    w.digitalocean.add_snapshot(origin, "old-one")
    await w.start()
    sent: list[float] = []

    def note(call: Call) -> None:
        if call.is_("POST", "/v2/droplets"):
            sent.append(w.clock.elapsed())

    w.digitalocean.before_call = note
    w.digitalocean.fault(lambda call: call.is_("POST", "/v2/droplets"), cut_after, times=1)
    w.digitalocean.fault(
        lambda call: call.is_("GET", "/v2/droplets") and "tag_name" in call.query and bool(sent) and w.clock.elapsed() < sent[0] + 12,
        answering(404, {"id": "not_found", "message": "The resource you requested could not be found."}),
    )
    value = await w.choice(w.ada, "launch", "snapshot", "old-one")
    question = await w.discord.command(w.ada, "launch", snapshot=value, name="web-2")
    await w.discord.press(w.ada, question, "launch|create|yes")
    await w.announced(60)
    made = [droplet for droplet in w.digitalocean.droplets.values() if droplet.name == "web-2"]
    w.expect(len(made) == 1, f"{len(made)} Droplets")
    return "one"
