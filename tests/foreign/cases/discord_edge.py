"""The edge to Discord: answers that are refused or lost, threads and forums, rate limits, what one person may ask for."""

from __future__ import annotations

import asyncio
import urllib.error
import urllib.request

from world.digitalocean import Outcome
from world.discord import Reply
from world.harness import TAKE_ROLE, World, case
from world.http import Answer, Call, Effect, Run, answering, page

from .schedules import added, asleep, at, named, planned, tell

MINUTE = 60
GONE = answering(404, {"message": "Unknown interaction", "code": 10062})
SHUT_OUT = answering(403, {"message": "Missing Access", "code": 50001})
NO_CHANNEL = answering(404, {"message": "Unknown Channel", "code": 10003})


def is_first_answer(call: Call) -> bool:
    return call.path.endswith("/callback")


def is_post(call: Call) -> bool:
    return call.method == "POST" and call.path.endswith("/messages")


def in_any_channel(call: Call) -> bool:
    return "/channels/" in call.path


async def group(w: World, count: int = 2) -> None:
    for n in range(1, count + 1):
        w.digitalocean.add_droplet(f"web-{n}", tags=["prod"])
    await w.start()


async def nothing_is_shut_down(w: World) -> None:
    await w.clock.sleep(8)
    w.expect(not w.digitalocean.posts("shutdown"), f"shut down {len(w.digitalocean.posts('shutdown'))} times")


# -- what Discord has given up before it was answered -----------------------------------------------


@case("edge: *Take them* is heard after its interaction died: nothing is shut down", limit=60, quick=True)
async def late_group(w: World) -> None:
    await group(w)
    question = await w.discord.command(w.ada, "take-group", tag="prod")
    w.discord.fault(is_first_answer, GONE)
    await w.discord.press(w.ada, question, "take", wait=3)
    await nothing_is_shut_down(w)


@case("edge: a run of a schedule's group is confirmed after its interaction died: nothing is shut down", limit=60)
async def late_run_of_a_group(w: World) -> None:
    w.clock.set(at(1, "12:00:00"))
    await group(w)
    await added(w, what="tag:prod")
    question = await tell(w, "run")
    w.discord.fault(is_first_answer, GONE)
    await w.discord.press(w.ada, question, "take", wait=3)
    await nothing_is_shut_down(w)


@case("edge: *Create* is heard after its interaction died: there is no schedule", limit=60)
async def late_schedule(w: World) -> None:
    w.clock.set(at(1, "12:00:00"))
    w.digitalocean.add_droplet("web-1")
    await w.start()
    asked = {"what": "web-1", "every": "day", "at": "03:00", "keep": "2 daily"}
    review = await w.discord.command(w.ada, "add", root="schedule", **asked)
    w.discord.fault(is_first_answer, GONE)
    await w.discord.press(w.ada, review, "create", wait=3)
    w.discord.heal()
    await w.clock.sleep(3)
    offered = await w.discord.complete(w.ada, "show", "schedule", root="schedule", schedule="")
    w.expect(not offered.choices, f"offered: {[c['name'] for c in offered.choices]}")
    await added(w)


@case("edge: *Force power off* is heard after its interaction died: the power is not cut", limit=60, DECISION_TIMEOUT="60s")
async def late_force(w: World) -> None:
    w.digitalocean.usual["shutdown"] = Outcome(works=False)
    await w.take()
    await w.until(lambda: w.asked("force"), 20, "the question")
    w.discord.fault(is_first_answer, GONE)
    await w.discord.press(w.ada, w.asked("force"), "force", wait=3)  # type: ignore[arg-type]
    await w.clock.sleep(5)
    w.expect(not w.digitalocean.posts("power_off"), "the power was cut")
    w.discord.heal()
    await w.pressed("force")
    await w.until(lambda: w.digitalocean.posts("power_off"), 20, "the power is cut by who was answered")


@case("edge: that a command was put off is said twice in vain: the person reads its answer", limit=60)
async def lost_deferral(w: World) -> str:
    droplet = w.digitalocean.add_droplet("web-1")
    w.digitalocean.add_snapshot(droplet, "old-one")
    await w.start()

    async def slow(_: Call, run: Run) -> Answer:
        await asyncio.sleep(2.2)
        return await run()

    async def bad_gateway(_: Call, run: Run) -> Answer:
        await run()
        return Answer(502, html="<html>Bad gateway</html>")

    w.digitalocean.fault(lambda c: c.method == "GET", slow)
    w.discord.fault(is_first_answer, bad_gateway, times=2)
    reply = await w.discord.command(w.ada, "list")
    await w.clock.sleep(5)
    w.expect("old-one" in reply.text, f"kind {reply.kind}, reads {reply.text!r}")
    return reply.text[:80]


# -- threads and forums ------------------------------------------------------------------------------


@case("edge: a schedule is added in a forum's post: it speaks there", limit=90)
async def forum(w: World) -> str:
    w.clock.set(at(1, "12:00:00"))
    post = w.discord.add_thread(w.discord.add_forum())
    w.digitalocean.add_droplet("web-1")
    await w.start()
    asked = {"what": "web-1", "every": "day", "at": "03:00", "keep": "2 daily"}
    review = await w.discord.command(w.ada, "add", root="schedule", channel=post, **asked)
    done = await w.discord.press(w.ada, review, "create")
    await w.until(lambda: w.discord.live(post), 30, "it speaks")
    return done.text


@case("edge: a group is taken in a forum's post that is archived meanwhile: its end is said there", limit=90)
async def forum_group(w: World) -> str:
    post = w.discord.add_thread(w.discord.add_forum())
    w.digitalocean.usual["snapshot"] = Outcome(takes=3)
    await group(w)
    question = await w.discord.command(w.ada, "take-group", channel=post, tag="prod")
    await w.discord.press(w.ada, question, "take")
    await w.until(lambda: w.digitalocean.posts("snapshot"), 30, "the first one")
    w.discord.threads[post].archived = True
    await w.until(lambda: [m for m in w.discord.live(post) if m.rang(w.ada)], 90, "the end")
    return w.discord.live(post)[-1].text


@case("edge: a schedule is added in a thread: it speaks in the thread's channel", limit=60)
async def thread(w: World) -> None:
    w.clock.set(at(1, "12:00:00"))
    talk = w.discord.add_thread(w.discord.channel)
    w.digitalocean.add_droplet("web-1")
    await w.start()
    asked = {"what": "web-1", "every": "day", "at": "03:00", "keep": "2 daily"}
    review = await w.discord.command(w.ada, "add", root="schedule", channel=talk, **asked)
    await w.discord.press(w.ada, review, "create")
    await w.until(lambda: w.discord.live(w.discord.channel), 30, "it speaks")
    w.expect(not w.discord.live(talk), "it speaks in the thread")


@case("edge: a call for help in a thread that is archived shows that the Droplet is back", limit=200)
async def archived_call(w: World) -> str:
    talk = w.discord.add_thread(w.discord.channel)
    droplet = w.digitalocean.add_droplet("web-1")
    w.digitalocean.usual["power_on"] = Outcome(works=False)
    await w.start()
    await w.discord.command(w.ada, "take", droplet="web-1", channel=talk)
    await w.goes_off(droplet)
    w.clock.run_at(20)
    await w.until(lambda: [m for m in w.discord.live() if "-s" in (m.nonce or "")], 1500, "the call")
    w.clock.run_at(1)
    await w.clock.sleep(4)
    call = next(m for m in w.discord.live() if "-s" in (m.nonce or ""))
    before = call.text
    w.discord.threads[talk].archived = True
    w.digitalocean.usual["power_on"] = Outcome()
    w.clock.run_at(10)
    await w.back_on(droplet, 900)
    await w.clock.sleep(300)
    w.clock.run_at(1)
    await w.clock.sleep(5)
    later = [m for m in w.discord.live() if "-s" in (m.nonce or "")][-1].text
    w.expect(later != before, f"the call still says {later!r}")
    return later


# -- channels that do not take a message -------------------------------------------------------------


@case("edge: a schedule fails whose channel is gone, and there is no other one: its owner hears directly", limit=120)
async def owner_hears(w: World) -> str:
    await planned(w, start=at(2, "12:00:00"))
    await w.until(lambda: w.discord.live(), 20, "its message")
    del w.discord.channels[w.discord.channel]
    w.digitalocean.usual["snapshot"] = Outcome(status="errored", works=False)
    await asleep(w, at(3, "02:59:58"))
    await w.until(lambda: w.digitalocean.posts("snapshot"), 60, "it was tried")
    await w.until(lambda: w.discord.live(w.discord.direct(w.ada)), 60, "its owner hears")
    return w.discord.live(w.discord.direct(w.ada))[0].text[:120]


@case(
    "edge: a group in a channel that shuts the bot out: its end is said in NOTIFY_CHANNEL_ID",
    limit=90,
    NOTIFY_CHANNEL_ID="300000000000000002",
)
async def group_elsewhere(w: World) -> str:
    await group(w)
    question = await w.discord.command(w.ada, "take-group", tag="prod")
    w.discord.fault(lambda c: f"/channels/{w.discord.channel}/" in c.path, SHUT_OUT)
    await w.discord.press(w.ada, question, "take")
    await w.until(lambda: w.discord.live(w.discord.notify), 60, "the end")
    return w.discord.live(w.discord.notify)[0].text


@case("edge: a group's end was posted and the bot died, and later the list of messages fails once: said once", limit=90)
async def group_once(w: World) -> None:
    def is_end(call: Call) -> bool:
        return is_post(call) and "-g1" in str((call.body or {}).get("nonce"))

    await group(w)
    question = await w.discord.command(w.ada, "take-group", tag="prod")
    w.discord.after_call = lambda call: w.kill_now() if is_end(call) else None
    await w.discord.press(w.ada, question, "take")
    await w.until(lambda: w.process is not None and w.process.returncode is not None, 60, "the end")
    w.discord.after_call = lambda _: None
    w.clock.leap(20 * MINUTE)
    broken = answering(500, {"message": "500", "code": 0})
    w.discord.fault(lambda c: c.method == "GET" and c.path.endswith("/messages"), broken, times=1)
    await w.start()
    await w.clock.sleep(8)
    ends = [m for m in w.discord.messages if "-g1" in (m.nonce or "")]
    w.expect(len(ends) == 1, f"{len(ends)} messages")


@case("edge: a schedule's failure was posted and the bot died, and later the list fails once: said once", limit=120)
async def failure_once(w: World) -> None:
    def is_notice(call: Call) -> bool:
        return is_post(call) and "-w1g" in str((call.body or {}).get("nonce"))

    await planned(w, start=at(2, "12:00:00"))
    await w.until(lambda: w.discord.live(), 20, "its message")
    w.digitalocean.usual["snapshot"] = Outcome(status="errored", works=False)
    w.discord.after_call = lambda call: w.kill_now() if is_notice(call) else None
    await asleep(w, at(3, "02:59:58"))
    await w.until(lambda: w.process is not None and w.process.returncode is not None, 60, "the notice")
    w.discord.after_call = lambda _: None
    w.clock.leap(20 * MINUTE)
    broken = answering(500, {"message": "500", "code": 0})
    w.discord.fault(lambda c: c.method == "GET" and c.path.endswith("/messages"), broken, times=1)
    await w.start()
    await w.clock.sleep(15)
    notices = [m for m in w.discord.messages if "-w1g" in (m.nonce or "")]
    w.expect(len(notices) == 1, f"{len(notices)} messages")


# -- rate limits -------------------------------------------------------------------------------------


@case("edge: one channel is held back for five minutes: a schedule of another channel speaks meanwhile", limit=120)
async def held_back(w: World) -> None:
    w.clock.set(at(2, "12:00:00"))
    w.digitalocean.add_droplet("web-1")
    w.digitalocean.add_droplet("web-2")
    await w.start()
    limited = {"message": "You are being rate limited.", "retry_after": 300, "global": False}
    w.discord.fault(
        lambda c: is_post(c) and w.discord.channel in c.path, answering(429, limited, retry_after="300")
    )
    for droplet, channel in (("web-1", w.discord.channel), ("web-2", w.discord.notify)):
        asked = {"what": droplet, "every": "day", "at": "03:00", "keep": "2 daily"}
        review = await w.discord.command(w.ada, "add", root="schedule", channel=channel, **asked)
        await w.discord.press(w.ada, review, "create")
        await w.clock.sleep(2)
    await w.until(lambda: w.discord.live(w.discord.notify), 40, "a message in the other channel")


def one_a_second(w: World) -> Effect:
    async def limited(_: Call, run: Run) -> Answer:
        answer = await run()
        answer.headers.update(
            {
                "x-ratelimit-limit": "1",
                "x-ratelimit-remaining": "0",
                "x-ratelimit-reset-after": "1.0",
                "x-ratelimit-reset": f"{w.clock.now() + 1:.3f}",
                "x-ratelimit-bucket": "abc",
            }
        )
        return answer

    return limited


@case("edge: posts are limited to one a second and the clock is set back by an hour: announced all the same", limit=120)
async def clock_back(w: World) -> str:
    w.digitalocean.usual["snapshot"] = Outcome(takes=4)
    droplet = w.digitalocean.add_droplet("web-1")
    await w.start()
    w.discord.fault(is_post, one_a_second(w))
    await w.discord.command(w.ada, "take", droplet="web-1")
    await w.goes_off(droplet)
    await w.clock.sleep(1.5)
    w.clock.step_bot(-3600)
    await w.back_on(droplet, 40)
    return (await w.announced(60)).text[:80]


@case("edge: 403 pages from a proxy at the end of a take: announced when they end", limit=120)
async def pages(w: World) -> str:
    droplet = await w.take_until_off()
    w.discord.fault(lambda c: in_any_channel(c) and c.method in ("POST", "PATCH"), page(403))
    await w.back_on(droplet, 30)
    w.clock.run_at(20)
    await w.clock.sleep(480)
    w.clock.run_at(1)
    w.discord.heal()
    return (await w.announced(70)).text[:80]


# -- what one person may ask for ---------------------------------------------------------------------


@case("edge: TAKE_COOLDOWN counts for take-group", limit=60, quick=True, TAKE_COOLDOWN="1h")
async def cooldown(w: World) -> str:
    tom = w.discord.person("tom", roles=[TAKE_ROLE])
    w.digitalocean.add_droplet("web-1", tags=["prod", "alone"])
    w.digitalocean.add_droplet("web-2", tags=["prod"])
    await w.start()
    await w.discord.command(tom, "take", droplet="web-1")
    await w.announced(20, person=tom)
    refused = await w.discord.command(tom, "take-group", tag="alone")
    w.expect("short while ago" in refused.text and not refused.buttons, f"reads {refused.text!r}")
    question = await w.discord.command(tom, "take-group", tag="prod")
    await w.discord.press(tom, question, "take")
    await w.until(lambda: len(w.digitalocean.snapshots) == 2, 30, "the other one is taken")
    await w.clock.sleep(3)
    w.expect(len(w.digitalocean.posts("shutdown")) == 2, "the first one was taken again")
    return question.text[:200]


@case("edge: OPERATIONS_PER_PERSON counts for take-group", limit=60, OPERATIONS_PER_PERSON="2")
async def most(w: World) -> str:
    tom = w.discord.person("tom", roles=[TAKE_ROLE])
    w.digitalocean.usual["snapshot"] = Outcome(takes=20)
    w.digitalocean.add_droplet("db-1")
    await group(w, 3)
    wide = await w.discord.command(tom, "take-group", tag="prod", at_once=3)
    w.expect(not wide.buttons, f"three at once are offered: {wide.text!r}")
    question = await w.discord.command(tom, "take-group", tag="prod", at_once=2)
    await w.discord.press(tom, question, "take")
    await w.until(lambda: len(w.digitalocean.posts("shutdown")) == 2, 20, "two at once")
    alone = await w.discord.command(tom, "take", droplet="db-1")
    w.expect("running" in alone.text, f"reads {alone.text!r}")
    await w.clock.sleep(3)
    w.expect(len(w.digitalocean.posts("shutdown")) == 2, "more than two at once")
    return wide.text


async def warned(w: World) -> Reply:
    w.digitalocean.add_droplet("web-1")
    await w.start()
    return await w.discord.command(w.ada, "take", droplet="web-1", warn="1m", warn_in=w.discord.notify)


@case("edge: people are warned in another channel although the bot's own user has flags beyond 32 bits", limit=60)
async def odd_flags(w: World) -> str:
    w.discord.bot_user_extra = {"public_flags": 1 << 44}
    reply = await warned(w)
    await w.until(lambda: w.discord.live(w.discord.notify), 10, f"the warning; said {reply.text!r}")
    return reply.text


@case("edge: nobody is warned in a channel in which the person may not write", limit=60)
async def hidden(w: World) -> str:
    w.discord.hidden.add(w.discord.notify)
    reply = await warned(w)
    await w.clock.sleep(4)
    w.expect(not w.discord.live(w.discord.notify), f"warned there: {reply.text!r}")
    return reply.text


@case("edge: /readyz says that the bot is connected as soon as it is", limit=60, quick=True, HTTP_ADDR="127.0.0.1:18479")
async def connected(w: World) -> None:
    def answered() -> str:
        try:
            with urllib.request.urlopen("http://127.0.0.1:18479/readyz", timeout=2) as response:
                return response.read().decode()
        except (urllib.error.URLError, OSError) as error:
            return f"{error}: {error.read().decode() if isinstance(error, urllib.error.HTTPError) else ''}"

    for start in range(5):
        await w.start()
        last = ""
        for _ in range(40):
            last = await asyncio.to_thread(answered)
            if "not connected" not in last and "refused" not in last:
                break
            await asyncio.sleep(0.1)
        w.expect("not connected" not in last, f"start {start + 1}: {last!r}")
        await w.kill()


@case("edge: names as long and as odd as DigitalOcean allows: nothing that is sent is over Discord's limits", limit=120)
async def names(w: World) -> str:
    said = []
    for sample in ("`" * 240, "👩‍👩‍👧‍👦" * 22, "*_~|>[]()#-" * 20, "\u202eabc\u2066" * 40):
        for n in range(27):
            droplet = w.digitalocean.add_droplet(f"{sample[:240]}-{n:02}", tags=["odd"])
            w.digitalocean.add_snapshot(droplet, f"{sample[:240]}-{n:02}")
    await w.start()
    for root, name, option in (
        ("snapshot", "take", "droplet"),
        ("snapshot", "restore", "droplet"),
        ("snapshot", "delete", "snapshot"),
        ("schedule", "add", "what"),
        ("droplet", "show", "droplet"),
    ):
        shown = await w.discord.complete(w.ada, name, option, root=root, **{option: ""})
        w.expect(shown.choices, f"no suggestions for {root} {name}")
    droplet, snapshot = str(next(iter(w.digitalocean.droplets))), str(next(iter(w.digitalocean.snapshots)))
    for root, name, options in (
        ("snapshot", "list", {}),
        ("snapshot", "list", {"droplet": droplet}),
        ("snapshot", "delete", {"snapshot": snapshot}),
        ("snapshot", "restore", {"droplet": droplet, "snapshot": snapshot}),
        ("snapshot", "take", {"droplet": "z" * 200}),
        ("snapshot", "cost", {}),
        ("snapshot", "orphans", {}),
        ("snapshot", "take-group", {"tag": "odd", "at_once": "20"}),
        ("droplet", "show", {"droplet": droplet}),
        ("schedule", "add", {"what": droplet, "every": "day", "at": "03:00", "keep": "2 daily"}),
    ):
        reply = await w.discord.command(w.ada, name, root=root, **options)
        w.expect(reply.kind is not None and reply.text, f"no answer to {root} {name}")
        said.append(reply.text[:40])
    await w.discord.command(w.ada, "take", droplet=droplet)
    await w.announced(30)
    return str(len(said))
