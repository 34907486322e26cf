"""A Droplet that we turned off comes back on, whatever fails; and nothing that somebody else turned off does."""

from __future__ import annotations

import asyncio
import random
import resource
import shutil
import signal
from asyncio.subprocess import DEVNULL
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from io import RawIOBase
from pathlib import Path

from world.digitalocean import ACTIVE, OFF, Outcome, Refusal
from world.harness import TAKE_ROLE, Broken, Skipped, World, case
from world.http import (
    Answer,
    Call,
    Effect,
    Run,
    When,
    answering,
    cut_after,
    cut_before,
    each_object,
    page,
    refuse_json,
    rewriting,
)

MINUTE = 60.0
SLOW = {"POLL_INTERVAL": "2s", "SETTLE_TIME": "10s", "SHUTDOWN_TIMEOUT": "60s", "DECISION_TIMEOUT": "5m"}


def get(call: Call) -> bool:
    return call.method == "GET"


def droplet_get(call: Call) -> bool:
    return call.is_("GET", r"/v2/droplets/\d+")


def action_get(call: Call) -> bool:
    return call.is_("GET", r"/v2/(droplets/\d+/)?actions/\d+")


# -- silence --------------------------------------------------------------------------------------


@case("silence: 503 to everything for 12 minutes, right after the shutdown", limit=200, env=SLOW)
async def outage(w: World) -> str:
    w.digitalocean.usual["snapshot"] = Outcome(takes=60)
    droplet = await w.take_until_off()
    off = w.clock.elapsed()
    w.digitalocean.fault(
        lambda c: True, answering(503, {"id": "service_unavailable", "message": "Server is unavailable"})
    )
    w.clock.run_at(20)
    await w.clock.sleep(10.7 * MINUTE)
    calls = w.calls_for_people()
    blind = len(w.digitalocean.posts("power_on"))
    await w.clock.sleep(1.3 * MINUTE)
    w.digitalocean.heal()
    healed = w.clock.elapsed()
    await w.back_on(droplet, 10 * MINUTE)
    back = w.clock.elapsed() - healed
    w.expect(calls, "nobody was called within ten minutes of off, owed and not getting on")
    w.expect(blind >= 1, "no blind power_on was tried in 10 minutes of failed looks")
    w.expect(back <= 2.5 * MINUTE, f"back on only {back:.0f}s after the outage ended")
    return f"called {calls[0].at - off:.0f}s after off; {blind} blind tries; on {back:.0f}s after the outage"


@case("silence: every GET is Cloudflare's 200 page from the shutdown on, POSTs work", limit=200, env=SLOW)
async def blind(w: World) -> str:
    droplet = await w.take_until_off()
    off = w.clock.elapsed()
    w.digitalocean.fault(get, page(200))
    w.clock.run_at(20)
    await w.back_on(droplet, 8 * MINUTE)
    return f"on after {w.clock.elapsed() - off:.0f}s"


@case("silence: every GET of Droplets is 504 HTML for 3 hours; POSTs and Actions work", limit=240, env=SLOW)
async def half_blind(w: World) -> str:
    droplet = await w.take_until_off()
    off = w.clock.elapsed()
    w.digitalocean.fault(lambda c: get(c) and not action_get(c), page(504, "504 Gateway Time-out"))
    w.clock.run_at(20)
    await w.back_on(droplet, 8 * MINUTE)
    return f"on after {w.clock.elapsed() - off:.0f}s"


def lone_retry_after(where: str, when: When, status: int, seconds: str) -> None:
    @case(f"silence: {status} with retry-after {seconds}, once, {where}", limit=150, env=SLOW)
    async def lone(w: World) -> str:
        w.digitalocean.usual["snapshot"] = Outcome(takes=20)
        droplet = await w.take_until_off()
        w.digitalocean.fault(when, answering(status, {"id": "x", "message": "later"}, retry_after=seconds), times=1)
        w.clock.run_at(10)
        await w.back_on(droplet, 4 * MINUTE)
        await w.announced(3 * MINUTE)
        return f"off for {await w.back_on(droplet, 1):.0f}s"


lone_retry_after("on a look at the Droplet", droplet_get, 503, "86400")
lone_retry_after("on a poll of the Action", action_get, 503, "86400")
lone_retry_after("on power_on", lambda c: c.action == "power_on", 503, "86400")
lone_retry_after("on power_on", lambda c: c.action == "power_on", 429, "86400")
lone_retry_after("on power_on", lambda c: c.action == "power_on", 429, "Fri, 31 Dec 2049 23:59:59 GMT")
lone_retry_after("on any request", lambda c: True, 429, "99999999999999999999")
lone_retry_after("on the snapshot POST", lambda c: c.action == "snapshot", 503, "86400")


@case("silence: 429 without retry-after, ratelimit-reset a day ahead, on every GET for 2 minutes", limit=150, env=SLOW)
async def reset_a_day_ahead(w: World) -> None:
    w.digitalocean.usual["snapshot"] = Outcome(takes=20)
    droplet = await w.take_until_off()

    async def effect(_: Call, __: Run) -> Answer:
        return refuse_json(
            429,
            "API Rate limit exceeded.",
            {"ratelimit-limit": "5000", "ratelimit-remaining": "0", "ratelimit-reset": str(int(w.clock.now() + 86400))},
        )

    w.digitalocean.fault(get, effect)
    w.clock.run_at(10)
    await w.clock.sleep(2 * MINUTE)
    w.digitalocean.heal()
    await w.back_on(droplet, 6 * MINUTE)


@case("silence: connections hang without an answer for 6 minutes while off", limit=150, env=SLOW)
async def black_hole(w: World) -> str:
    droplet = await w.take_until_off()
    off = w.clock.elapsed()

    async def hang(call: Call, run: Run) -> Answer:
        await w.clock.sleep(60)
        return await cut_before(call, run)

    w.digitalocean.fault(lambda c: get(c), hang)
    w.clock.run_at(15)
    await w.back_on(droplet, 9 * MINUTE)
    return f"on after {w.clock.elapsed() - off:.0f}s"


# -- account: another one behind the token --------------------------------------------------------

OTHER = "dop_v1_" + "b" * 64


async def other_account(w: World, readable: bool) -> str:
    w.digitalocean.strangers_tokens[OTHER] = "99999999-2222-4333-8444-555555555555"
    if not readable:
        w.digitalocean.fault(
            lambda c: c.path == "/v2/account",
            answering(403, {"id": "forbidden", "message": "You are not authorized to perform this operation"}),
        )
    droplet = await w.take_until_off()
    await w.kill(signal.SIGTERM if readable else signal.SIGKILL)
    await w.start(ready=False, DIGITALOCEAN_TOKEN=OTHER)
    w.clock.run_at(10)
    await w.clock.sleep(4 * MINUTE)
    code = w.process.returncode if w.process else None
    lied = [m.text for m in w.discord.messages if "exist" in m.text or "gone" in m.text or "destroyed" in m.text]
    await w.kill()
    w.clock.run_at(1)
    await w.start()
    await w.back_on(droplet, 60)
    w.expect(not lied, f"people read {lied[0][:150] if lied else ''!r}")
    return f"with the other token: {'exit ' + str(code) if code is not None else 'stayed'}"


@case("account: stopped while off, started with another team's token, then the right one", limit=100)
async def other_team(w: World) -> str:
    return await other_account(w, readable=True)


@case("account: the same, and no token may read the account", limit=100)
async def other_team_unreadable(w: World) -> str:
    return await other_account(w, readable=False)


@case("account: killed while off, started with a refused token, then the right one", limit=100)
async def refused_token(w: World) -> str:
    droplet = await w.take_until_off()
    await w.kill()
    await w.start(ready=False, DIGITALOCEAN_TOKEN="dop_v1_" + "c" * 64)
    w.clock.run_at(5)
    await w.clock.sleep(60)
    code = w.process.returncode if w.process else None
    called = len(w.calls_for_people()) + len(w.announcements())
    await w.kill()
    w.clock.run_at(1)
    await w.start()
    await w.back_on(droplet, 60)
    return f"with it: {'exit ' + str(code) if code is not None else 'stayed'}, {called} messages to the asker"


@case("account: 404 twice, a few seconds apart, for a Droplet that is off", limit=100)
async def gone_twice(w: World) -> None:
    droplet = await w.take_until_off()
    w.digitalocean.fault(
        droplet_get,
        answering(404, {"id": "not_found", "message": "The resource you were accessing could not be found."}),
        times=2,
    )
    await w.back_on(droplet, 90)


@case("account: 404 for a Droplet that is off, for 50 s, though every list has it", limit=100)
async def gone_long(w: World) -> None:
    droplet = await w.take_until_off()
    w.digitalocean.fault(
        lambda c: c.method == "GET" and "/v2/droplets/" in c.path,
        answering(404, {"id": "not_found", "message": "The resource you were accessing could not be found."}),
    )
    w.clock.run_at(5)
    await w.clock.sleep(50)
    w.digitalocean.heal()
    await w.back_on(droplet, 4 * MINUTE)


@case("account: 404 to power_on, twice", limit=150)
async def power_on_404(w: World) -> None:
    w.digitalocean.script["power_on"] = [
        Refusal(404, "The resource you were accessing could not be found.", "not_found")
    ] * 2
    droplet = await w.take()
    await w.back_on_after_off(droplet, 120)


@case("account: destroyed by somebody while off: an end is said", limit=150)
async def truly_destroyed(w: World) -> str:
    droplet = await w.take_until_off()
    del w.digitalocean.droplets[droplet.id]
    w.clock.run_at(10)
    said = await w.announced(12 * MINUTE)
    return said.text[:120]


# -- clock ----------------------------------------------------------------------------------------


def clock_case(seconds: float, restart: bool) -> None:
    direction, suffix = ("back" if seconds < 0 else "forward"), (", and it is restarted" if restart else "")

    @case(
        f"clock: the bot's clock is set {direction} by {abs(seconds) / 3600:g} h while off{suffix}",
        limit=100,
    )
    async def stepped(w: World) -> None:
        droplet = await w.take_until_off()
        w.clock.step_bot(seconds)
        if restart:
            await w.kill()
            await w.start()
        await w.good_take(droplet, 60)


for seconds in (-7200.0, 7200.0, -86400.0 * 400, 86400.0 * 30):
    for restart in (False, True):
        clock_case(seconds, restart)


@case("clock: the clock is set back by 2 h just after the take was asked for (busy Droplet)", limit=100)
async def stepped_waiting(w: World) -> None:
    droplet = w.digitalocean.add_droplet("web-1")
    await w.start()
    w.digitalocean.stranger(droplet, "resize", Outcome(takes=4, works=False))
    await w.discord.command(w.ada, "take", droplet="web-1")
    await w.clock.sleep(1)
    w.clock.step_bot(-7200)
    await w.good_take(droplet, 80)


@case("clock: clock forward 20 min while the hung-shutdown question is open", limit=100, DECISION_TIMEOUT="5m")
async def stepped_question(w: World) -> None:
    w.digitalocean.usual["shutdown"] = Outcome(works=False)
    droplet = await w.take()
    await w.until(lambda: w.asked("force"), 20, "the question")
    await w.clock.sleep(2)
    w.clock.step_bot(20 * MINUTE)
    await w.clock.sleep(6)
    w.expect(not w.announcements(), f"taken as unanswered: {[m.text[:150] for m in w.announcements()]}")
    await w.pressed("force")
    await w.good_take(droplet, 40)


@case("clock: the process is frozen (SIGSTOP) for 3 minutes while off", limit=100)
async def frozen(w: World) -> None:
    droplet = await w.take_until_off()
    assert w.process is not None
    w.process.send_signal(signal.SIGSTOP)
    w.clock.leap(3 * MINUTE)
    await asyncio.sleep(1)
    w.process.send_signal(signal.SIGCONT)
    await w.good_take(droplet, 60)


# -- theirs: what others do meanwhile -------------------------------------------------------------


@case("theirs: turned off by a person while our take waits for a busy Droplet", limit=90)
async def turned_off_while_waiting(w: World) -> None:
    droplet = w.digitalocean.add_droplet("web-1")
    await w.start()
    w.digitalocean.stranger(droplet, "snapshot", Outcome(takes=4))
    await w.discord.command(w.ada, "take", droplet="web-1")
    await w.clock.sleep(2)
    w.digitalocean.set_status(droplet, OFF)
    await w.announced(60)
    await w.clock.sleep(3)
    w.expect(droplet.status == OFF, "somebody else's off was undone")


@case("theirs: turned off by a person between our last look and the shutdown, which is refused", limit=90)
async def refused_shutdown(w: World) -> None:
    def off(call: Call) -> bool:
        return call.action == "shutdown"

    async def effect(call: Call, run: Run) -> Answer:
        droplet = w.digitalocean.droplets[int(call.path.split("/")[3])]
        w.digitalocean.set_status(droplet, OFF)
        return await run()

    w.digitalocean.fault(off, effect, times=1)
    droplet = await w.take()
    await w.announced(60)
    await w.clock.sleep(3)
    w.expect(droplet.status == OFF, "somebody else's off was undone")


@case("theirs: the tag is removed while our take waits for a busy Droplet", limit=90, DROPLET_TAG="mine")
async def tag_removed(w: World) -> None:
    droplet = w.digitalocean.add_droplet("web-1", tags=["mine"])
    await w.start()
    w.digitalocean.stranger(droplet, "snapshot", Outcome(takes=4))
    await w.discord.command(w.ada, "take", droplet="web-1")
    await w.clock.sleep(2)
    droplet.tags.clear()
    await w.clock.sleep(15)
    w.expect(not w.digitalocean.posts("shutdown"), "a Droplet without the tag was shut down")


@case("theirs: powered off by a stranger (Action) after our power_on was refused busy", limit=90)
async def stranger_off_later(w: World) -> str:
    droplet = await w.take_until_off()
    await w.until(lambda: w.ours(droplet), 20, "Snapshot")
    w.digitalocean.script["power_on"] = [Outcome(takes=0.3, works=False, status="errored")]
    await w.until(lambda: w.digitalocean.posts("power_on"), 20, "power_on")
    await w.clock.sleep(0.5)
    action = w.digitalocean.stranger(droplet, "power_off", Outcome(takes=0.1))
    await w.clock.sleep(25)
    said = " ".join(m.text for m in w.discord.messages)
    w.expect(droplet.status == OFF, f"a foreign power_off ({action.id}) since our off was undone")
    return "left off" + (
        ", with a button"
        if any("turn it on" in (b.get("label") or "").lower() for m in w.discord.live() for b in m.buttons)
        else f", no button; said: {said[-200:]!r}"
    )


@case("theirs: a person turns it off right after it came back; nobody undoes that", limit=120)
async def off_after(w: World) -> None:
    droplet = await w.take()
    await w.good_take(droplet)
    w.digitalocean.stranger(droplet, "power_off")
    await w.goes_off(droplet)
    w.clock.run_at(15)
    await w.clock.sleep(16 * MINUTE)
    w.expect(droplet.status == OFF, "a person's off was undone")


# -- refusals -------------------------------------------------------------------------------------

PLACES = {
    "a look at the Droplet": droplet_get,
    "a poll of the Action": action_get,
    "the snapshot POST": lambda c: c.action == "snapshot",
    "the power_on POST": lambda c: c.action == "power_on",
    "the shutdown POST": lambda c: c.action == "shutdown",
    "the first request": lambda c: True,
}
LONE = {
    "Cloudflare's 403 page": page(403),
    "Cloudflare's 503 page": page(503),
    "Cloudflare's 404 page": page(404),
    "Cloudflare's 401 page": page(401),
    "a captive portal's 200 page": page(
        200, "In order to keep DigitalOcean bot-free, please complete this security check"
    ),
    "JSON 401": answering(401, {"id": "Unauthorized", "message": "Unable to authenticate you"}),
    "JSON 403": answering(403, {"id": "forbidden", "message": "You are not authorized to perform this operation"}),
    "JSON 404": answering(404, {"id": "not_found", "message": "The resource you were accessing could not be found."}),
}


QUICK_REFUSALS = {
    ("Cloudflare's 403 page", "a look at the Droplet"),
    ("JSON 401", "the power_on POST"),
    ("JSON 404", "a poll of the Action"),
}


def lone_case(what: str, effect: Effect, place: str, when: When) -> None:
    @case(f"refusals: one {what} on {place}", limit=100, quick=(what, place) in QUICK_REFUSALS)
    async def lone(w: World) -> str | None:
        w.digitalocean.fault(when, effect, times=1)
        droplet = w.digitalocean.add_droplet("web-1")
        await w.start()
        reply = await w.discord.command(w.ada, "take", droplet="web-1")
        if place == "the first request" and not w.digitalocean.posts("shutdown"):
            await w.clock.sleep(3)
            if not w.digitalocean.posts("shutdown"):
                w.expect(droplet.status == ACTIVE and reply.text, "no answer")
                return f"refused: {reply.text[:90]!r}"
        await w.good_take(droplet, 60)
        off = await w.back_on(droplet, 1)
        w.expect(off < 25, f"off for {off:.0f}s")
        return f"off for {off:.1f}s"


for what, effect in LONE.items():
    for place, when in PLACES.items():
        lone_case(what, effect, place, when)


@case("refusals: 403 for billing on the snapshot POST, for good: the vendor's sentence is quoted", limit=100)
async def billing(w: World) -> str:
    sentence = "Your account is past due. Please update your payment method to continue."
    w.digitalocean.fault(lambda c: c.action == "snapshot", answering(403, {"id": "forbidden", "message": sentence}))
    droplet = await w.take()
    said = await w.announced(60)
    await w.back_on(droplet, 30)
    everything = " ".join(m.text for m in w.discord.messages)
    w.expect("past due" in everything, f"said {said.text[:200]!r}")
    return said.text[:150]


@case("refusals: 403 for billing on power_on for 2 minutes", limit=120)
async def billing_power(w: World) -> None:
    fault = w.digitalocean.fault(
        lambda c: c.action == "power_on", answering(403, {"id": "forbidden", "message": "Your account is past due."})
    )
    droplet = await w.take_until_off()
    w.clock.run_at(5)
    await w.clock.sleep(2 * MINUTE)
    fault.times = 0
    await w.back_on(droplet, 4 * MINUTE)


# -- age: nothing destructive is old --------------------------------------------------------------


@case("age: restore confirmed, the bot dead for three days, started", limit=90)
async def stale_restore(w: World) -> str:
    droplet = w.digitalocean.add_droplet("web-1")
    _, question = await w.restore_asked(droplet)
    w.digitalocean.usual["snapshot"] = Outcome(takes=3)
    await w.discord.press(w.ada, question, "restore")
    await w.goes_off(droplet)
    await w.kill()
    w.clock.leap(3 * 86400)
    await w.start()
    await w.back_on(droplet, 60)
    await w.clock.sleep(10)
    w.expect(not w.digitalocean.posts("restore"), "it overwrote three days later, unasked")
    return " | ".join(m.text[:100] for m in w.discord.messages[-2:])


@case("age: restore confirmed, dead for 5 minutes: goes on", limit=90)
async def fresh_restore(w: World) -> None:
    droplet = w.digitalocean.add_droplet("web-1")
    old, question = await w.restore_asked(droplet)
    await w.discord.press(w.ada, question, "restore")
    await w.goes_off(droplet)
    await w.kill()
    w.clock.leap(5 * MINUTE)
    await w.start()
    await w.announced(60)
    await w.back_on(droplet, 30)
    w.expect(droplet.disk == f"restore of {old.id}", f"disk is {droplet.disk}")


@case("age: the same three days, and the bot's clock stands still meanwhile (DigitalOcean's Date knows)", limit=90)
async def stale_restore_clock(w: World) -> None:
    droplet = w.digitalocean.add_droplet("web-1")
    _, question = await w.restore_asked(droplet)
    w.digitalocean.usual["snapshot"] = Outcome(takes=3)
    await w.discord.press(w.ada, question, "restore")
    await w.goes_off(droplet)
    await w.kill()
    w.clock.leap(3 * 86400)
    w.clock.step_bot(-3 * 86400)
    await w.start()
    await w.back_on(droplet, 60)
    await w.clock.sleep(10)
    w.expect(not w.digitalocean.posts("restore"), "it overwrote three days later, unasked")


@case("age: a take asked for last week does not shut production down at the next start", limit=90)
async def stale_take(w: World) -> str:
    droplet = w.digitalocean.add_droplet("web-1")
    await w.start()
    w.digitalocean.stranger(droplet, "resize", Outcome(takes=20, works=False))
    await w.discord.command(w.ada, "take", droplet="web-1")
    await w.clock.sleep(2)
    await w.kill()
    w.clock.leap(7 * 86400)
    await asyncio.sleep(0.5)
    await w.start()
    await w.clock.sleep(10)
    w.expect(not w.digitalocean.posts("shutdown"), "it was shut down a week later")
    return " | ".join(m.text[:100] for m in w.discord.messages[-2:])


@case("age: database put back from a copy made during a restore", limit=100)
async def database_copy(w: World) -> str:
    droplet = w.digitalocean.add_droplet("web-1")
    _, question = await w.restore_asked(droplet)
    w.digitalocean.usual["snapshot"] = Outcome(takes=2)
    await w.discord.press(w.ada, question, "restore")
    await w.until(lambda: w.digitalocean.posts("snapshot"), 20, "safety Snapshot begun")
    await w.clock.sleep(0.5)
    copies = w.folder / "copy"
    copies.mkdir()
    for path in w.folder.glob("bot.db*"):
        shutil.copy(path, copies)
    await w.announced(40)
    await w.clock.sleep(1)
    await w.kill()
    droplet.disk = "a day's new data"
    for path in w.folder.glob("bot.db*"):
        path.unlink()
    for path in copies.iterdir():
        shutil.copy(path, w.folder)
    await w.start()
    await w.clock.sleep(15)
    w.expect(droplet.disk == "a day's new data", "restored again over new data")
    w.expect(droplet.status == ACTIVE, "left off")
    return " | ".join(m.text[:100] for m in w.discord.messages[-2:])


# -- consistency ----------------------------------------------------------------------------------


@case("consistency: our snapshot POST is lost, and a cron snapshot takes its place; it comes on in between", limit=120)
async def adopted(w: World) -> str:
    async def lost(call: Call, run: Run) -> Answer:
        droplet = w.digitalocean.droplets[int(call.path.split("/")[3])]
        w.digitalocean.stranger(droplet, "snapshot", Outcome(takes=1.0), name="nightly-cron")
        return await cut_before(call, run)

    w.digitalocean.fault(lambda c: c.action == "snapshot", lost, times=1)
    droplet = await w.take()
    said = await w.announced(90)
    await w.back_on(droplet, 30)
    ours = [s for s in w.ours(droplet) if s.name != "nightly-cron"]
    honest = "running" in said.text or not ours
    w.expect(
        all(s.taken == OFF for s in ours) or honest,
        f"taken while {ours[0].taken if ours else '-'}, announced as {said.text[:160]!r}",
    )
    return said.text[:120]


@case("consistency: somebody turns it on while our Snapshot runs: the end says so", limit=90)
async def turned_on_meanwhile(w: World) -> str:
    w.digitalocean.usual["snapshot"] = Outcome(takes=3)
    droplet = await w.take_until_off()
    await w.until(lambda: w.digitalocean.posts("snapshot"), 20, "snapshot begun")
    await w.clock.sleep(1)
    w.digitalocean.set_status(droplet, ACTIVE)
    said = await w.announced(60)
    w.expect("running" in said.text, f"announced as {said.text[:200]!r}")
    return said.text[:160]


# -- force ----------------------------------------------------------------------------------------


@case("force: Force is pressed while our own shutdown's Action is pending and the Droplet locked", limit=100)
async def force_pending(w: World) -> str:
    w.digitalocean.usual["shutdown"] = Outcome(takes=15, works=False)
    droplet = await w.take()
    await w.until(lambda: w.asked("force"), 20, "the question")
    await w.pressed("force")
    pressed = w.clock.elapsed()
    await w.until(lambda: w.digitalocean.posts("power_off"), 8, "power_off sent though the shutdown is pending")
    first = w.digitalocean.posts("power_off")[0].at - pressed
    shown = " ".join(m.text for m in w.discord.live())
    await w.good_take(droplet, 60)
    return f"power_off {first:.1f}s after the press; said meanwhile: {'pending' in shown or 'lets me' in shown}"


@case("force: if-hung: force, the shutdown's Action pending for 12 s", limit=100)
async def if_hung_force(w: World) -> str:
    w.digitalocean.usual["shutdown"] = Outcome(takes=15, works=False)
    droplet = await w.take(if_hung="force")
    await w.until(lambda: w.digitalocean.posts("power_off"), 9, "power_off sent though the shutdown is pending")
    await w.good_take(droplet, 60)
    return f"{len(w.digitalocean.posts('power_off'))} power_off sent"


@case("force: Force where DigitalOcean takes power_off beside the pending shutdown", limit=100)
async def force_allowed(w: World) -> None:
    w.digitalocean.usual["shutdown"] = Outcome(takes=60, works=False)
    w.digitalocean.power_off_beside_pending = True
    droplet = await w.take()
    await w.until(lambda: w.asked("force"), 20, "the question")
    await w.pressed("force")
    await w.goes_off(droplet, 15)
    await w.back_on(droplet, 60)


@case("force: Force on a Droplet that an admin lock holds", limit=100)
async def force_locked(w: World) -> None:
    w.digitalocean.usual["shutdown"] = Outcome(works=False)
    droplet = await w.take()
    await w.until(lambda: w.asked("force"), 20, "the question")
    droplet.locked = True
    w.digitalocean.locks_while_busy = False
    await w.pressed("force")
    await w.until(lambda: w.digitalocean.posts("power_off"), 10, "power_off sent though locked")
    await w.back_on_after_off(droplet, 60)


# -- gateway --------------------------------------------------------------------------------------


@case("gateway: power_on always errs, the gateway is away for 8 minutes; afterwards the bot answers", limit=120)
async def face_after_gap(w: World) -> str:
    w.digitalocean.usual["power_on"] = Outcome(status="errored", works=False)
    droplet = await w.take_until_off()
    await w.until(lambda: w.digitalocean.posts("power_on"), 20, "power_on")
    w.discord.down = True
    await w.discord.disconnect()
    w.clock.run_at(15)
    await w.clock.sleep(8 * MINUTE)
    w.discord.down = False
    await w.until(lambda: w.discord.ready.is_set(), 10 * MINUTE, "the gateway again")
    w.clock.run_at(1)
    reply = await w.discord.command(w.ada, "status")
    w.expect(reply.kind is not None, "the bot is online and answers nothing")
    w.digitalocean.usual.pop("power_on")
    w.clock.run_at(10)
    await w.back_on(droplet, 12 * MINUTE)
    await w.announced(2 * MINUTE)
    return f"{len(w.calls_for_people())} calls"


# -- resources ------------------------------------------------------------------------------------


@case(
    "resources: half-open connections at HTTP_ADDR eat the descriptors (ulimit 256) while off",
    limit=120,
    HTTP_ADDR="127.0.0.1:18473",
)
async def half_open(w: World) -> str:
    w.digitalocean.usual["snapshot"] = Outcome(takes=3)
    droplet = await w.take_until_off()
    assert w.process is not None
    resource.prlimit(w.process.pid, resource.RLIMIT_NOFILE, (256, 256))
    held = []
    for _ in range(400):
        try:
            _, writer = await asyncio.wait_for(asyncio.open_connection("127.0.0.1", 18473), 1)
            writer.write(b"GET /healthz HT")
            held.append(writer)
        except (TimeoutError, OSError):
            break
    await w.discord.disconnect()
    await w.back_on(droplet, 60)
    for writer in held:
        writer.close()
    return f"{len(held)} connections held"


@asynccontextmanager
async def small_disk(folder: Path) -> AsyncIterator[bool]:
    """Mounts a file system of 16 MB at `folder`; whether that is allowed here."""
    folder.mkdir()
    mounting = await asyncio.create_subprocess_exec(
        "mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", folder, stderr=DEVNULL
    )
    mounted = await mounting.wait() == 0
    try:
        yield mounted
    finally:
        if mounted:
            await (await asyncio.create_subprocess_exec("umount", "-l", folder)).wait()


async def fill(file: RawIOBase) -> None:
    """Takes every byte of the disk, and whatever becomes free on it."""
    piece = b"x" * (1 << 20)
    while True:
        try:
            file.write(piece)
        except OSError:
            if len(piece) > 64:
                piece = piece[: len(piece) // 2]
            else:
                await asyncio.sleep(0.02)


@case("resources: the database's disk is full from the shutdown on, for 7 minutes", limit=150)
async def disk_full(w: World) -> str:
    disk = w.folder / "disk"
    async with small_disk(disk) as mounted:
        if not mounted:
            raise Skipped("nothing can be mounted here")
        w.env["DATABASE_URL"] = f"sqlite://{disk}/bot.db"
        w.digitalocean.usual["snapshot"] = Outcome(takes=3)
        droplet = await w.take_until_off()
        off = w.clock.elapsed()
        with (disk / "filler").open("wb", buffering=0) as filler:
            filling = asyncio.create_task(fill(filler))
            w.clock.run_at(10)
            try:
                await w.back_on(droplet, 8 * MINUTE)
            finally:
                filling.cancel()
            on = w.clock.elapsed() - off
            filler.truncate(0)
        await w.announced(6 * MINUTE)
        await w.kill()
        return f"on {on:.0f}s after the disk was full"


# -- power: late and lying ------------------------------------------------------------------------


@case("power: the shutdown takes effect 20 minutes after its question was answered Cancel", limit=200, env=SLOW)
async def very_late_off(w: World) -> str:
    w.digitalocean.usual["shutdown"] = Outcome(works=False)
    droplet = await w.take()
    w.clock.run_at(10)
    await w.until(lambda: w.asked("force"), 3 * MINUTE, "the question")
    await w.pressed("cancel")
    await w.announced(2 * MINUTE)
    await w.clock.sleep(13 * MINUTE)
    w.digitalocean.set_status(droplet, OFF)
    await w.back_on(droplet, 3 * MINUTE)
    await w.clock.sleep(7 * MINUTE)
    w.digitalocean.set_status(droplet, OFF)  # beyond what is promised (README says where it ends)
    await w.clock.sleep(2 * MINUTE)
    return f"off 13 min late was undone; off 20+ min late: {droplet.status}"


@case("power: shutdown completed, but it goes off only 8 s later, after SHUTDOWN_TIMEOUT's question", limit=90)
async def late_off(w: World) -> None:
    w.digitalocean.usual["shutdown"] = Outcome(effect_after=6)
    droplet = await w.take()
    await w.until(lambda: w.announcements(), 60, "announcement")
    await w.back_on(droplet, 30)
    w.expect(len(w.ours(droplet)) <= 1, "two Snapshots")


@case("power: the shutdown takes effect after nobody answered its question", limit=100)
async def late_off_after_cancel(w: World) -> None:
    w.digitalocean.usual["shutdown"] = Outcome(effect_after=14)
    droplet = await w.take()
    await w.announced(40)
    await w.goes_off(droplet, 20)
    await w.back_on(droplet, 60)


@case("power: the shutdown errs, and happens all the same 3 s later", limit=90)
async def errored_but_works(w: World) -> None:
    w.digitalocean.usual["shutdown"] = Outcome(status="errored", effect_after=3)
    droplet = await w.take()
    await w.goes_off(droplet, 30)
    await w.back_on(droplet, 60)
    await w.announced(30)


@case("power: power_on completed, the Droplet still off, three times", limit=200)
async def power_on_lies(w: World) -> str:
    w.digitalocean.script["power_on"] = [Outcome(works=False)] * 3
    droplet = await w.take_until_off()
    w.clock.run_at(10)
    await w.back_on(droplet, 20 * MINUTE)
    await w.announced(60)
    return f"{len(w.calls_for_people())} calls, off for {await w.back_on(droplet, 1):.0f}s"


@case("power: power_on completed at once, status lags 10 s behind; no second power_on does harm", limit=90)
async def power_on_lags(w: World) -> str:
    w.digitalocean.usual["power_on"] = Outcome(effect_after=10)
    droplet = await w.take()
    await w.good_take(droplet, 60)
    return f"{len(w.digitalocean.posts('power_on'))} power_on sent"


@case("power: power_on stays in-progress for 3 minutes though the Droplet is active", limit=100)
async def power_on_pending(w: World) -> None:
    droplet = await w.take_until_off()
    fault = w.digitalocean.fault(
        action_get,
        rewriting(
            each_object(
                "action",
                lambda a: a.update(status="in-progress", completed_at=None) if a["type"] == "power_on" else None,
            )
        ),
    )
    await w.good_take(droplet, 60)
    fault.times = 0


@case("power: status flaps off, active, off after power_on (a reading from an old cache)", limit=100)
async def stale_reading(w: World) -> None:
    droplet = await w.take_until_off()
    await w.until(lambda: w.digitalocean.posts("power_on"), 20, "power_on")
    w.digitalocean.fault(
        droplet_get, rewriting(each_object("droplet", lambda d: d.update(status="off"))), times=3, skip=1
    )
    await w.good_take(droplet, 60)


@case("power: a reading from before the shutdown (active) is served while off", limit=100)
async def stale_active(w: World) -> None:
    droplet = await w.take_until_off()
    w.digitalocean.fault(
        droplet_get, rewriting(each_object("droplet", lambda d: d.update(status="active", locked=False))), times=3
    )
    await w.announced(60)
    await w.back_on(droplet, 60)


@case("power: power_on lies and one reading after it says active (not promised: only told)", limit=100)
async def stale_active_at_end(w: World) -> str:
    droplet = await w.take_until_off()
    await w.until(lambda: w.ours(droplet), 20, "Snapshot")
    w.digitalocean.script["power_on"] = [Outcome(works=False)]
    w.digitalocean.fault(
        droplet_get, rewriting(each_object("droplet", lambda d: d.update(status="active"))), times=1, skip=1
    )
    try:
        await w.back_on(droplet, 60)
    except Broken:
        return "believed; left off for good"
    return "turned on all the same"


@case("power: `locked` never tells", limit=90)
async def never_locked(w: World) -> str:
    w.digitalocean.locks_while_busy = False
    droplet = await w.take()
    await w.good_take(droplet, 60)
    return f"off for {await w.back_on(droplet, 1):.1f}s"


@case("power: locked (an admin's lock) from the shutdown on, for 12 minutes: people are called", limit=120)
async def locked_for_long(w: World) -> str:
    droplet = await w.take_until_off()
    off = w.clock.elapsed()
    w.digitalocean.locks_while_busy = False
    fault = w.digitalocean.fault(
        lambda c: c.method == "GET", rewriting(each_object("droplet", lambda d: d.update(locked=True)))
    )
    w.clock.run_at(15)
    await w.clock.sleep(12 * MINUTE)
    fault.times = 0
    calls = w.calls_for_people()
    early = droplet.status == ACTIVE
    await w.back_on(droplet, 3 * MINUTE)
    w.expect(early or calls, "off and waiting for 12 minutes, and nobody was called")
    return f"called after {calls[0].at - off:.0f}s: {calls[0].text[:120]!r}" if calls else "turned on though locked"


@case("power: a foreign Action is pending when the Snapshot ended, for 30 s", limit=100)
async def foreign_pending(w: World) -> None:
    w.digitalocean.script["power_on"] = [Refusal(422, "Droplet already has a pending event.")] * 4
    droplet = await w.take()
    await w.back_on_after_off(droplet, 90)
    await w.announced(60)


@case("power: 422 `pending event` to power_on, in an unknown wording, five times", limit=100)
async def odd_422(w: World) -> None:
    w.digitalocean.script["power_on"] = [
        Refusal(422, {"base": ["there are currently blocking events processing on: web-1"]})
    ] * 5
    droplet = await w.take_until_off()
    await w.back_on(droplet, 90)


def lost_case(kind: str, effect: Effect, how: str) -> None:
    @case(f"silence: the answer to {kind} is lost ({how})", limit=100, quick=how == "carried out")
    async def lost(w: World) -> str:
        w.digitalocean.fault(lambda c: c.action == kind, effect, times=1)
        droplet = await w.take()
        await w.good_take(droplet, 60)
        return f"off for {await w.back_on(droplet, 1):.1f}s"


async def carried_out_500(call: Call, run: Run) -> Answer:
    await run()
    return refuse_json(500, "Server was unable to give you a response.", {})


LOST: dict[str, Effect] = {
    "never arrived": cut_before,
    "carried out": cut_after,
    "500, carried out": carried_out_500,
    "408": answering(408, {"id": "timeout", "message": "x"}),
}
for kind in ("shutdown", "snapshot", "power_on"):
    for how, effect in LOST.items():
        lost_case(kind, effect, how)


@case("power: the snapshot POST is lost and lands 5 s after SETTLE_TIME's half", limit=100, SETTLE_TIME="6s")
async def late_landing(w: World) -> None:
    async def late(call: Call, run: Run) -> Answer:
        w.digitalocean.later(3.5, lambda: w.digitalocean._route(call))
        return await cut_before(call, run)

    w.digitalocean.fault(lambda c: c.action == "snapshot", late, times=1)
    droplet = await w.take()
    await w.good_take(droplet, 60)


@case("power: the Snapshot is listed 20 s after its Action ended: on at once all the same", limit=100)
async def listed_late(w: World) -> str:
    w.digitalocean.listed_late = 20
    droplet = await w.take()
    await w.goes_off(droplet)
    off = await w.back_on(droplet, 15)
    await w.good_take(droplet, 60)
    return f"off for {off:.1f}s"


@case("power: snapshot Action errs: on again, said, no second", limit=90)
async def snapshot_errs(w: World) -> str:
    w.digitalocean.usual["snapshot"] = Outcome(status="errored", works=False)
    droplet = await w.take_until_off()
    said = await w.announced(40)
    await w.back_on(droplet, 30)
    return said.text[:120]


@case("power: snapshot Action completed while no Snapshot ever appears", limit=240, env=SLOW)
async def snapshot_never(w: World) -> str:
    # The bot looks for it for 30 minutes before it says so: DigitalOcean may list a Snapshot late.
    w.digitalocean.usual["snapshot"] = Outcome(works=False)
    droplet = await w.take_until_off()
    await w.back_on(droplet, 60)
    w.clock.run_at(20)
    said = await w.announced(40 * MINUTE)
    return said.text[:160]


@case("power: answers reordered: a GET sent before the off is answered 3 s later than the next ones", limit=90)
async def reordered(w: World) -> None:
    random.seed(7)

    async def delayed(call: Call, run: Run) -> Answer:
        answer = await run()
        await w.clock.sleep(random.choice((0, 0, 0.4, 1.5, 3)))
        return answer

    w.digitalocean.fault(lambda c: True, delayed)
    droplet = await w.take()
    await w.good_take(droplet, 90)


@case("power: a third of all answers are 500, lost or HTML, at random", limit=200)
async def chaos(w: World) -> str:
    dice = random.Random(11)
    effects = [
        answering(500, {"id": "server_error", "message": "Unexpected server-side error"}),
        page(502),
        page(403),
        page(200),
        cut_before,
        cut_after,
        answering(401, {"id": "Unauthorized", "message": "Unable to authenticate you"}),
    ]
    droplets = [w.digitalocean.add_droplet(f"web-{n}") for n in range(1, 7)]
    await w.start()
    for droplet in droplets:
        await w.discord.command(w.ada, "take", droplet=droplet.name)

    async def effect(call: Call, run: Run) -> Answer:
        return await dice.choice(effects)(call, run)

    w.digitalocean.fault(lambda c: dice.random() < 0.33, effect)
    w.clock.run_at(2)
    await w.announced(150, count=6)
    w.digitalocean.heal()
    await w.until(lambda: all(d.status == ACTIVE for d in droplets), 120, "all on")
    w.expect(all(len(w.ours(d)) <= 1 for d in droplets), f"Snapshots: {[len(w.ours(d)) for d in droplets]}")
    w.expect(len(w.announcements()) == 6, f"{len(w.announcements())} announcements")
    return f"{sum(len(w.ours(d)) for d in droplets)} of 6 taken"


@case("power: SIGTERM while off: ends within 8 s; started again, all well", limit=90)
async def sigterm(w: World) -> str:
    w.digitalocean.usual["snapshot"] = Outcome(takes=3)
    droplet = await w.take_until_off()
    await w.clock.sleep(0.5)
    began = w.clock.elapsed()
    code = await w.kill(signal.SIGTERM)
    took = w.clock.elapsed() - began
    w.expect(took < 8.5 and code == 0, f"ended after {took:.1f}s with {code}")
    await w.start()
    await w.good_take(droplet, 60)
    return f"ended in {took:.1f}s"


@case("power: the bot is started while Discord is away: the Droplet comes on", limit=120)
async def discord_away(w: World) -> None:
    droplet = await w.take_until_off()
    await w.kill()
    w.discord.down = True
    await w.start(ready=False)
    await w.back_on(droplet, 60)
    w.discord.down = False
    await w.good_take(droplet, 90)


@case("power: the Discord token is refused while off: the Droplet comes on before the end", limit=120)
async def discord_token_refused(w: World) -> str:
    w.digitalocean.usual["snapshot"] = Outcome(takes=4)
    droplet = await w.take_until_off()
    w.discord.token = "another"
    await w.discord.disconnect()
    await w.back_on(droplet, 60)
    await w.clock.sleep(5)
    code = w.process.returncode if w.process else None
    return "process lives" if code is None else f"process ended with {code}"


@case("power: someone rebuilds the Droplet while it is off for our Snapshot", limit=90)
async def foreign_rebuild(w: World) -> str:
    droplet = await w.take_until_off()
    await w.until(lambda: w.ours(droplet), 20, "Snapshot")
    w.digitalocean.script["power_on"] = [Refusal(422, "Droplet already has a pending event.")]
    w.digitalocean.restore_powers_on = False
    w.digitalocean.stranger(droplet, "rebuild", Outcome(takes=3))
    await w.announced(60)
    await w.clock.sleep(10)
    return f"Droplet is {droplet.status}"


@case("power: `Leave it off` by a holder of the take right only", limit=100)
async def leave_off(w: World) -> str:
    bob = w.discord.person("bob", roles=[TAKE_ROLE])
    w.digitalocean.usual["power_on"] = Outcome(status="errored", works=False)
    droplet = w.digitalocean.add_droplet("web-1")
    await w.start()
    await w.discord.command(bob, "take", droplet="web-1")
    w.clock.run_at(10)
    try:
        await w.until(lambda: w.asked("leave|handle"), 12 * MINUTE, "a button to leave it off")
    except Broken:
        return f"no such button within 12 min; {len(w.calls_for_people(bob))} calls to the asker"
    w.clock.run_at(1)
    reply = await w.pressed("leave|handle", bob)
    w.digitalocean.usual.pop("power_on")
    w.clock.run_at(10)
    await w.back_on(droplet, 12 * MINUTE)
    return f"refused with {reply.text[:100]!r}"
