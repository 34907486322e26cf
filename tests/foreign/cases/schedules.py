"""Snapshots by schedule: what runs, what is kept, who hears of it."""

from __future__ import annotations

import asyncio
import re
from datetime import UTC, datetime

from world.digitalocean import ACTIVE, OFF, Droplet, Outcome
from world.discord import Message, Person, Reply
from world.harness import RESTORE_ROLE, TAKE_ROLE, World, case

SPEED = 700.0  # of idle hours
DAY = "2026-03-{:02}T{}+00:00"


def at(day: int, time: str) -> str:
    """That time (`HH:MM:SS`) of a day of March 2026."""
    return DAY.format(day, time)


async def planned(w: World, person: Person | None = None, start: str = at(1, "12:00:00"), **options: str) -> Droplet:
    """A schedule of `web-1`, made by ada; daily at 03:00 unless told otherwise."""
    w.clock.set(start)
    web = w.digitalocean.add_droplet("web-1")
    await w.start()
    await added(w, person, **options)
    return web


async def added(w: World, person: Person | None = None, **options: str) -> Reply:
    person = person or w.ada
    asked = {"what": "web-1", "every": "day", "at": "03:00", "keep": "2 daily", **options}
    review = await w.discord.command(person, "add", root="schedule", **{k: v for k, v in asked.items() if v})
    done = await w.discord.press(person, review, "create")
    w.expect("Done" in done.text, f"not created: {done.text[:200]!r}")
    return review


async def named(w: World, n: int = 0) -> str:
    """What autocomplete offers for the n-th schedule."""
    offered = await w.discord.complete(w.ada, "show", "schedule", root="schedule", schedule="")
    w.expect(len(offered.choices) > n, f"{len(offered.choices)} schedules are offered")
    return str(offered.choices[n]["value"])


async def tell(w: World, name: str, person: Person | None = None, **options: str) -> Reply:
    return await w.discord.command(person or w.ada, name, root="schedule", schedule=await named(w), **options)


async def asleep(w: World, until: str) -> None:
    """The bot is dead until then."""
    await w.kill()
    w.clock.run_at(1)
    w.clock.leap(datetime.fromisoformat(until).timestamp() - w.clock.now())
    await w.start()


async def nights(w: World, web: Droplet, *days: int, time: str = "02:59:58") -> None:
    """The bot is dead but for some minutes around each slot, and takes it."""
    for day in days:
        before = len(w.ours(web))
        await asleep(w, at(day, time))
        await w.until(lambda before=before: len(w.ours(web)) > before, 60, f"a Snapshot on day {day}")
        await w.back_on(web, 60)
        await w.clock.sleep(8)


def living(w: World) -> Message:
    found = [m for m in w.discord.live() if m.text.startswith("Schedule of")]
    w.expect(len(found) == 1, f"{len(found)} messages of the schedule")
    return found[0]


def deleted(w: World) -> list[str]:
    return [c.path for c in w.digitalocean.calls if c.method == "DELETE"]


def rung(w: World, person: Person | None = None) -> list[Message]:
    return [m for m in w.discord.messages if m.rang(person or w.ada)]


@case("schedule: a night: one Snapshot, taken off, one message, nobody rung", limit=60)
async def night(w: World) -> None:
    web = await planned(w)
    await nights(w, web, 2)
    w.expect([s.taken for s in w.ours(web)] == [OFF], "not one Snapshot, taken off")
    w.expect("taken" in living(w).text, living(w).text)
    w.expect(not rung(w), "rung")
    w.expect(len(w.discord.live()) == 1, f"{len(w.discord.live())} messages")


@case("schedule: prune: only its own, not before 24 h after the notice, never pinned or foreign ones", limit=400)
async def prune(w: World) -> str:
    web = await planned(w, keep="1 last")
    foreign = w.digitalocean.add_snapshot(web, "web-1-2026-01-01-0300-hsxxxx", age=86400 * 40)
    manual = w.digitalocean.add_snapshot(web, "by-hand", age=86400 * 50)
    known = {foreign.id, manual.id}
    await nights(w, web, 2)
    first = next(s for s in w.ours(web, known))
    await nights(w, web, 3)
    second = next(s for s in w.ours(web, known) if s.id != first.id)
    notice = w.clock.now()
    w.expect(re.search("delete", living(w).text), f"no notice: {living(w).text}")
    deadline = datetime.fromtimestamp(notice + 86400 - 120, UTC).isoformat()
    await w.clock.until_time(deadline, SPEED, 5)
    w.expect(first.id in w.digitalocean.snapshots, "deleted before 24 h were over")
    await w.until(lambda: first.id not in w.digitalocean.snapshots, 7200, "deleted within two hours after the 24")
    late = w.clock.now() - notice - 86400
    await w.clock.sleep(60)
    w.expect(len(deleted(w)) == 1, f"deleted {deleted(w)}")
    w.expect(known <= set(w.digitalocean.snapshots), "a foreign one is gone")
    w.expect(second.id in w.digitalocean.snapshots, "the newest but one went without notice")
    return f"{late:.0f} s after the 24 h"


@case("schedule: pinned meanwhile: not deleted; unpinned: announced again for 24 h", limit=500)
async def pinned(w: World) -> None:
    web = await planned(w, keep="1 last")
    await nights(w, web, 2)
    first = w.ours(web)[0]
    await nights(w, web, 3)
    value = await w.choice(w.ada, "pin", "snapshot", first.name[-8:])
    said = await w.discord.command(w.ada, "pin", snapshot=value, reason="audit")
    w.expect("pin" in said.text.lower(), said.text)
    await w.clock.until_time(at(4, "02:50:00"), SPEED, 4)
    await w.clock.until_time(at(4, "03:20:00"), 20, 4)
    w.expect(first.id in w.digitalocean.snapshots, "a pinned Snapshot was deleted")
    value = await w.choice(w.ada, "unpin", "snapshot", first.name[-8:])
    await w.discord.command(w.ada, "unpin", snapshot=value)
    unpinned = w.clock.now()
    await w.clock.sleep(600)
    w.expect(first.id in w.digitalocean.snapshots, "deleted at once after unpin, without another notice")
    await w.clock.until_time(datetime.fromtimestamp(unpinned + 86400 - 1800, UTC).isoformat(), SPEED, 20)
    w.expect(first.id in w.digitalocean.snapshots, "deleted less than 24 h after unpin")


@case("schedule: dead at the slot, back within four hours: one run catches up", limit=60)
async def catch_up(w: World) -> None:
    web = await planned(w)
    await asleep(w, at(2, "06:30:00"))
    await w.until(lambda: len(w.ours(web)) == 1, 60, "a Snapshot")
    await w.back_on(web, 30)
    await w.clock.sleep(10)
    w.expect(len(w.ours(web)) == 1, "not one")


@case("schedule: dead for three days, back after the window: none now, what was missed is said to the owner", limit=60)
async def missed(w: World) -> str:
    web = await planned(w)
    await asleep(w, at(5, "08:00:00"))
    await w.until(lambda: rung(w), 90, "the owner is told what was missed")
    await w.clock.sleep(10)
    w.expect(not w.ours(web), "a Snapshot outside every window")
    w.expect(len(rung(w)) == 1, f"{len(rung(w))} messages rang")
    return rung(w)[0].text[:300]


@case("schedule: dead for three days, back inside the window: one run, the others missed and said", limit=60)
async def missed_and_caught(w: World) -> str:
    web = await planned(w)
    await asleep(w, at(5, "05:00:00"))
    await w.until(lambda: len(w.ours(web)) == 1, 60, "a Snapshot")
    await w.clock.sleep(20)
    w.expect(len(w.ours(web)) == 1, "more than one")
    return " / ".join(m.text[:300] for m in rung(w))


@case("schedule: the Droplet is busy for 30 minutes at the slot: taken when it is free", limit=150)
async def busy(w: World) -> None:
    web = await planned(w)
    await asleep(w, at(2, "02:58:00"))
    w.digitalocean.stranger(web, "resize", Outcome(takes=1900))
    await w.clock.until_time(at(2, "03:29:00"), 60, 5)
    w.expect(not w.digitalocean.posts("shutdown"), "a shutdown while something else is in progress")
    await w.until(lambda: len(w.ours(web)) == 1, 600, "a Snapshot once it is free")
    await w.back_on(web, 60)
    w.expect(not rung(w), f"rung: {[m.text for m in rung(w)]}")


@case("schedule: the Droplet is busy for five hours at the slot: missed, said, not taken late", limit=200)
async def too_busy(w: World) -> str:
    web = await planned(w)
    await asleep(w, at(2, "02:58:00"))
    w.digitalocean.stranger(web, "resize", Outcome(takes=5 * 3600))
    await w.clock.until_time(at(2, "07:10:00"), 200, 5)
    await w.until(lambda: rung(w), 300, "the owner is told")
    await w.clock.until_time(at(2, "08:30:00"), 200, 5)
    w.expect(not w.ours(web), "taken after its window")
    w.expect(len(rung(w)) == 1, f"{len(rung(w))} messages rang")
    return rung(w)[0].text[:300]


@case(
    "schedule: the Snapshot errs: on again, the owner is rung once, not repeated by itself; Try again, twice", limit=150
)
async def fails(w: World) -> str:
    web = await planned(w)
    bob = w.discord.person("bob", roles=[RESTORE_ROLE])
    eve = w.discord.person("eve", roles=[TAKE_ROLE])
    w.digitalocean.script["snapshot"] = [Outcome(takes=1, status="errored", works=False)]
    await asleep(w, at(2, "02:59:50"))
    await w.until(lambda: rung(w), 120, "the owner is rung")
    await w.back_on(web, 60)
    said = rung(w)[0]
    await w.clock.until_time(at(2, "03:30:00"), 60, 3)
    w.expect(not w.ours(web), "repeated by itself")
    w.expect(len(rung(w)) == 1, f"{len(rung(w))} messages rang")
    await asleep(w, at(2, "04:00:00"))
    refused = await w.discord.press(eve, said, "try again")
    w.expect(not w.ours(web) and not re.search("^Done|started", refused.text), f"eve: {refused.text}")
    one, two = await asyncio.gather(w.discord.press(w.ada, said, "try again"), w.discord.press(bob, said, "try again"))
    for person, reply in ((w.ada, one), (bob, two)):
        if reply.buttons:
            try:
                await w.discord.press(person, reply, "take|yes|try|shut")
            except LookupError:
                pass
    await w.until(lambda: w.ours(web), 60, "a Snapshot after Try again")
    await w.clock.sleep(30)
    w.expect(len(w.ours(web)) == 1, f"{len(w.ours(web))} Snapshots after two presses")
    await w.back_on(web, 60)
    return f"{said.text[:250]} // eve: {refused.text[:120]} // {one.text[:160]} // {two.text[:160]}"


@case("schedule: clock set back an hour after the run: nothing twice", limit=260)
async def set_back(w: World) -> None:
    web = await planned(w)
    await nights(w, web, 2)
    w.clock.step_bot(-3600)
    w.clock.run_at(30)
    await w.clock.sleep(4200)
    w.expect(len(w.ours(web)) == 1, f"{len(w.ours(web))} Snapshots")


@case("schedule: clock set forward two days while it runs: missed is said, no Snapshot for the past", limit=260)
async def set_forward(w: World) -> str:
    web = await planned(w)
    await w.clock.sleep(5)
    w.clock.step_bot(2 * 86400)
    w.clock.run_at(10)
    await w.until(lambda: rung(w), 1500, "the owner is told")
    w.expect(not w.ours(web), "taken")
    return rung(w)[0].text[:300]


@case("schedule: hung shutdown, if-hung live / skip / force: as asked, nobody asked at night", limit=200)
async def hung(w: World) -> str:
    web = await planned(w, if_hung="skip")
    seen = []
    w.digitalocean.usual["shutdown"] = Outcome(takes=1, works=False)
    await asleep(w, at(2, "02:59:50"))
    await w.until(lambda: rung(w), 60, "the owner is rung")
    w.expect(not w.ours(web) and web.status == ACTIVE, "skip took one")
    w.expect(not w.digitalocean.posts("power_off"), "skip cut the power")
    seen.append(rung(w)[0].text[:200])
    await tell_removed(w)
    await added(w, if_hung="live")
    await asleep(w, at(3, "02:59:50"))
    await w.until(lambda: w.ours(web), 60, "live took one")
    await w.clock.sleep(10)
    w.expect(len(w.ours(web)) == 1 and not w.digitalocean.posts("power_off"), "live")
    seen += [m.text[:200] for m in rung(w)[1:]]
    await tell_removed(w)
    await added(w, if_hung="force")
    await asleep(w, at(4, "02:59:50"))
    await w.until(lambda: len(w.ours(web)) == 2, 60, "force took one")
    await w.back_on(web, 60)
    w.expect(w.ours(web)[1].taken == OFF, "force: taken while on")
    return " // ".join(seen)


async def tell_removed(w: World) -> None:
    question = await tell(w, "remove")
    if question.buttons:
        await w.discord.press(w.ada, question, "remove|end|yes")
    offered = await w.discord.complete(w.ada, "show", "schedule", root="schedule", schedule="")
    w.expect(not offered.choices, f"still offered: {[c['name'] for c in offered.choices]}")


@case(
    "schedule: the owner leaves: taken for seven days, none deleted, somebody is called; then it pauses",
    limit=400,
    FAILURE_ROLE="400000000000000004",
)
async def owner_left(w: World) -> str:
    web = await planned(w, keep="1 last")
    await nights(w, web, 2)
    w.ada.left = True
    for day in range(3, 10):
        await asleep(w, at(day, "02:59:55"))
        await w.clock.sleep(20)
    taken = len(w.ours(web))
    calls = [m.text[:160] for m in w.discord.live() if "take" in m.text.lower() and "owns" in m.text]
    roles = [m for m in w.discord.messages if m.rang_role("400000000000000004")]
    w.expect(not deleted(w), f"deleted {deleted(w)}")
    w.expect(taken >= 7, f"{taken} taken within the seven days")
    for day in range(10, 13):
        await asleep(w, at(day, "02:59:55"))
        await w.clock.sleep(20)
    w.expect(not deleted(w), f"deleted {deleted(w)}")
    end = len(w.ours(web))
    w.expect(end <= taken + 2, f"{end} taken: it does not pause")
    state = await tell(w, "show")
    w.expect("pause" in state.text.lower(), f"not paused: {state.text[:300]}")
    return f"{taken}, {end} taken; {len(calls)} calls, {len(roles)} rang the role; {calls[:1]}"


@case("schedule: the Droplet is destroyed: said, nothing deleted", limit=260)
async def destroyed(w: World) -> str:
    web = await planned(w, keep="1 last")
    await nights(w, web, 2, 3)
    w.digitalocean.destroy(web)
    for day in (4, 5, 6):
        await asleep(w, at(day, "02:59:55"))
        await w.clock.sleep(30)
    w.expect(not deleted(w), f"deleted {deleted(w)}")
    w.expect(rung(w), "nobody was told")
    state = await tell(w, "show")
    return f"{len(rung(w))} rung: " + " / ".join(m.text[:200] for m in rung(w)) + " // " + state.text[:300]


@case("schedule: two presses of Create: one schedule; a stranger's press: none; after 15 minutes: none", limit=90)
async def create_twice(w: World) -> str:
    w.clock.set(at(1, "12:00:00"))
    w.digitalocean.add_droplet("web-1")
    bob = w.discord.person("bob", roles=[RESTORE_ROLE])
    await w.start()
    options = {"what": "web-1", "every": "day", "at": "03:00", "keep": "2 daily"}
    review = await w.discord.command(w.ada, "add", root="schedule", **options)
    strange = await w.discord.press(bob, review, "create")
    offered = await w.discord.complete(w.ada, "show", "schedule", root="schedule", schedule="")
    w.expect(not offered.choices, "a stranger's press created it")
    button = review.buttons[0]["custom_id"]
    both = await asyncio.gather(w.discord.press_id(w.ada, review, button), w.discord.press_id(w.ada, review, button))
    offered = await w.discord.complete(w.ada, "show", "schedule", root="schedule", schedule="")
    w.expect(len(offered.choices) == 1, f"{len(offered.choices)} schedules")
    w.expect(all(r.kind is not None for r in both), "a press without an answer")
    review = await w.discord.command(w.ada, "add", root="schedule", **{**options, "at": "05:00"})
    await asleep(w, at(1, "12:20:00"))
    late = await w.discord.press(w.ada, review, "create")
    offered = await w.discord.complete(w.ada, "show", "schedule", root="schedule", schedule="")
    w.expect(len(offered.choices) == 1, "created after the review closed")
    return f"{strange.text[:100]} // {[r.text[:100] for r in both]} // {late.text[:120]}"
