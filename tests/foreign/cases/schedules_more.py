"""Snapshots by schedule, when something goes wrong: deaths, odd nights, people who leave, lists that lie."""

from __future__ import annotations

import asyncio
import re
from datetime import UTC, datetime, timedelta
from itertools import takewhile
from zoneinfo import ZoneInfo

from cases.schedules import (
    SPEED,
    added,
    asleep,
    at,
    deleted,
    living,
    named,
    nights,
    planned,
    rung,
    tell,
)
from world.digitalocean import OFF, Droplet, Outcome
from world.discord import Reply
from world.harness import GUILD, RESTORE_ROLE, TAKE_ROLE, VIEW_ROLE, World, case
from world.http import Call, Cut, answering, page

OTHER_GUILD, OTHER_CHANNEL = "100000000000000012", "300000000000000012"


async def review(w: World, **options: str) -> Reply:
    return await w.discord.command(w.ada, "add", root="schedule", what="web-1", **{"keep": "2 daily", **options})


def runs(reply: Reply, zone: str) -> list[str]:
    _, _, rest = reply.text.partition("**Next runs:**\n")
    listed = takewhile(lambda line: line.startswith("•"), rest.splitlines())
    found = [datetime.fromtimestamp(int(t), ZoneInfo(zone)) for line in listed for t in re.findall(r"<t:(\d+):f>", line)]
    return [t.strftime("%a %d.%m %H:%M") + f" {t.utcoffset()}"[:3] for t in found]


@case("schedule times: gap, fold, month ends, half hours: the review's next five runs", limit=60)
async def times(w: World) -> str:
    w.clock.set("2026-03-27T12:00:00+00:00")
    w.digitalocean.add_droplet("web-1")
    await w.start()
    seen = []

    async def due(zone: str, expected: list[str], **options: str) -> None:
        reply = await review(w, timezone=zone, **options)
        got = [r[:-3].strip() for r in runs(reply, zone)]
        seen.append(f"{options} {zone}: {got}")
        w.expect(got == expected, f"{options} in {zone}: {got}, not {expected}; {reply.text[:200]}")

    await due(
        "Europe/Berlin",
        ["Sat 28.03 02:30", "Sun 29.03 03:00", "Mon 30.03 02:30", "Tue 31.03 02:30", "Wed 01.04 02:30"],
        every="day",
        at="02:30",
    )
    await due(
        "Europe/Berlin",
        ["Fri 27.03 13:30", "Fri 27.03 19:30", "Sat 28.03 01:30", "Sat 28.03 07:30", "Sat 28.03 13:30"],
        every="6h",
        at="01:30",
    )
    await due(
        "UTC",
        ["Tue 31.03 03:00", "Thu 30.04 03:00", "Sun 31.05 03:00", "Tue 30.06 03:00", "Fri 31.07 03:00"],
        every="month",
        on="31",
        at="03:00",
    )
    await due(
        "UTC",
        ["Sun 29.03 03:00", "Sun 05.04 03:00", "Sun 12.04 03:00", "Sun 19.04 03:00", "Sun 26.04 03:00"],
        every="week",
        on="sunday",
        at="03:00",
    )
    await due(
        "UTC",
        ["Mon 30.03 03:00", "Tue 31.03 03:00", "Wed 01.04 03:00", "Thu 02.04 03:00", "Fri 03.04 03:00"],
        every="cron 0 3 * * 1-5",
    )
    await due(
        "Australia/Lord_Howe",
        ["Sun 29.03 01:45", "Sun 05.04 01:45", "Sun 12.04 01:45", "Sun 19.04 01:45", "Sun 26.04 01:45"],
        every="week",
        on="sunday",
        at="01:45",
    )
    return " // ".join(seen)


def moment(when: str, seconds: float = 0.0) -> str:
    return (datetime.fromisoformat(f"{when}:00+00:00") + timedelta(seconds=seconds)).isoformat()


def minutes(w: World, web: Droplet) -> list[str]:
    """When the Droplet was told to shut down, to the minute, in UTC."""
    begun = [a.started for a in w.digitalocean.actions.values() if a.droplet == web.id and a.type == "shutdown"]
    return [datetime.fromtimestamp(t, UTC).strftime("%Y-%m-%dT%H:%M") for t in sorted(begun)]


def autumn(zone: str, time: str, first: str, second: str) -> None:
    @case(f"schedule times: an autumn night, {zone} shows {time} twice: one Snapshot, the first time", limit=200)
    async def fold(w: World) -> None:
        web = await planned(w, start=moment(first, -12 * 3600), at=time, timezone=zone)
        await asleep(w, moment(first, -600))
        await w.clock.until_time(moment(first, -10), 60, 2)
        await w.until(lambda: len(w.ours(web)) == 1, 60, "one Snapshot")
        await w.clock.until_time(moment(second, -10), 120, 2)
        await w.clock.until_time(moment(second, 120), 6, 2)
        await w.clock.until_time(moment(second, 5400), 180, 2)
        w.expect(len(w.ours(web)) == 1, f"{len(w.ours(web))} Snapshots")
        w.expect(minutes(w, web) == [first], f"begun at {minutes(w, web)}, not at {first}")


def spring(zone: str, time: str, end: str) -> None:
    @case(f"schedule times: a spring night, {zone} skips {time}: one Snapshot when the clock goes on", limit=120)
    async def gap(w: World) -> None:
        web = await planned(w, start=moment(end, -12 * 3600), at=time, timezone=zone)
        await asleep(w, moment(end, -2100))
        await w.clock.until_time(moment(end, -60), 60, 3)
        w.expect(not minutes(w, web), f"begun at {minutes(w, web)}, before {end}")
        await w.until(lambda: len(w.ours(web)) == 1, 150, "one Snapshot")
        await w.back_on(web, 60)
        w.expect(minutes(w, web) == [end], f"begun at {minutes(w, web)}, not at {end}")


# By the zones' own rules; Lord Howe's clock is changed by half an hour.
autumn("Europe/Berlin", "02:30", "2026-10-25T00:30", "2026-10-25T01:30")
autumn("Australia/Lord_Howe", "01:45", "2026-04-04T14:45", "2026-04-04T15:15")
autumn("America/St_Johns", "01:30", "2026-11-01T04:00", "2026-11-01T05:00")
spring("Europe/Berlin", "02:30", "2026-03-29T01:00")
spring("Australia/Lord_Howe", "02:15", "2026-10-03T15:30")
spring("America/St_Johns", "02:30", "2026-03-08T05:30")


@case("schedule: nonsense in every option is refused with a sentence, and nothing is made", limit=90)
async def nonsense(w: World) -> str:
    w.clock.set(at(1, "12:00:00"))
    w.digitalocean.add_droplet("web-1")
    await w.start()
    seen = []
    base = {"every": "day", "at": "03:00"}
    for options in (
        {**base, "at": "25:00"},
        {**base, "at": "3am"},
        {**base, "at": "-1:00"},
        {**base, "timezone": "Mars/Phobos"},
        {**base, "timezone": "@everyone"},
        {**base, "keep": "0 daily"},
        {**base, "keep": "-1 last"},
        {**base, "keep": "99999999999999999999 daily"},
        {**base, "keep": "everything"},
        {**base, "every": "0h"},
        {**base, "every": "5h"},
        {**base, "every": "week", "on": "funday"},
        {**base, "every": "month", "on": "0"},
        {**base, "every": "month", "on": "32"},
        {"every": "cron */5 * * * *"},
        {"every": "cron 0 3 * *"},
        {"every": "cron 60 3 * * *"},
        {"every": "cron 0 3 31 2 *"},
        {"every": "cron 0,30 3 1 1 *"},
        {"every": "cron"},
        {"every": "x" * 2000},
    ):
        reply = await review(w, **options)
        w.expect(reply.kind is not None and reply.text, f"{options}: no answer")
        w.expect(not [b for b in reply.buttons if "create" in b["label"].lower()], f"{options}: {reply.text[:300]}")
        w.expect(len(reply.text) <= 2000, "too long")
        seen.append(f"{str(options)[:60]}: {reply.text[:110]}")
    missing = await w.discord.command(w.ada, "add", root="schedule", what="nobody", every="day", keep="2 daily")
    seen.append(missing.text[:120])
    return " // ".join(seen)


async def sweep(w: World, web: Droplet, when: str, first: int, last: int) -> str:
    """One night for each call: the bot dies right before (or after) it, and is started again."""
    count = 0
    for n, day in zip(range(first, last, 2), range(2, 31), strict=False):
        known = {s.id for s in w.digitalocean.snapshots.values()}
        await asleep(w, at(day, "02:59:57"))
        began = len(w.digitalocean.calls)

        async def die(call: Call, run: object) -> object:
            if when == "after":
                await run()
            w.kill_now()
            raise Cut

        w.digitalocean.heal()
        w.digitalocean.fault(lambda c: c.is_("GET", ".*") or c.method == "POST", die, times=1, skip=n)
        end = w.clock.elapsed() + 25
        while w.process.returncode is None and w.clock.elapsed() < end:
            await asyncio.sleep(0.05)
        if w.process.returncode is None:
            break
        count += 1
        w.digitalocean.heal()
        await w.clock.sleep(2)
        await w.start()
        await w.until(lambda known=known: w.ours(web, known), 60, f"call {n}: a Snapshot")
        await w.back_on(web, 60)
        await w.clock.sleep(6)
        taken = w.ours(web, known)
        w.expect(
            len(taken) == 1, f"call {n}: {len(taken)} Snapshots; calls {[str(c) for c in w.digitalocean.calls[began:]]}"
        )
        w.expect(taken[0].taken == OFF, f"call {n}: taken while {taken[0].taken}")
        w.expect(not rung(w), f"call {n}: rung: {[m.text for m in rung(w)]}")
        w.expect(len(w.discord.live()) == 1, f"call {n}: {[m.text[:100] for m in w.discord.live()]}")
    return f"{count} nights, each with a death"


@case("schedule: killed right before every second request of a night: one Snapshot, on again, nobody rung", limit=600)
async def sweep_before(w: World) -> str:
    return await sweep(w, await planned(w, keep="60 last"), "before", 0, 24)


@case("schedule: killed right after every other request of a night: one Snapshot, on again, nobody rung", limit=600)
async def sweep_after(w: World) -> str:
    return await sweep(w, await planned(w, keep="60 last"), "after", 1, 24)


@case("schedule: Discord is away at the slot and for 10 minutes: taken; edited later, nobody rung", limit=120)
async def no_discord(w: World) -> None:
    web = await planned(w)
    await asleep(w, at(2, "02:59:50"))
    w.discord.down = True
    await w.discord.disconnect()
    await w.until(lambda: w.ours(web), 60, "a Snapshot")
    await w.back_on(web, 60)
    w.clock.run_at(20)
    await w.clock.sleep(600)
    w.discord.down = False
    w.clock.run_at(3)
    if w.process.returncode is not None:  # it ends after five minutes without a gateway; its supervisor starts it
        await w.start()
    await w.until(lambda: w.discord.live() and "taken" in living(w).text, 900, "the message is edited")
    w.expect(not rung(w), f"rung: {[m.text for m in rung(w)]}")
    w.expect(len(w.ours(web)) == 1, "not one")


async def outage(w: World, effect: object) -> str:
    web = await planned(w)
    await asleep(w, at(2, "02:59:50"))
    w.digitalocean.fault(lambda c: True, effect)
    w.clock.run_at(20)
    await w.clock.sleep(600)
    w.digitalocean.heal()
    w.clock.run_at(5)
    await w.until(lambda: w.ours(web), 3600, "a Snapshot after the outage")
    late = w.clock.now() - datetime.fromisoformat(at(2, "03:10:00")).timestamp()
    await w.back_on(web, 60)
    await w.clock.sleep(30)
    w.expect(len(w.ours(web)) == 1, f"{len(w.ours(web))} Snapshots")
    w.expect(not rung(w), f"rung: {[m.text for m in rung(w)]}")
    return f"{late:.0f} s after it"


@case("schedule: DigitalOcean is 503 from the slot on for 10 minutes: taken after it", limit=150)
async def outage_503(w: World) -> str:
    return await outage(w, answering(503, {"id": "server_error", "message": "Service unavailable"}))


@case("schedule: DigitalOcean is a page with 200 from the slot on for 10 minutes: taken after it", limit=150)
async def outage_page(w: World) -> str:
    return await outage(w, page(200))


@case("schedule prune: the newest is deleted by hand after the notice: the older one, now the newest, stays", limit=400)
async def prune_newest_gone(w: World) -> str:
    web = await planned(w, keep="1 last")
    await nights(w, web, 2)
    first = w.ours(web)[0]
    await nights(w, web, 3)
    second = next(s for s in w.ours(web) if s.id != first.id)
    w.expect("deleted" in living(w).text, living(w).text)
    await w.clock.until_time(at(3, "20:00:00"), SPEED, 5)
    del w.digitalocean.snapshots[second.id]
    await w.clock.until_time(at(4, "02:50:00"), SPEED, 5)
    w.digitalocean.stranger(web, "resize", Outcome(takes=4 * 3600))
    await w.clock.until_time(at(4, "06:30:00"), SPEED / 2, 5)
    w.expect(first.id in w.digitalocean.snapshots, "the last good Snapshot was deleted")
    return living(w).text


async def due_prune(w: World, effect: object, heal_after: float = 1800) -> None:
    """Night 4 is at hand and night 2's Snapshot is due to go; the lists are meddled with meanwhile."""
    web = await planned(w, keep="1 last")
    await nights(w, web, 2)
    first = w.ours(web)[0]
    await nights(w, web, 3)
    await w.clock.until_time(at(4, "02:56:00"), SPEED, 5)
    w.digitalocean.fault(lambda c: c.method == "GET" and "snapshots" in c.path, effect)
    await w.clock.until_time(at(4, "03:30:00"), 20, 5)
    w.expect(not deleted(w), f"deleted although the lists could not be read: {deleted(w)}")
    w.digitalocean.heal()
    await w.until(lambda: first.id not in w.digitalocean.snapshots, 3 * 3600, "deleted once the lists are good")


@case("schedule prune: lists of Snapshots are `null` when it is due: nothing goes until they are good", limit=500)
async def prune_null(w: World) -> None:
    await due_prune(w, answering(200, {"snapshots": None, "links": {}, "meta": {"total": 2}}))


@case("schedule prune: a bot away when it was due announces anew", limit=200)
async def prune_away(w: World) -> str:
    web = await planned(w, keep="1 last")
    await nights(w, web, 2)
    first = w.ours(web)[0]
    await nights(w, web, 3)
    await asleep(w, at(5, "10:00:00"))
    await w.clock.sleep(60)
    w.clock.run_at(60)
    await w.clock.sleep(3600)
    w.expect(first.id in w.digitalocean.snapshots, "deleted at once after an absence")
    return living(w).text


@case("schedule prune: killed right before / after the DELETE: that one goes, and no other", limit=500)
async def prune_killed(w: World) -> str:
    web = await planned(w, keep="1 last")
    await nights(w, web, 2, 3)
    first, second = sorted(w.ours(web), key=lambda s: s.created)
    await w.clock.until_time(at(4, "02:50:00"), SPEED, 5)

    async def die(call: Call, run: object) -> object:
        await run()
        w.kill_now()
        raise Cut

    w.digitalocean.fault(lambda c: c.method == "DELETE", die, times=1)
    w.clock.run_at(10)
    await w.until(lambda: w.process.returncode is not None, 7200, "died at the DELETE")
    w.clock.run_at(1)
    await w.start()
    w.clock.run_at(10)
    await w.clock.sleep(1200)
    left = {s.id for s in w.ours(web)}
    w.expect(first.id not in left and second.id in left, "another one went")
    w.expect(len(deleted(w)) <= 2, f"{deleted(w)}")
    w.expect(not rung(w), f"rung: {[m.text for m in rung(w)]}")
    return living(w).text[:400]


@case("schedule prune: the newest is less than half as large: nothing goes, somebody is asked", limit=400)
async def prune_small(w: World) -> str:
    web = await planned(w, keep="1 last")
    await nights(w, web, 2)
    first = w.ours(web)[0]
    w.digitalocean.late_size = 0.4
    await nights(w, web, 3)
    await w.clock.until_time(at(4, "02:00:00"), SPEED, 5)
    await w.clock.until_time(at(4, "02:59:50"), 60, 3)
    await w.clock.sleep(40)
    await w.clock.until_time(at(4, "05:00:00"), SPEED, 5)
    w.expect(first.id in w.digitalocean.snapshots, "the last plausible Snapshot was deleted")
    return " // ".join(m.text[:300] for m in w.discord.live()) + str([m.text[:100] for m in rung(w)])


@case("schedule prune: nothing goes for a week after a restore", limit=300)
async def prune_restored(w: World) -> str:
    web = await planned(w, keep="1 last")
    await nights(w, web, 2, 3)
    first = min(w.ours(web), key=lambda s: s.created)
    value = await w.choice(w.ada, "restore", "snapshot", first.name[-8:], droplet="web-1")
    question = await w.discord.command(w.ada, "restore", droplet="web-1", snapshot=value)
    await w.discord.press(w.ada, question, "restore")
    await w.announced(40)
    await w.back_on(web, 30)
    await w.clock.until_time(at(4, "02:50:00"), SPEED, 5)
    await w.clock.until_time(at(4, "04:00:00"), 60, 5)
    w.expect(not deleted(w), f"deleted {deleted(w)}")
    return living(w).text


@case("schedule: owner left for five nights, then taken over: more than three would go: a question first", limit=500)
async def take_over(w: World) -> str:
    bob = w.discord.person("bob", roles=[RESTORE_ROLE])
    tom = w.discord.person("tom", roles=[TAKE_ROLE])
    web = await planned(w, keep="1 last")
    await nights(w, web, 2)
    w.ada.left = True
    await nights(w, web, 3, 4, 5, 6)
    refused = await tell(w, "take-over", tom)
    w.expect("need" in refused.text, refused.text)
    done = await tell(w, "take-over", bob)
    if done.buttons:
        await w.discord.press_id(bob, done, done.buttons[0]["custom_id"])
    await nights(w, web, 7)
    await w.clock.sleep(60)
    asked = [m for m in w.discord.live() if m.buttons and re.search("delet", m.text)]
    await w.clock.until_time(at(8, "02:50:00"), SPEED, 5)
    await w.clock.until_time(at(8, "04:00:00"), 60, 5)
    w.expect(not deleted(w), f"deleted without a word: {deleted(w)}")
    w.expect(asked, f"no question: {[m.text[:300] for m in w.discord.live()]}")
    question = asked[-1]
    refused = await w.discord.press_id(tom, question, question.buttons[0]["custom_id"])
    await w.clock.sleep(5)
    w.expect(not deleted(w), f"a take right's press counted: {refused.text}")
    return (
        f"{done.text[:200]} // {question.text[:500]} {[b['label'] for b in question.buttons]} // {refused.text[:100]}"
    )


@case("schedule: paused: no run, nobody rung; resumed: nothing is caught up; odd `until`s are refused", limit=150)
async def pause(w: World) -> str:
    web = await planned(w)
    seen = []
    for until in ("yesterday", "2020-01-01", "-3d", "99999d", "0h", "2026-02-30", "3"):
        reply = await tell(w, "pause", until=until)
        w.expect(reply.kind is not None and reply.text, f"{until}: no answer")
        state = await tell(w, "show")
        seen.append(f"{until}: {reply.text[:90]}")
        if "paus" in state.text.lower():
            await tell(w, "resume")
            seen.append("PAUSED")
    await tell(w, "pause", until="3d")
    for day in (2, 3):
        await asleep(w, at(day, "02:59:55"))
        await w.clock.sleep(10)
    w.expect(not w.ours(web), "taken while paused")
    w.expect(not rung(w), f"rung: {[m.text for m in rung(w)]}")
    await asleep(w, at(4, "03:30:00"))
    await tell(w, "resume")
    await w.clock.sleep(60)
    w.expect(not w.ours(web), "caught up after resume")
    await nights(w, web, 5)
    w.expect(not rung(w), f"rung: {[m.text for m in rung(w)]}")
    return " // ".join(seen)


@case(
    "schedule: by right: every command; another guild looks and pauses, no more",
    limit=90,
    DISCORD_GUILD_ID=f"{GUILD},{OTHER_GUILD}",
)
async def rights(w: World) -> str:
    w.discord.guilds.append(OTHER_GUILD)
    w.discord.channels[OTHER_CHANNEL] = OTHER_GUILD
    tom = w.discord.person("tom", roles=[TAKE_ROLE])
    vic = w.discord.person("vic", roles=[VIEW_ROLE])
    nob = w.discord.person("nob")
    web = await planned(w)
    key = await named(w)
    for person in (tom, vic, nob):
        reply = await w.discord.command(person, "add", root="schedule", what="web-1", every="day", keep="2 daily")
        w.expect("need" in reply.text, f"{person.name} add: {reply.text}")
        for name in ("run", "pause", "resume", "take-over", "remove"):
            reply = await w.discord.command(person, name, root="schedule", schedule=key)
            w.expect("need" in reply.text, f"{person.name} {name}: {reply.text}")
    for name in ("list", "show", "preview"):
        options = {} if name == "list" else {"schedule": key}
        reply = await w.discord.command(nob, name, root="schedule", **options)
        w.expect("need" in reply.text, f"nob {name}: {reply.text}")
        reply = await w.discord.command(vic, name, root="schedule", **options)
        w.expect("web-1" in reply.text, f"vic {name}: {reply.text}")
    seen = []
    for name in ("run", "resume", "take-over", "remove", "list", "show", "preview", "pause"):
        options = {} if name == "list" else {"schedule": key}
        reply = await w.discord.command(w.ada, name, root="schedule", channel=OTHER_CHANNEL, **options)
        seen.append(f"{name}: {reply.text[:120]} {[b['label'] for b in reply.buttons]}")
        if name in ("run", "take-over", "remove") and reply.buttons:
            await w.discord.press_id(w.ada, reply, reply.buttons[0]["custom_id"])
            await w.clock.sleep(3)
    w.expect(not w.ours(web) and not w.digitalocean.posts("shutdown"), f"run in the other guild: {seen}")
    state = await tell(w, "show")
    w.expect("paus" in state.text.lower(), f"gone, or not paused: {state.text[:200]} {seen}")
    return " // ".join(seen)


@case("schedule: run: asks, two presses take one; preview says why; remove keeps the Snapshots", limit=120)
async def run_remove(w: World) -> str:
    web = await planned(w)
    question = await tell(w, "run")
    await w.clock.sleep(2)
    w.expect(not w.digitalocean.posts("shutdown"), "shut down without a yes")
    button = question.buttons[0]["custom_id"]
    seen = [question.text[:200]]
    await asyncio.gather(w.discord.press_id(w.ada, question, button), w.discord.press_id(w.ada, question, button))
    await w.until(lambda: w.ours(web), 40, "a Snapshot")
    await w.back_on(web, 40)
    await w.clock.sleep(5)
    w.expect(len(w.ours(web)) == 1, "two")
    seen.append((await tell(w, "preview")).text[:200])
    gone = await tell(w, "remove")
    seen.append(gone.text[:300])
    if gone.buttons:
        button = gone.buttons[0]["custom_id"]
        both = await asyncio.gather(w.discord.press_id(w.ada, gone, button), w.discord.press_id(w.ada, gone, button))
        seen += [b.text[:100] for b in both]
    await asleep(w, at(2, "03:30:00"))
    await w.clock.sleep(20)
    w.expect(len(w.ours(web)) == 1, "taken after its end")
    w.expect(not deleted(w), "deleted")
    return " // ".join(seen)


@case(
    "schedule: its message is deleted by somebody: posted anew; its channel is gone: told elsewhere",
    limit=150,
    NOTIFY_CHANNEL_ID="300000000000000002",
)
async def message_gone(w: World) -> str:
    web = await planned(w)
    await nights(w, web, 2)
    living(w).deleted = True
    await nights(w, web, 3)
    w.expect("taken" in living(w).text, "not posted anew")
    del w.discord.channels[w.discord.channel]
    w.digitalocean.script["snapshot"] = [Outcome(takes=1, status="errored", works=False)]
    await asleep(w, at(4, "02:59:50"))
    await w.until(
        lambda: [m for m in w.discord.live(w.discord.notify) if "no Snapshot at" in m.text], 120, "told in NOTIFY_CHANNEL_ID"
    )
    return " / ".join(m.text[:200] for m in w.discord.live(w.discord.notify))


@case("schedule: a failing night with FAILURE_ROLE", limit=60, FAILURE_ROLE="400000000000000004")
async def failure_role(w: World) -> str:
    web = await planned(w)
    w.digitalocean.script["snapshot"] = [Outcome(takes=1, status="errored", works=False)]
    await asleep(w, at(2, "02:59:50"))
    await w.until(lambda: rung(w), 60, "the owner is rung")
    await w.back_on(web, 60)
    return f"role rung: {bool([m for m in w.discord.messages if m.rang_role('400000000000000004')])}"


@case(
    "schedule: the owner's right ends between two nights; the member's answer is 503 / 404 / null: only the right one counts",
    limit=200,
)
async def owner_answers(w: World) -> str:
    web = await planned(w, keep="1 last")
    await nights(w, web, 2)
    seen = []
    for day, effect in (
        (3, answering(503, {"message": "x", "code": 0})),
        (4, page(502)),
        (5, answering(200, {})),
        (6, answering(403, {"message": "Missing Access", "code": 50001})),
    ):
        w.discord.heal()
        w.discord.fault(lambda c: "/members/" in c.path, effect)
        await nights(w, web, day)
        calls = [m for m in rung(w) if "owns" in m.text]
        seen.append(f"{day}: {len(calls)} calls")
        w.expect(not calls, f"day {day}: {calls[-1:] and calls[-1].text}")
    w.discord.heal()
    return " // ".join(seen)


@case("schedule: two Droplets of one name, one of them on the schedule; renamed meanwhile", limit=90)
async def same_name(w: World) -> str:
    web = await planned(w)
    twin = w.digitalocean.add_droplet("web-1")
    web.name = "web-renamed"
    await nights(w, web, 2)
    w.expect(len(w.ours(web)) == 1 and not w.ours(twin), "the twin was taken")
    return w.ours(web)[0].name + " / " + living(w).text[:100]


@case("schedule: Keep… under its message: not by view; by take: kept, shown by preview", limit=120)
async def keep_menu(w: World) -> str:
    tom = w.discord.person("tom", roles=[TAKE_ROLE])
    vic = w.discord.person("vic", roles=[VIEW_ROLE])
    web = await planned(w, keep="1 last")
    await nights(w, web, 2, 3)
    first = min(w.ours(web), key=lambda s: s.created)
    said = living(w)
    w.expect(said.menus, f"no Keep…: {said.text}")
    refused = await w.discord.select(vic, said, first.name[-8:])
    w.expect("need" in refused.text, refused.text)
    await w.discord.select(tom, said, first.name[-8:])
    await w.clock.sleep(5)
    preview = await tell(w, "preview")
    line = next((x for x in preview.text.splitlines() if f"<t:{int(first.created)}" in x), preview.text)
    w.expect("🧹" not in line, f"preview: {line}")
    w.expect("Will be deleted" not in living(w).text, living(w).text)
    value = await w.choice(w.ada, "delete", "snapshot", first.name[-8:])
    question = await w.discord.command(w.ada, "delete", snapshot=value)
    named_there = tom.id in question.text
    return f"{line}; named in delete's question: {named_there}; // {living(w).text[:400]}"


@case("schedule: TAKE_COOLDOWN, and a take by hand five minutes before the slot", limit=90, TAKE_COOLDOWN="10m")
async def cooldown(w: World) -> str:
    web = await planned(w)
    await asleep(w, at(2, "02:56:00"))
    await w.discord.command(w.ada, "take", droplet="web-1")
    await w.announced(40)
    await w.clock.until_time(at(2, "02:59:50"), 60, 4)
    await w.clock.until_time(at(2, "03:20:00"), 20, 4)
    await w.clock.sleep(20)
    return f"{len(w.ours(web))} Snapshots; {living(w).text[-300:]}; rung: {[m.text[:150] for m in rung(w)]}"


@case("schedule: two schedules of one Droplet at one minute: neither is lost", limit=90)
async def two_schedules(w: World) -> str:
    web = await planned(w)
    await added(w, keep="3 last")
    await asleep(w, at(2, "02:59:55"))
    await w.until(lambda: w.ours(web), 60, "a Snapshot")
    await w.clock.sleep(60)
    await w.back_on(web, 60)
    w.expect(not rung(w), f"rung: {[m.text for m in rung(w)]}")
    texts = [m.text for m in w.discord.live() if m.text.startswith("Schedule of")]
    w.expect(len(texts) == 2 and all("✅" in t for t in texts), f"{texts}")
    return f"{len(w.ours(web))} Snapshots // {texts[0][-120:]} // {texts[1][-120:]}"


@case(
    "schedule: the owner has left the guild: the call for another one rings somebody who is there",
    limit=120,
    FAILURE_ROLE="400000000000000004",
)
async def call_rings(w: World) -> str:
    w.discord.person("bob", roles=[RESTORE_ROLE])
    web = await planned(w, keep="1 last")
    await nights(w, web, 2)
    w.ada.left = True
    await nights(w, web, 3)
    calls = [m for m in w.discord.messages if "owns" in m.text]
    role = calls[0].rang_role("400000000000000004") or calls[0].rang_role(RESTORE_ROLE)
    bodies = [m.versions[0][1].get("content") for m in calls]
    w.expect(role or RESTORE_ROLE in str(bodies), f"{bodies} mentions nobody but who has left")
    return calls[0].text


@case("schedule: Delete them: not by take; pinned meanwhile: not deleted; two presses; never the newest", limit=300)
async def delete_them(w: World) -> str:
    bob = w.discord.person("bob", roles=[RESTORE_ROLE])
    tom = w.discord.person("tom", roles=[TAKE_ROLE])
    web = await planned(w, keep="1 last")
    foreign = w.digitalocean.add_snapshot(web, "web-1-20260228-0300-abcdefgh")
    await nights(w, web, 2)
    w.ada.left = True
    await nights(w, web, 3, 4, 5, 6)
    await tell(w, "take-over", bob)
    await nights(w, web, 7)
    said = living(w)
    w.expect([b for b in said.buttons if "delete" in b["label"].lower()], said.text)
    w.expect(not deleted(w), f"{deleted(w)}")
    refused = await w.discord.press(tom, said, "delete them")
    w.expect("need" in refused.text, refused.text)
    first, *_, newest = sorted((s for s in w.ours(web) if s.id != foreign.id), key=lambda s: s.created)
    value = await w.choice(bob, "pin", "snapshot", first.name[-8:])
    await w.discord.command(tom, "pin", snapshot=value, reason="audit")
    button = next(b for b in said.buttons if "delete" in b["label"].lower())["custom_id"]
    one, two = await asyncio.gather(w.discord.press_id(bob, said, button), w.discord.press_id(bob, said, button))
    seen = f"{one.text[:200]} {[b['label'] for b in one.buttons]} // {two.text[:120]}"
    if one.buttons:
        await w.discord.press_id(bob, one, one.buttons[0]["custom_id"])
    await w.clock.sleep(40)
    left = set(w.digitalocean.snapshots)
    w.expect({first.id, newest.id, foreign.id} <= left, f"one of pinned, newest, foreign is gone; {seen}")
    return f"{seen} // {len(deleted(w))} deleted, {len(left)} left // {living(w).text[:500]}"
