"""People are called together, answer with wishes, and outages end with every Droplet on."""

from __future__ import annotations

import asyncio
import random
import signal
from collections import Counter
from collections.abc import Callable

from world.digitalocean import ACTIVE, OFF, Droplet, Outcome, Refusal
from world.discord import Message, Person, Reply, text_of
from world.harness import RESTORE_ROLE, TAKE_ROLE, VIEW_ROLE, Broken, World, case
from world.http import Answer, Call, Cut, Effect, Run, answering, cut_after, cut_before, each_object, page, rewriting

from cases.power import MINUTE, SLOW
from cases.several import postgres

OUT = answering(503, {"id": "service_unavailable", "message": "Server is unavailable"})
SECOND, NOTIFY = "300000000000000003", "300000000000000002"
HOUR = 60 * MINUTE
TURN_ON, KEEP, KEEP_ALL, HANDLE = "turn it on as soon", "^keep waiting$", "keep waiting for all", "I'll handle it"


# -- what all of them need ------------------------------------------------------------------------


def calls(w: World, person: Person | None = None) -> list[Message]:
    """New messages that rang for somebody (or that person) and are neither progress nor announcement, in order."""
    people = [person] if person else w.discord.people
    found = [m for m in w.discord.messages if (m.nonce or "x-x").split("-")[1][:1] not in ("p", "a", "n")]
    return [m for m in found if any(m.rang(p) for p in people)]


def ever(message: Message, text: str) -> bool:
    return any(text in text_of(body) for _, body in message.versions)


def staff(w: World) -> tuple[Person, Person, Person, Person]:
    """bob may take, rae may restore, eve may view, mallory may nothing."""
    return (
        w.discord.person("bob", roles=[TAKE_ROLE]),
        w.discord.person("rae", roles=[RESTORE_ROLE]),
        w.discord.person("eve", roles=[VIEW_ROLE]),
        w.discord.person("mallory"),
    )


def add(w: World, count: int) -> list[Droplet]:
    return [w.digitalocean.add_droplet(f"web-{n}x") for n in range(1, count + 1)]


async def ask(w: World, person: Person, droplet: Droplet, channel: str | None = None, **options: str) -> str:
    """A take, accepted; gives the operation's id."""
    reply = await w.discord.command(person, "take", droplet=str(droplet.id), channel=channel, **options)
    w.expect(reply.kind is not None, "no answer to the command")
    known = [m for m in w.discord.messages if (m.nonce or "").endswith("-p")]
    return (known[-1].nonce or "").split("-")[0] if known else ""


async def all_off(w: World, droplets: list[Droplet], within: float = 60) -> None:
    await w.until(lambda: all(d.status == OFF for d in droplets), within, "all off")


async def all_on(w: World, droplets: list[Droplet], within: float) -> float:
    began = w.clock.elapsed()

    def missing() -> list[str]:
        return [d.name for d in droplets if d.status != ACTIVE]

    try:
        await w.until(lambda: not missing(), within, "all on")
    except Broken:
        raise Broken(f"not within {within:g}s on: {missing()[:5]} ({len(missing())} of {len(droplets)})") from None
    return w.clock.elapsed() - began


def hold(w: World, droplets: list[Droplet], minutes: float, kind: str = "migrate", at: str = "snapshot") -> None:
    """Once each is off, as our `at` POST arrives, somebody else's Action begins and keeps all else out with 422 pending event."""
    waiting = {d.id: d for d in droplets}

    def look(call: Call) -> None:
        for droplet in list(waiting.values()):
            due = call.action == at and f"/{droplet.id}/" in call.path if at != "off" else droplet.status == OFF
            if due and w.digitalocean.pending(droplet) is None:
                del waiting[droplet.id]
                w.digitalocean.stranger(droplet, kind, Outcome(takes=minutes * MINUTE, works=False))

    w.digitalocean.before_call = look


def release(w: World) -> None:
    """Whatever strangers do ends now."""
    for action in w.digitalocean.actions.values():
        if action.status == "in-progress":
            action.status, action.completed = "completed", w.clock.now()
            if action.droplet in w.digitalocean.droplets:
                w.digitalocean.droplets[action.droplet].locked = False


def per_minute(w: World, since: float, until: float) -> list[int]:
    counted = Counter(int((c.at - since) // 60) for c in w.digitalocean.calls if since <= c.at < until)
    return [counted.get(n, 0) for n in range(int((until - since) // 60) + 1)]


# -- call: grouped --------------------------------------------------------------------------------


@case("call: four Droplets, two askers, one cause, one channel: one message, edited as they come back", limit=150, env=SLOW)
async def grouped(w: World) -> str:
    bob, *_ = staff(w)
    droplets = add(w, 4)
    w.digitalocean.usual["snapshot"] = Outcome(takes=60)
    await w.start()
    for n, droplet in enumerate(droplets):
        await ask(w, (w.ada, bob)[n % 2], droplet)
    await w.until(lambda: len(w.digitalocean.posts("snapshot")) == 4, 60, "all Snapshots begun")
    off = w.clock.elapsed()
    w.digitalocean.fault(lambda c: True, OUT)
    w.clock.run_at(40)
    await w.clock.sleep(12.5 * MINUTE)
    rung = calls(w)
    w.expect(len(rung) == 1, f"{len(rung)} messages rang: {[m.text[:80] for m in rung]}")
    w.expect(8.9 * MINUTE < rung[0].at - off < 11.5 * MINUTE, f"called {rung[0].at - off:.0f}s after the last off")
    w.expect(all(d.name in rung[0].text for d in droplets), f"it does not list all: {rung[0].text[:300]!r}")
    w.expect(rung[0].rang(w.ada) and rung[0].rang(bob), "not both askers were mentioned when it was new")
    edits = len(rung[0].versions)
    # Three of the four can be turned on; the last one stays off, so the message must say who came back.
    w.digitalocean.heal()
    last = droplets[3]
    w.digitalocean.fault(lambda c: c.action == "power_on" and str(last.id) in c.path, OUT)
    await all_on(w, droplets[:3], 3 * MINUTE)
    await w.clock.sleep(MINUTE)
    shown = calls(w)[0].text
    w.expect(len(calls(w)[0].versions) > edits and last.name in shown and "again" in shown.lower(), f"shows {shown[:300]!r}")
    w.expect(len(calls(w)) == 1, "rang again")
    w.digitalocean.heal()
    await all_on(w, droplets, 10 * MINUTE)
    await w.announced(5 * MINUTE, count=2)
    await w.clock.sleep(30)
    w.expect("on again" in calls(w)[0].text and not calls(w)[0].buttons, f"in the end {calls(w)[0].text[:200]!r}")
    return f"{len(calls(w)[0].versions)} versions; called {rung[0].at - off:.0f}s after"


@case("call: another asker's Droplet joins 5 minutes after the call: that asker is called too", limit=200, env=SLOW)
async def joins(w: World) -> str:
    bob, *_ = staff(w)
    droplets = add(w, 3)
    hold(w, droplets, 120)
    await w.start()
    for droplet in droplets[:2]:
        await ask(w, w.ada, droplet)
    await all_off(w, droplets[:2])
    w.clock.run_at(40)
    await w.until(lambda: calls(w), 12 * MINUTE, "the first call")
    await w.clock.sleep(5 * MINUTE)
    w.clock.run_at(2)
    await ask(w, bob, droplets[2])
    await all_off(w, droplets, 120)
    off = w.clock.elapsed()
    w.clock.run_at(40)
    try:
        await w.until(lambda: any(droplets[2].name in m.text for m in calls(w)), 12 * MINUTE, "web-3x in any call")
        await w.until(lambda: calls(w, bob), 22 * MINUTE, "bob was called (he asked for web-3x, off and owed)")
    finally:
        w.clock.run_at(1)
    said = f"bob called {calls(w, bob)[0].at - off:.0f}s after his Droplet's off; ada {len(calls(w, w.ada))} times"
    w.expect(calls(w, bob)[0].at - off < 12 * MINUTE, said)
    release(w)
    w.digitalocean.before_call = lambda c: None
    w.clock.run_at(15)
    await all_on(w, droplets, 5 * MINUTE)
    return said


@case("call: the same asker's Droplet joins 5 minutes after the call: listed, nobody rung again", limit=200, env=SLOW)
async def joins_same(w: World) -> str:
    droplets = add(w, 3)
    hold(w, droplets, 120)
    await w.start()
    for droplet in droplets[:2]:
        await ask(w, w.ada, droplet)
    await all_off(w, droplets[:2])
    w.clock.run_at(40)
    await w.until(lambda: calls(w), 12 * MINUTE, "the first call")
    await w.clock.sleep(5 * MINUTE)
    w.clock.run_at(2)
    await ask(w, w.ada, droplets[2])
    await all_off(w, droplets, 120)
    w.clock.run_at(40)
    await w.until(lambda: any(droplets[2].name in m.text for m in calls(w)), 12 * MINUTE, "web-3x in any call")
    w.clock.run_at(1)
    w.expect(len(calls(w)) == 1, f"{len(calls(w))} messages rang: {[m.text[:80] for m in calls(w)]}")
    named = calls(w)[0].text
    release(w)
    w.digitalocean.before_call = lambda c: None
    w.clock.run_at(15)
    await all_on(w, droplets, 5 * MINUTE)
    return named[:200]


@case("call: two channels, one cause: one call in each, for its own asker and Droplets alone", limit=150, env=SLOW)
async def two_channels(w: World) -> str:
    bob, *_ = staff(w)
    w.discord.channels[SECOND] = w.discord.guild
    droplets = add(w, 4)
    hold(w, droplets, 120)
    await w.start()
    for n, droplet in enumerate(droplets):
        await ask(w, (w.ada, bob)[n % 2], droplet, channel=(None, SECOND)[n % 2])
    await all_off(w, droplets)
    w.clock.run_at(40)
    await w.clock.sleep(13 * MINUTE)
    rung = calls(w)
    w.expect(Counter(m.channel for m in rung) == {w.discord.channel: 1, SECOND: 1}, f"{[(m.channel[-1], m.text[:80]) for m in rung]}")
    for message in rung:
        mine = droplets[0::2] if message.channel == w.discord.channel else droplets[1::2]
        others = [d for d in droplets if d not in mine]
        w.expect(all(d.name in message.text for d in mine), f"lacks its own: {message.text[:200]!r}")
        w.expect(not any(d.name in message.text for d in others), f"lists the other channel's: {message.text[:200]!r}")
        w.expect(message.rang(w.ada) != message.rang(bob), "rings the other channel's asker")
    release(w)
    await all_on(w, droplets, 5 * MINUTE)
    return "two calls"


def unpostable(how: str, notify: bool) -> None:
    @case(
        f"call: the channel is {how} before the call; " + ("the notify channel is called" if notify else "no notify channel: somebody hears"),
        limit=150,
        env={**SLOW, **({"NOTIFY_CHANNEL_ID": NOTIFY} if notify else {})},
    )
    async def lost_channel(w: World) -> str:
        droplets = add(w, 2)
        hold(w, droplets, 120)
        if not notify:
            del w.discord.channels[NOTIFY]
        await w.start()
        for droplet in droplets:
            await ask(w, w.ada, droplet)
        await all_off(w, droplets)
        if how == "deleted":
            del w.discord.channels[w.discord.channel]
            await w.discord.dispatch("CHANNEL_DELETE", w.discord._channel_json(w.discord.channel) | {"guild_id": w.discord.guild})
        else:
            w.discord.fault(
                lambda c: c.method == "POST" and c.path.endswith(f"/channels/{w.discord.channel}/messages"),
                answering(403, {"message": "Missing Permissions", "code": 50013}),
            )
        w.clock.run_at(40)
        await w.clock.sleep(13 * MINUTE)
        w.clock.run_at(1)
        rung = [m for m in calls(w) if m.channel != w.discord.channel]
        told = [m for m in w.discord.messages if m.channel != w.discord.channel]
        w.expect(rung, f"nobody was rung anywhere; elsewhere said: {[(m.channel, m.text[:80]) for m in told]}")
        named = " ".join(m.text for m in rung)
        w.expect(all(d.name in named for d in droplets), f"lists {named[:200]!r}")
        if notify:
            w.expect(len(rung) == 1, f"{len(rung)} calls")
            w.expect(rung[0].channel == NOTIFY, f"called in {rung[0].channel}")
        release(w)
        w.clock.run_at(15)
        await all_on(w, droplets, 5 * MINUTE)
        await w.clock.sleep(MINUTE)
        # Direct messages are said once, and not edited.
        w.expect(not notify or "on again" in rung[0].text, f"in the end the call says {rung[0].text[:200]!r}")
        return f"in {rung[0].channel}: {rung[0].text[:90]!r}"


for how in ("deleted", "not postable (50013)"):
    for notify in (True, False):
        unpostable(how, notify)


def call_killed(after: bool, dead: float) -> None:
    @case(
        f"call: kill -9 {'after' if after else 'before'} the call was posted, started {dead / 60:g} min later: rung once",
        limit=150,
        env=SLOW,
    )
    async def killed(w: World) -> str:
        droplets = add(w, 3)
        hold(w, droplets, 120)
        await w.start()
        for droplet in droplets:
            await ask(w, w.ada, droplet)
        await all_off(w, droplets)

        def strike(call: Call) -> None:
            if call.method == "POST" and call.path.endswith("/messages") and "-s" in str((call.body or {}).get("nonce")):
                w.kill_now()
                w.discord.before_call = w.discord.after_call = lambda c: None

        if after:
            w.discord.after_call = strike
        else:
            def cut(call: Call) -> None:
                strike(call)
                if w.discord.before_call is not cut:
                    raise Cut
            w.discord.before_call = cut
        w.clock.run_at(40)
        await w.until(lambda: w.process is not None and w.process.returncode is not None, 13 * MINUTE, "killed at the call")
        had = len(calls(w))
        if dead > 30:
            w.clock.leap(dead)
        w.clock.run_at(5)
        await w.start()
        w.clock.run_at(40)
        await w.clock.sleep(12 * MINUTE)
        w.expect(len(calls(w)) == 1, f"{len(calls(w))} calls rang: {[(round(m.at), m.text[:100]) for m in calls(w)]}")
        w.expect(all(d.name in calls(w)[0].text for d in droplets), f"lists {calls(w)[0].text[:300]!r}")
        release(w)
        await all_on(w, droplets, 5 * MINUTE)
        await w.clock.sleep(30)
        w.expect("on again" in calls(w)[0].text, f"in the end the call says {calls(w)[0].text[:200]!r}")
        return f"{had} before the restart"


for after in (True, False):
    for dead in (0.0, 5 * MINUTE):
        call_killed(after, dead)


@case("call: the call is posted, its answer lost, killed and started beyond the nonce's memory: rung once", limit=150, env=SLOW)
async def call_lost(w: World) -> None:
    droplets = add(w, 2)
    hold(w, droplets, 120)
    await w.start()
    for droplet in droplets:
        await ask(w, w.ada, droplet)
    await all_off(w, droplets)
    w.discord.fault(lambda c: c.method == "POST" and "-s" in str((c.body or {}).get("nonce")), cut_after, times=1)
    w.discord.fault(lambda c: c.method == "POST" and "-s" in str((c.body or {}).get("nonce")), cut_before)
    w.clock.run_at(40)
    await w.until(lambda: calls(w), 13 * MINUTE, "the call")
    await w.kill()
    w.discord.heal()
    w.clock.leap(10 * MINUTE)
    w.clock.run_at(5)
    await w.start()
    w.clock.run_at(40)
    await w.clock.sleep(6 * MINUTE)
    w.expect(len(calls(w)) == 1, f"{len(calls(w))} calls rang: {[(round(m.at), m.text[:100]) for m in calls(w)]}")
    release(w)
    await all_on(w, droplets, 5 * MINUTE)


async def relapsing(w: World, getting_on: float) -> tuple[list[float], Droplet]:
    """Off; 11 minutes of waiting; our Snapshot runs for `getting_on` seconds and errs; then all is 503 for 45 minutes."""
    droplet = add(w, 1)[0]
    hold(w, [droplet], 11)
    w.digitalocean.usual["snapshot"] = Outcome(takes=getting_on + 2 * HOUR)
    await w.start()
    await ask(w, w.ada, droplet)
    await all_off(w, [droplet])
    off = w.clock.elapsed()
    w.clock.run_at(40)
    await w.until(lambda: [c for c in w.digitalocean.posts("snapshot") if c.status == 201], 14 * MINUTE, "our Snapshot begun")
    w.expect(len(calls(w)) == 1, f"{len(calls(w))} calls before")
    await w.clock.sleep(getting_on)
    w.digitalocean.fault(lambda c: True, OUT)
    await w.clock.sleep(45 * MINUTE)
    rang = [m.at - off for m in calls(w)]
    w.digitalocean.heal()
    release(w)
    await all_on(w, [droplet], 5 * MINUTE)
    return rang, droplet


@case("call: a relapse after 7 minutes of getting on rings again, not within 30 minutes of the first", limit=250, env=SLOW)
async def relapse_long(w: World) -> str:
    rang, _ = await relapsing(w, 7 * MINUTE)
    said = f"rang at {[round(r / 60, 1) for r in rang]} min after off"
    w.expect(len(rang) == 2, said)
    w.expect(29.5 * MINUTE <= rang[1] - rang[0] <= 36 * MINUTE, said)
    return said


@case("call: a relapse after 3 minutes of getting on does not ring again", limit=250, env=SLOW)
async def relapse_short(w: World) -> str:
    rang, _ = await relapsing(w, 3 * MINUTE)
    said = f"rang at {[round(r / 60, 1) for r in rang]} min after off"
    w.expect(len(rang) == 1, said)
    return said


def off_and_busy(answer: str | None) -> None:
    @case(
        f"call: off and busy ({answer or 'no answer'}): a foreign Action begins before we look: nobody reads that it hasn't shut down",
        limit=150,
        env=SLOW,
    )
    async def not_hung(w: World) -> str:
        droplet = add(w, 1)[0]
        hold(w, [droplet], 20, at="off")
        await w.start()
        await ask(w, w.ada, droplet)
        await all_off(w, [droplet])
        w.clock.run_at(20)
        await w.clock.sleep(1.5 * MINUTE)
        asked = w.asked("force")
        if answer and asked:
            w.clock.run_at(1)
            await w.discord.press(w.ada, asked, answer)
            w.clock.run_at(20)
        await w.clock.sleep(11.5 * MINUTE)
        told = [m.versions[0][1].get("content", "")[:150] for m in calls(w)]
        named = any("migrat" in t or "another" in t or "locked" in t for t in told)
        await w.clock.sleep(7 * MINUTE)
        took = await all_on(w, [droplet], 4 * MINUTE)
        said = await w.announced(3 * MINUTE)
        seen = f"on {took:.0f}s after; told {told}; end {said.text[:200]!r}; {len(w.ours(droplet))} Snapshots"
        w.expect(not asked, f"asked though it had been off for a minute; {seen}")
        w.expect(told and named, f"called naming it: {named}; {seen}")
        return seen


for answer in (None, "force", "live"):
    off_and_busy(answer)


# -- wish: below a call ---------------------------------------------------------------------------


async def called(w: World, count: int = 1, person: Person | None = None, held: float = 300) -> tuple[list[Droplet], Message]:
    droplets = add(w, count)
    hold(w, droplets, held)
    await w.start()
    for droplet in droplets:
        await ask(w, person or w.ada, droplet)
    await all_off(w, droplets)
    w.clock.run_at(40)
    await w.until(lambda: calls(w), 13 * MINUTE, "the call")
    await w.clock.sleep(30)
    w.clock.run_at(1)
    return droplets, calls(w)[0]


def refused(reply: Reply) -> bool:
    return reply.ephemeral and bool(reply.text)


@case("wish: Turn it on as soon as possible: not by view or nobody, by take; then no Snapshot is begun", limit=150, env=SLOW)
async def turn_on(w: World) -> str:
    bob, _, eve, mallory = staff(w)
    droplets, call = await called(w)
    for person in (eve, mallory):
        reply = await w.discord.press(person, call, TURN_ON)
        w.expect(refused(reply), f"{person.name}: {reply.kind} {reply.text[:100]!r}")
    reply = await w.discord.press(bob, call, TURN_ON)
    w.expect(reply.kind is not None, "no answer to the press")
    pressed = w.clock.elapsed()
    await w.clock.sleep(3)
    w.clock.run_at(15)
    await w.clock.sleep(2 * MINUTE)
    release(w)
    ended = w.clock.elapsed()
    took = await all_on(w, droplets, 2 * MINUTE)
    said = await w.announced(3 * MINUTE)
    w.expect(not [c for c in w.digitalocean.posts("snapshot") if c.at > pressed], "a Snapshot was begun after the wish")
    return f"on {took:.0f}s after the foreign Action; press: {reply.text[:80]!r}; end: {said.text[:120]!r}"


@case("wish: Keep waiting, by take; the Snapshot is taken once the foreign Action ended; no ring for 40 min", limit=150, env=SLOW)
async def keep(w: World) -> str:
    bob, _, eve, mallory = staff(w)
    droplets, call = await called(w)
    for person in (eve, mallory):
        reply = await w.discord.press(person, call, KEEP)
        w.expect(refused(reply), f"{person.name}: {reply.kind} {reply.text[:100]!r}")
    reply = await w.discord.press(bob, call, KEEP)
    w.expect(reply.kind is not None, "no answer to the press")
    await w.clock.sleep(3)
    shown = calls(w)[0]
    labels = [b.get("label") for b in shown.buttons]
    w.clock.run_at(50)
    await w.clock.sleep(40 * MINUTE)
    w.expect(len(calls(w)) == 1, "rang again within 40 minutes of Keep waiting")
    w.clock.run_at(15)
    release(w)
    await all_on(w, droplets, 4 * MINUTE)
    await w.announced(3 * MINUTE)
    w.expect(len(w.ours(droplets[0])) == 1, "no Snapshot was taken")
    return f"press: {reply.text[:100]!r}; then: {shown.text[:160]!r} {labels}"


@case("wish: Keep waiting for all, by take; answers for all, also after a restart", limit=150, env=SLOW)
async def keep_all(w: World) -> str:
    bob, _, eve, mallory = staff(w)
    droplets, call = await called(w, 3)
    for person in (eve, mallory):
        reply = await w.discord.press(person, call, KEEP_ALL)
        w.expect(refused(reply), f"{person.name}: {reply.kind} {reply.text[:100]!r}")
    await w.kill()
    await w.start()
    reply = await w.discord.press(bob, call, KEEP_ALL)
    w.expect(reply.kind is not None, "no answer to the press after a restart")
    await w.clock.sleep(4)
    shown = calls(w)[0]
    labels = [b.get("label") for b in shown.buttons]
    w.clock.run_at(50)
    await w.clock.sleep(40 * MINUTE)
    w.expect(len(calls(w)) == 1, f"rang again within 40 minutes: {[(round(m.at), m.text[:80]) for m in calls(w)]}")
    w.clock.run_at(15)
    release(w)
    await all_on(w, droplets, 5 * MINUTE)
    await w.announced(5 * MINUTE, count=3)
    w.expect(all(len(w.ours(d)) == 1 for d in droplets), "not one Snapshot each")
    return f"press: {reply.text[:100]!r}; then {shown.text[:200]!r} {labels}"


@case("wish: I'll handle it: not by take (not even with the button's id), by restore: left off, said, for good", limit=200, env=SLOW)
async def handle(w: World) -> str:
    bob, rae, eve, mallory = staff(w)
    droplets, call = await called(w, person=bob)
    for person in (bob, eve, mallory):
        reply = await w.discord.press(person, call, HANDLE)
        w.expect(refused(reply), f"{person.name}: {reply.kind} {reply.text[:100]!r}")
    await w.clock.sleep(3)
    reply = await w.discord.press(rae, call, HANDLE)
    w.expect(reply.kind is not None, "no answer to the press")
    pressed = w.clock.elapsed()
    await w.clock.sleep(4)
    shown = calls(w)[0].text
    w.clock.run_at(40)
    await w.clock.sleep(2 * MINUTE)
    release(w)
    await w.clock.sleep(25 * MINUTE)
    w.expect(droplets[0].status == OFF, "turned on though rae takes care of it")
    w.expect(not [c for c in w.digitalocean.posts("power_on") if c.at > pressed + 1], "power_on was sent after it")
    ended = w.announcements(bob)
    return f"said {shown[:160]!r}; end {ended[0].text[:160] if ended else None!r}; Snapshots {len(w.ours(droplets[0]))}"


@case("wish: Leave it off under the progress message: not by take; by restore: left off", limit=120, env=SLOW)
async def leave_off_progress(w: World) -> str:
    bob, rae, eve, _ = staff(w)
    w.digitalocean.usual["snapshot"] = Outcome(takes=40)
    droplet = add(w, 1)[0]
    await w.start()
    await ask(w, bob, droplet)
    await all_off(w, [droplet])
    await w.until(lambda: w.asked("leave it off"), 30, "the button")
    for person in (bob, eve):
        reply = await w.pressed("leave it off", person)
        w.expect(refused(reply), f"{person.name}: {reply.text[:100]!r}")
    reply = await w.pressed("leave it off", rae)
    if reply.buttons:
        await w.discord.press(rae, reply, "leave")
    w.clock.run_at(5)
    await w.announced(2 * MINUTE, person=bob)
    w.clock.run_at(40)
    await w.clock.sleep(20 * MINUTE)
    w.expect(droplet.status == OFF and not w.digitalocean.posts("power_on"), "turned on though left off by rae")
    return w.announcements(bob)[0].text[:200]


@case("wish: pressed twice, by two people at once: each gets an answer, one power_on", limit=150, env=SLOW)
async def pressed_twice(w: World) -> str:
    bob, rae, *_ = staff(w)
    droplets, call = await called(w)
    replies = await asyncio.gather(
        w.discord.press(bob, call, TURN_ON),
        w.discord.press(rae, call, TURN_ON),
        w.discord.press(bob, call, TURN_ON),
        w.discord.press(rae, call, KEEP),
    )
    w.expect(all(r.kind is not None and (r.text or r.kind == 6) for r in replies), f"{[(r.kind, r.text[:60]) for r in replies]}")
    await w.clock.sleep(3)
    before = len(w.digitalocean.posts("power_on"))
    release(w)
    w.clock.run_at(15)
    await all_on(w, droplets, 3 * MINUTE)
    await w.announced(3 * MINUTE)
    await w.clock.sleep(MINUTE)
    good = [c for c in w.digitalocean.posts("power_on")[before:] if c.status == 201]
    w.expect(len(good) == 1, f"{len(good)} power_on Actions begun")
    w.expect(len(w.announcements()) == 1, f"{len(w.announcements())} announcements")
    return " | ".join(f"{r.person.name}: {r.text[:70]!r}" for r in replies)


@case("wish: Turn it on, then the bot is killed at once and started: the wish counts", limit=150, env=SLOW)
async def wish_survives(w: World) -> str:
    bob, *_ = staff(w)
    droplets, call = await called(w)
    await w.discord.press(bob, call, TURN_ON)
    await w.kill()
    pressed = w.clock.elapsed()
    w.clock.leap(2 * MINUTE)
    await w.start()
    w.clock.run_at(15)
    await w.clock.sleep(MINUTE)
    release(w)
    took = await all_on(w, droplets, 3 * MINUTE)
    await w.announced(3 * MINUTE)
    w.expect(not [c for c in w.digitalocean.posts("snapshot") if c.at > pressed], "a Snapshot was begun after the wish")
    return f"on {took:.0f}s after"


@case("wish: after it came back: stale buttons do nothing and say so; not even to the next take", limit=200, env=SLOW)
async def stale_press(w: World) -> str:
    bob, rae, *_ = staff(w)
    droplets, call = await called(w)
    stale = Message(call.id, call.channel, dict(call.body), call.at, call.nonce)
    release(w)
    w.clock.run_at(15)
    await all_on(w, droplets, 4 * MINUTE)
    await w.announced(3 * MINUTE)
    w.clock.run_at(1)
    told = [await w.discord.press(p, stale, b) for p, b in ((bob, TURN_ON), (bob, KEEP), (rae, HANDLE))]
    w.expect(all(r.kind is not None for r in told), "a press got no answer")
    w.digitalocean.before_call = lambda c: None
    w.digitalocean.usual["snapshot"] = Outcome(takes=20)
    await ask(w, w.ada, droplets[0])
    await all_off(w, droplets)
    late = [await w.discord.press(rae, stale, HANDLE), await w.discord.press(bob, stale, TURN_ON)]
    w.clock.run_at(15)
    await w.announced(5 * MINUTE, count=2)
    await all_on(w, droplets, MINUTE)
    w.expect(len(w.ours(droplets[0])) == 2, f"{len(w.ours(droplets[0]))} Snapshots; a stale wish reached the next take")
    return " | ".join(r.text[:60] for r in told + late)


@case("wish: /snapshot status offers them, one Droplet of a grouped call: by right, and they work", limit=200, env=SLOW)
async def by_status(w: World) -> str:
    bob, rae, eve, mallory = staff(w)
    droplets = add(w, 3)
    hold(w, droplets, 300)
    await w.start()
    ids = [await ask(w, w.ada, d) for d in droplets]
    await all_off(w, droplets)
    w.clock.run_at(40)
    await w.until(lambda: calls(w), 13 * MINUTE, "the call")
    await w.clock.sleep(MINUTE)
    w.clock.run_at(1)
    seen = {p.name: await w.discord.command(p, "status", operation=ids[1]) for p in (bob, rae, eve, mallory)}
    offered = {name: [b.get("label") for b in r.buttons] for name, r in seen.items()}
    w.expect(any("as soon as" in (x or "") for x in offered["bob"]), f"offered {offered}")
    w.expect(any("handle" in (x or "") for x in offered["rae"]), f"offered {offered}")
    w.expect(not any("handle" in (x or "") for x in offered["bob"]), f"take right is offered {offered}")
    w.expect(not offered["eve"] and not offered["mallory"], f"offered {offered}")
    await w.discord.press(bob, seen["bob"], TURN_ON)
    await w.discord.press(rae, await w.discord.command(rae, "status", operation=ids[2]), HANDLE)
    await w.clock.sleep(4)
    pressed = w.clock.elapsed()
    release(w)
    w.clock.run_at(15)
    await all_on(w, droplets[:2], 4 * MINUTE)
    await w.announced(4 * MINUTE, count=3)
    await w.clock.sleep(12 * MINUTE)
    w.expect(droplets[2].status == OFF, "rae's was turned on")
    w.expect(len(w.ours(droplets[0])) == 1, "the one without a wish has no Snapshot")
    w.expect(not w.ours(droplets[1]), "a Snapshot was begun after Turn it on")
    return f"{offered}; call: {calls(w)[0].text[:200]!r}"



# -- outage ---------------------------------------------------------------------------------------


def silence(w: World, how: str) -> Effect:
    async def hang(call: Call, run: Run) -> Answer:
        await w.clock.sleep(90)
        return await cut_before(call, run)

    async def half(call: Call, run: Run) -> Answer:
        """Carried out, and the answer never comes."""
        await run()
        await w.clock.sleep(90)
        raise Cut

    async def mixed(call: Call, run: Run) -> Answer:
        return await random.choice((OUT, page(502), page(200), cut_before, hang))(call, run)

    return {"503": OUT, "HTML 502": page(502), "HTML 200": page(200), "no answer": hang, "half-open, carried out": half, "all sorts": mixed}[how]


def stage_seen(w: World, stage: str, count: int) -> Callable[[], object]:
    def began(kind: str) -> bool:
        return len({c.path for c in w.digitalocean.posts(kind) if c.status == 201}) >= count

    def ended(kind: str) -> bool:
        return sum(a.type == kind and a.status == "completed" for a in w.digitalocean.actions.values()) >= count

    return {
        "accepted": lambda: True,
        "shutting down": lambda: began("shutdown"),
        "off": lambda: ended("shutdown"),
        "Snapshot runs": lambda: began("snapshot"),
        "Snapshot ended": lambda: ended("snapshot"),
        "restore runs": lambda: began("restore"),
        "restore ended": lambda: ended("restore"),
        "powering on": lambda: began("power_on"),
    }[stage]


def outage(kind: str, stage: str, how: str, minutes: float, count: int, speed: float = 40) -> None:
    @case(f"outage: {count} {kind}, {how} for {minutes:g} min from: {stage}", limit=120 + minutes * 60 / speed * 2 + count, env=SLOW)
    async def silent(w: World) -> str:
        random.seed(5)
        droplets = add(w, count)
        w.digitalocean.usual["snapshot"] = Outcome(takes=40 if count < 60 else 400)
        w.digitalocean.usual["restore"] = Outcome(takes=40)
        w.digitalocean.usual["power_on"] = w.digitalocean.usual["shutdown"] = Outcome(takes=3)
        w.digitalocean.restore_powers_on = False
        await w.start()
        for droplet in droplets:
            if kind == "take":
                await ask(w, w.ada, droplet)
            else:
                old = w.digitalocean.add_snapshot(droplet, "old-one")
                question = await w.discord.command(w.ada, "restore", droplet=str(droplet.id), snapshot=str(old.id))
                await w.discord.press(w.ada, question, "restore")
        if stage not in ("accepted", "shutting down"):
            w.clock.run_at(3)
        await w.until(stage_seen(w, stage, count), 10 * MINUTE, stage)
        began = w.clock.elapsed()
        w.digitalocean.fault(lambda c: True, silence(w, how))
        w.clock.run_at(speed)
        await w.clock.sleep(minutes * MINUTE)
        w.digitalocean.heal()
        healed = w.clock.elapsed()
        rate = per_minute(w, began, healed)
        blind = Counter(c.path for c in w.digitalocean.posts("power_on") if began < c.at < healed)
        off = sum(d.status == OFF for d in droplets)
        rung = calls(w)
        w.clock.run_at(15 if count < 60 else 3)
        # A take may go on before it turns on: what is left of the Snapshot, the restore and what is between them.
        took = await all_on(w, droplets, 4 * MINUTE if kind == "take" else 6 * MINUTE)
        settled = w.clock.elapsed()
        await w.announced(15 * MINUTE, count=count)
        await all_on(w, droplets, 2 * MINUTE)
        seen = (
            f"{off} off at its end, all on {took:.0f}s after; requests a minute {rate[:1]} then at most {max(rate[1:], default=0)}, "
            f"{sum(rate)} in all; blind tries of one: {max(blind.values(), default=0)}, of {len(blind)} Droplets; {len(rung)} calls"
        )
        w.expect(max(rate[1:], default=0) <= 60, seen)
        w.expect(len(w.announcements()) == count, f"{len(w.announcements())} announcements; {seen}")
        stamped = Counter(s.droplet for s in w.digitalocean.snapshots.values() if s.name != "old-one")
        w.expect(all(n == 1 for n in stamped.values()), f"Snapshots {stamped}; {seen}")
        w.expect(max(Counter(c.path for c in w.digitalocean.posts("restore") if c.status == 201).values(), default=0) <= 1, f"restored twice; {seen}")
        if off and minutes >= 12:
            w.expect(len(rung) == 1, f"{len(rung)} calls; {seen}")
        if off and minutes >= 7 and stage not in ("restore runs", "restore ended"):  # the last look saw our restore: 30 minutes
            w.expect(len(blind) == off or how == "half-open, carried out", f"not all off ones were tried blind; {seen}")
        return seen


outage("take", "accepted", "503", 12, 1)
outage("take", "shutting down", "no answer", 12, 5)
outage("take", "shutting down", "HTML 200", 3, 5)
outage("take", "Snapshot runs", "all sorts", 12, 5)
outage("take", "Snapshot ended", "HTML 502", 12, 5)
outage("take", "powering on", "503", 12, 5)
outage("take", "Snapshot runs", "half-open, carried out", 12, 5)
outage("restore", "Snapshot runs", "503", 12, 5)
outage("restore", "restore runs", "HTML 502", 12, 5)
outage("restore", "restore runs", "503", 45, 1)
outage("restore", "restore ended", "no answer", 12, 1)
outage("restore", "shutting down", "all sorts", 12, 1)


# -- theirs ---------------------------------------------------------------------------------------


def theirs(kind: str, works: bool, mine: bool) -> None:
    @case(
        f"theirs: a foreign {kind} begins the moment our Snapshot ended, for 3 min, and leaves it off: "
        + ("turned on" if mine else "left off, said, with a button"),
        limit=120,
        env=SLOW,
    )
    async def foreign(w: World) -> str:
        bob, *_ = staff(w)
        droplet = add(w, 1)[0]
        w.digitalocean.usual["snapshot"] = Outcome(takes=8)
        w.digitalocean.restore_powers_on = False
        begun = [False]

        def look(_: Call) -> None:
            done = [a for a in w.digitalocean.actions.values() if a.type == "snapshot" and a.status == "completed"]
            if done and not begun[0]:
                begun[0] = True
                w.digitalocean.stranger(droplet, kind, Outcome(takes=3 * MINUTE, works=works))

        w.digitalocean.before_call = look
        await w.start()
        await ask(w, w.ada, droplet)
        await all_off(w, [droplet])
        w.clock.run_at(15)
        await w.until(lambda: begun[0], MINUTE, "the foreign Action")
        if mine:
            took = await all_on(w, [droplet], 5 * MINUTE)
            await w.announced(3 * MINUTE)
            return f"on {took:.0f}s after the foreign {kind} began"
        await w.clock.sleep(6 * MINUTE)
        w.expect(droplet.status == OFF, f"a foreign {kind} since our off was undone")
        said = w.announcements()
        w.expect(said, f"nothing announced; people read {w.discord.live()[0].text[:300]!r}")
        w.expect(kind.replace("_", " ") in said[0].text.replace("_", " "), f"it does not say what turned it off: {said[0].text[:200]!r}")
        if not w.asked("turn it on"):  # DESIGN has such a button, README does not
            return f"no button Turn it on; {said[0].text[:160]!r}"
        w.clock.run_at(3)
        await w.pressed("turn it on", bob)
        reply = list(w.discord.replies.values())[-1]
        if reply.buttons:
            await w.discord.press(bob, reply, "turn|yes")
        await all_on(w, [droplet], 2 * MINUTE)
        return said[0].text[:200]


for kind in ("power_off", "shutdown", "resize", "rebuild", "restore"):
    theirs(kind, works=kind in ("rebuild", "restore"), mine=False)
for kind in ("snapshot", "enable_backups", "migrate_droplet", "power_cycle", "power_on"):
    theirs(kind, works=False, mine=True)


# -- odd ------------------------------------------------------------------------------------------


def unknown_status(kind: str, word: object) -> None:
    @case(f"odd: the {kind} Action's status reads {word!r} for a minute", limit=100, env=SLOW)
    async def unknown(w: World) -> str:
        droplet = add(w, 1)[0]
        w.digitalocean.usual["snapshot"] = Outcome(takes=20)
        began: list[float] = []

        def change(action: dict[str, object]) -> None:
            if action["type"] == kind:
                began[:] = began or [w.clock.elapsed()]
                if w.clock.elapsed() < began[0] + MINUTE:
                    action.update(status=word, completed_at=None)

        w.digitalocean.fault(lambda c: "/actions" in c.path, rewriting(each_object("action", change)))
        await w.start()
        await ask(w, w.ada, droplet)
        await all_off(w, [droplet])
        w.clock.run_at(5)
        took = await all_on(w, [droplet], 4 * MINUTE)
        await w.announced(3 * MINUTE)
        w.expect(len(w.ours(droplet)) == 1, f"{len(w.ours(droplet))} Snapshots; {w.announcements()[0].text[:160]!r}")
        return f"off for {took:.0f}s; {w.announcements()[0].text[:120]!r}"


for kind, word in (("shutdown", "queued"), ("snapshot", "new"), ("snapshot", None), ("power_on", "pending"), ("snapshot", "cancelled")):
    unknown_status(kind, word)


def order(ids: str, listed: str, lost: tuple[str, ...]) -> None:
    @case(f"odd: Action ids {ids}, lists {listed}, lost answers: {', '.join(lost) or 'none'}", limit=100, env=SLOW)
    async def unordered(w: World) -> str:
        dice = random.Random(4)
        droplets = add(w, 3)
        for droplet in droplets:
            for kind in ("snapshot", "shutdown", "power_on"):
                w.digitalocean.stranger(droplet, kind, Outcome(takes=0.01, works=False))
        await w.clock.sleep(0.5)
        numbers = iter(range(2_999_000_000, 0, -7))

        class Ids:
            def __next__(self) -> int:
                return dice.randint(1_000_000, 4_000_000_000) if ids == "drawn" else next(numbers)

        if ids != "grow":
            w.digitalocean._ids = Ids()  # type: ignore[assignment]

        def arrange(body: dict[str, list[dict[str, object]]]) -> None:
            for key in ("actions", "droplets", "snapshots"):
                if isinstance(body, dict) and isinstance(body.get(key), list):
                    if listed == "shuffled":
                        dice.shuffle(body[key])
                    elif key == "actions":
                        began = {a.id: a.started for a in w.digitalocean.actions.values()}
                        body[key].sort(key=lambda a: -began[a["id"]])

        w.digitalocean.fault(lambda c: c.action in lost, cut_after, times=3)
        w.digitalocean.fault(lambda c: c.method == "GET", rewriting(arrange))
        w.digitalocean.usual["snapshot"] = Outcome(takes=20)
        await w.start()
        for droplet in droplets:
            await ask(w, w.ada, droplet)
        await all_off(w, droplets)
        w.clock.run_at(8)
        await w.announced(5 * MINUTE, count=3)
        said = [m.text[:150] for m in w.announcements()]
        try:
            took = await all_on(w, droplets, 2 * MINUTE)
        except Broken as broken:
            raise Broken(f"{broken}; said {said}") from None
        w.expect(all(len(w.ours(d)) == 1 for d in droplets), f"Snapshots {[len(w.ours(d)) for d in droplets]}; {said}")
        return f"{took:.0f}s; {said[0][:60]}"


order("drawn", "newest first", ("shutdown",))
order("fall", "newest first", ("shutdown",))
order("grow", "shuffled", ("shutdown",))
order("grow", "shuffled", ("snapshot",))
order("drawn", "newest first", ())
order("drawn", "newest first", ("snapshot",))
order("drawn", "newest first", ("power_on",))
order("grow", "newest first", ("shutdown",))


def odd_droplet(status: object, stage: str) -> None:
    @case(f"odd: the Droplet reads {status!r} for 90 s from: {stage}", limit=100, env=SLOW)
    async def reads(w: World) -> str:
        droplet = add(w, 1)[0]
        w.digitalocean.usual["snapshot"] = Outcome(takes=20)
        await w.start()
        await ask(w, w.ada, droplet)
        await w.until(stage_seen(w, stage, 1), 90, stage)
        end = w.clock.elapsed() + 90
        w.digitalocean.fault(
            lambda c: c.method == "GET" and w.clock.elapsed() < end,
            rewriting(each_object("droplet", lambda d: d.update(status=status))),
        )
        w.clock.run_at(8)
        await w.clock.sleep(95)
        took = await all_on(w, [droplet], 6 * MINUTE)
        said = await w.announced(6 * MINUTE)
        await w.clock.sleep(20)
        await all_on(w, [droplet], 1)
        w.expect(len(w.announcements()) == 1, f"{len(w.announcements())} announcements")
        return f"on {took:.0f}s after; {said.text[:120]!r}"


for status, stage in (("archive", "Snapshot runs"), ("new", "Snapshot runs"), ("archive", "powering on"), ("new", "shutting down"), (None, "Snapshot ended")):
    odd_droplet(status, stage)


@case("odd: the Snapshot is done, `locked` stays for 6 minutes, power_on is refused meanwhile", limit=100, env=SLOW)
async def locked_after(w: World) -> str:
    droplet = add(w, 1)[0]
    w.digitalocean.usual["snapshot"] = Outcome(takes=8)
    end = [0.0]

    def held() -> bool:
        if not end[0] and any(a.type == "snapshot" and a.status == "completed" for a in w.digitalocean.actions.values()):
            end[0] = w.clock.elapsed() + 6 * MINUTE
        return end[0] > w.clock.elapsed()

    w.digitalocean.fault(lambda c: c.method == "GET" and held(), rewriting(each_object("droplet", lambda d: d.update(locked=True))))
    w.digitalocean.fault(
        lambda c: c.action == "power_on" and held(),
        answering(422, {"id": "unprocessable_entity", "message": "Droplet is currently locked due to a pending event."}),
    )
    await w.start()
    await ask(w, w.ada, droplet)
    await all_off(w, [droplet])
    w.clock.run_at(15)
    await w.until(lambda: end[0], MINUTE, "Snapshot")
    await w.clock.sleep(end[0] - w.clock.elapsed())
    took = await all_on(w, [droplet], 2 * MINUTE)
    await w.announced(2 * MINUTE)
    return f"on {took:.0f}s after the lock; {len(w.digitalocean.posts('power_on'))} power_ons"


@case("odd: the power_on Action errs three times: on with the fourth within 3 minutes", limit=100, env=SLOW)
async def errs_thrice(w: World) -> str:
    droplet = add(w, 1)[0]
    w.digitalocean.usual["snapshot"] = Outcome(takes=8)
    w.digitalocean.script["power_on"] = [Outcome(takes=2, works=False, status="errored")] * 3
    await w.start()
    await ask(w, w.ada, droplet)
    await all_off(w, [droplet])
    w.clock.run_at(15)
    took = await all_on(w, [droplet], 5 * MINUTE)
    await w.announced(2 * MINUTE)
    return f"on after {took:.0f}s; {len(calls(w))} calls"


@case("odd: power_on completed, the Droplet reads off for 2 minutes more; no second off, one end", limit=100, env=SLOW)
async def reads_off(w: World) -> str:
    droplet = add(w, 1)[0]
    w.digitalocean.usual["snapshot"] = Outcome(takes=8)
    w.digitalocean.usual["power_on"] = Outcome(takes=2, effect_after=2 * MINUTE)
    await w.start()
    await ask(w, w.ada, droplet)
    await all_off(w, [droplet])
    w.clock.run_at(15)
    took = await all_on(w, [droplet], 4 * MINUTE)
    await w.announced(2 * MINUTE)
    await w.clock.sleep(3 * MINUTE)
    w.expect(droplet.status == ACTIVE and len(w.announcements()) == 1, f"{droplet.status}, {len(w.announcements())} announcements")
    return f"{len(w.digitalocean.posts('power_on'))} power_ons; {len(calls(w))} calls: {[m.versions[0][1].get('content', '')[:120] for m in calls(w)]}"


@case("odd: every second answer to any GET is 404 for 8 minutes from the shutdown on", limit=120, env=SLOW)
async def flapping(w: World) -> str:
    droplets = add(w, 2)
    w.digitalocean.usual["snapshot"] = Outcome(takes=60)
    await w.start()
    for droplet in droplets:
        await ask(w, w.ada, droplet)
    await all_off(w, droplets)
    turn = [0]

    def second(call: Call) -> bool:
        turn[0] += call.method == "GET"
        return call.method == "GET" and turn[0] % 2 == 0

    w.digitalocean.fault(second, answering(404, {"id": "not_found", "message": "The resource you were accessing could not be found."}))
    w.clock.run_at(15)
    took = await all_on(w, droplets, 8 * MINUTE)
    w.digitalocean.heal()
    await w.announced(5 * MINUTE, count=2)
    w.expect(all(len(w.ours(d)) == 1 for d in droplets), "not one Snapshot each")
    lied = [m.text[:120] for m in w.discord.messages if "exist" in m.text or "destroyed" in m.text]
    w.expect(not lied, f"said {lied}")
    return f"on after {took:.0f}s: {[m.text[:60] for m in w.announcements()]}"


# -- standby: frozen ------------------------------------------------------------------------------


async def froze(parent: World, name: str, kind: str, at: int, after: bool) -> str:
    """The active process is stopped at its `at`-th call to DigitalOcean since the command, for a minute; a standby is there."""
    folder = parent.folder / name
    folder.mkdir()
    w = World(parent.shared, folder, dict(parent.env))
    await w.open()
    where = [""]
    try:
        async with postgres(w):
            droplet = w.digitalocean.add_droplet("web-1")
            w.digitalocean.usual["snapshot"] = Outcome(takes=4)
            w.digitalocean.usual["restore"] = Outcome(takes=4)
            w.digitalocean.restore_powers_on = False
            old = w.digitalocean.add_snapshot(droplet, "old-one")
            await w.start()
            await w.spawn()
            await asyncio.sleep(2)
            count, stopped = [0], asyncio.Event()

            def strike(call: Call) -> None:
                count[0] += call.path not in ("/v2/account", "/metadata/v1/id")  # what a start asks, the standby's too
                if count[0] == at and not stopped.is_set() and w.process is not None:
                    w.process.send_signal(signal.SIGSTOP)
                    where[0] = f"{call.method} {call.path.rsplit('/', 2)[-2:]} {call.action or ''} {'after' if after else 'before'}"
                    stopped.set()

            if after:
                w.digitalocean.after_call = strike
            else:
                w.digitalocean.before_call = strike
            if kind == "take":
                await w.discord.command(w.ada, "take", droplet="web-1", wait=3)
            else:
                question = await w.discord.command(w.ada, "restore", droplet="web-1", snapshot=str(old.id))
                count[0] = 0
                await w.discord.press(w.ada, question, "restore", wait=3)
            try:
                await asyncio.wait_for(stopped.wait(), 30)
            except TimeoutError:
                return ""
            await asyncio.sleep(60)
            assert w.process is not None
            on = droplet.status
            w.process.send_signal(signal.SIGCONT)
            await w.until(lambda: w.announcements(), 60, "announcement")
            await w.until(lambda: droplet.status == ACTIVE, 30, "on")
            await asyncio.sleep(8)
            begun = Counter(c.action for c in w.digitalocean.calls if c.action and c.status == 201)
            w.expect(droplet.status == ACTIVE, "off again after the thaw")
            w.expect(len(w.announcements()) == 1, f"{len(w.announcements())} announcements")
            w.expect(begun["snapshot"] <= 1 and begun["restore"] <= 1, f"begun {dict(begun)}")
            if kind == "take":
                w.expect(len(w.ours(droplet, {old.id})) == 1, f"{len(w.ours(droplet, {old.id}))} Snapshots")
            w.expect(on == ACTIVE or kind != "take", "still off a minute after the freeze, with a standby there")
            return ""
    except Broken as broken:
        return f"{name}, stopped at {where[0]}: {broken}"
    finally:
        w.write_calls()
        from world.harness import all_that_people_saw

        (folder / "messages.log").write_text("\n\n".join(all_that_people_saw(w.discord)) + "\n")
        for process in w._processes:
            if process.returncode is None:
                process.send_signal(signal.SIGCONT)
        await w.close()


def frozen(kind: str, points: list[tuple[int, bool]]) -> None:
    @case(f"standby: {kind}, PostgreSQL, the active one is stopped for a minute at {len(points)} of its calls, then goes on", limit=900)
    async def sweep(w: World) -> str:
        room = asyncio.Semaphore(3)

        async def run(at: int, after: bool) -> str:
            async with room:
                return await froze(w, f"{at}{'after' if after else 'before'}", kind, at, after)

        broken = [b for b in await asyncio.gather(*(run(*p) for p in points)) if b]
        if broken:
            raise Broken(f"{len(broken)} of {len(points)}: " + " || ".join(broken[:4]))
        return f"{len(points)} freezes"


frozen("take", [(n, after) for n in (1, 3, 5, 8, 10, 12, 14) for after in (False, True)][1:13])


# -- wish: and the person does it -----------------------------------------------------------------


def done_by_hand(press: str | None, leave: bool = False) -> None:
    @case(f"wish: {press or 'nothing'} is pressed, the foreign Action ends, a person turns it on at once: it is on in the end", limit=150, env=SLOW)
    async def by_hand(w: World) -> str:
        _, rae, *_ = staff(w)
        droplets, call = await called(w, person=rae)
        web = droplets[0]
        if press == "leave it off":
            await w.pressed(press, rae)
            reply = list(w.discord.replies.values())[-1]
            if reply.buttons:
                await w.discord.press(rae, reply, "leave")
        elif press:
            await w.discord.press(rae, call, press)
        await w.clock.sleep(3)
        w.clock.run_at(15)
        shutdowns = len(w.digitalocean.posts("shutdown"))
        await w.clock.sleep(20)
        release(w)
        w.digitalocean.stranger(web, "power_on", Outcome(takes=1))
        await w.until(lambda: web.status == ACTIVE, 10, "on by hand")
        await w.clock.sleep(6 * MINUTE)
        await w.announced(5 * MINUTE, person=rae)
        again = len(w.digitalocean.posts("shutdown")) - shutdowns
        await w.clock.sleep(2 * MINUTE)
        seen = f"{again} shutdowns after it; {w.announcements(rae)[0].text[:220]!r}; Snapshots {[s.taken for s in w.ours(web)]}"
        w.expect(web.status == ACTIVE, f"turned off by the bot after a person had turned it on, and left off; {seen}")
        if press in (HANDLE, "leave it off", TURN_ON):
            w.expect(not again, f"shut down again although that person took it over; {seen}")
        return seen


for press in (HANDLE, KEEP, TURN_ON, "leave it off", None):
    done_by_hand(press)


# -- outage: with more ----------------------------------------------------------------------------


@case("outage: the shutdown takes effect 90 s late, unseen, since DigitalOcean is silent for 12 min: on soon, called", limit=150, env=SLOW)
async def late_and_silent(w: World) -> str:
    droplet = add(w, 1)[0]
    w.digitalocean.usual["shutdown"] = Outcome(takes=2, effect_after=90)
    await w.start()
    await ask(w, w.ada, droplet)
    await w.until(lambda: w.digitalocean.posts("shutdown"), 20, "shutdown")
    w.digitalocean.fault(lambda c: True, OUT)
    began = w.clock.elapsed()
    w.clock.run_at(30)
    await w.clock.sleep(12.5 * MINUTE)
    rung = [round(m.at - began) for m in calls(w)]
    blind = [round(c.at - began) for c in w.digitalocean.posts("power_on")]
    w.digitalocean.heal()
    took = await all_on(w, [droplet], 4 * MINUTE)
    await w.announced(5 * MINUTE)
    await w.clock.sleep(3 * MINUTE)
    seen = f"rung {rung}s, blind {blind}s; on {took:.0f}s after; {w.announcements()[0].text[:160]!r}; {[m.versions[0][1]['content'][:90] for m in calls(w)]}"
    w.expect(droplet.status == ACTIVE, f"off again; {seen}")
    w.expect(any(540 < r < 690 for r in rung), f"nobody was called at ten minutes; {seen}")
    return seen


@case("outage: Discord and DigitalOcean are both away for 14 min: one call at most, on soon, one announcement", limit=150, env=SLOW)
async def both_away(w: World) -> str:
    droplets = add(w, 3)
    w.digitalocean.usual["snapshot"] = Outcome(takes=40)
    await w.start()
    for droplet in droplets:
        await ask(w, w.ada, droplet)
    await w.until(lambda: len(w.digitalocean.posts("snapshot")) == 3, 60, "Snapshots")
    w.digitalocean.fault(lambda c: True, OUT)
    w.discord.down = True
    await w.discord.disconnect()
    w.clock.run_at(30)
    await w.clock.sleep(14 * MINUTE)
    w.digitalocean.heal()
    took = await all_on(w, droplets, 2 * MINUTE)
    w.discord.down = False
    w.clock.run_at(10)
    await w.announced(12 * MINUTE, count=3)
    await w.clock.sleep(MINUTE)
    seen = f"on {took:.0f}s after; rung {[m.versions[0][1]['content'][:100] for m in calls(w)]}"
    w.expect(len(calls(w)) <= 1 and len(w.announcements()) == 3, seen)
    if calls(w):
        w.expect("on again" in calls(w)[0].text and "are off" not in calls(w)[0].versions[0][1]["content"], f"called after all was over: {seen}")
    return seen


@case("outage: Cancel is pressed in its middle: nothing is begun after it, on soon", limit=120, env=SLOW)
async def cancel_in_outage(w: World) -> str:
    droplet = add(w, 1)[0]
    hold(w, [droplet], 4)
    await w.start()
    await ask(w, w.ada, droplet)
    await all_off(w, [droplet])
    await w.until(lambda: w.digitalocean.posts("snapshot"), 30, "refused Snapshot")
    w.digitalocean.fault(lambda c: True, OUT)
    w.clock.run_at(20)
    await w.clock.sleep(2 * MINUTE)
    w.clock.run_at(1)
    await w.pressed("cancel")
    pressed = w.clock.elapsed()
    w.clock.run_at(20)
    await w.clock.sleep(6 * MINUTE)
    w.digitalocean.heal()
    took = await all_on(w, [droplet], 2 * MINUTE)
    said = await w.announced(3 * MINUTE)
    w.expect(not [c for c in w.digitalocean.posts("snapshot") if c.at > pressed], "a Snapshot was begun after Cancel")
    return f"on {took:.0f}s after; {said.text[:120]!r}"


@case("call: the cause changes (a foreign Action, then 503): one message, rung once in 25 min", limit=120, env=SLOW)
async def cause_changes(w: World) -> str:
    droplets = add(w, 2)
    hold(w, droplets, 13)
    await w.start()
    for droplet in droplets:
        await ask(w, w.ada, droplet)
    await all_off(w, droplets)
    w.clock.run_at(30)
    await w.clock.sleep(12 * MINUTE)
    w.expect(len(calls(w)) == 1, f"{len(calls(w))} calls")
    w.digitalocean.fault(lambda c: True, OUT)
    await w.clock.sleep(14 * MINUTE)
    seen = f"{[(round(m.at), m.text[:160]) for m in calls(w)]}"
    w.expect(len(calls(w)) == 1, seen)
    w.expect("not answer" in calls(w)[0].text, f"the new cause is not shown: {seen}")
    w.digitalocean.heal()
    release(w)
    await all_on(w, droplets, 5 * MINUTE)
    return seen


@case("call: two causes in one channel: one message for each", limit=150, env=SLOW)
async def two_causes(w: World) -> str:
    droplets = add(w, 4)
    hold(w, droplets[:2], 60)
    w.digitalocean.fault(
        lambda c: c.action == "snapshot" and any(str(d.id) in c.path for d in droplets[2:]), OUT
    )
    await w.start()
    for droplet in droplets:
        await ask(w, w.ada, droplet)
    await all_off(w, droplets)
    w.clock.run_at(30)
    await w.clock.sleep(14 * MINUTE)
    seen = f"{[(round(m.at), m.text[:260]) for m in calls(w)]}; on: {[d.name for d in droplets if d.status == ACTIVE]}"
    listed = [sum(d.name in m.text for m in calls(w)) for d in droplets]
    w.digitalocean.heal()
    release(w)
    await all_on(w, droplets, 5 * MINUTE)
    w.expect(all(n == 1 for d, n in zip(droplets, listed) if f"{d.name}'" not in seen.split("; on:")[1]), f"listed {listed} times; {seen}")
    return seen


# -- odd: the answer to our off is lost, and the Actions tell it oddly -----------------------------


def lost_off(how: str, change: Callable[[World, list[dict[str, object]]], list[dict[str, object]]], old: int = 0, kind: str = "shutdown") -> None:
    @case(f"odd: the {kind}'s answer is lost, carried out; in lists of Actions {how}: back on", limit=120, env=SLOW)
    async def told_oddly(w: World) -> str:
        droplet = add(w, 1)[0]
        for _ in range(old):
            action = w.digitalocean._begin(droplet, "snapshot", {"name": "x"}, Outcome(takes=0, works=False))
            action.status, action.completed = "completed", w.clock.now()
            action.started -= 86400
        droplet.locked = False
        await w.clock.sleep(0.3)
        w.digitalocean.usual["snapshot"] = Outcome(takes=15)
        w.digitalocean.usual["shutdown"] = Outcome(takes=2)

        async def listing(call: Call, run: Run) -> Answer:
            own = sorted((a for a in w.digitalocean.actions.values() if a.droplet == droplet.id or "droplets" not in call.path), key=lambda a: -a.id)
            items = change(w, [w.digitalocean._action_json(a) for a in own])
            return w.digitalocean._list(call, "actions", items)

        w.digitalocean.fault(lambda c: c.action == kind, cut_after, times=1)
        w.digitalocean.fault(lambda c: c.method == "GET" and c.path.endswith("/actions"), listing)
        await w.start()
        await ask(w, w.ada, droplet)
        await all_off(w, [droplet])
        w.clock.run_at(8)
        said = await w.announced(6 * MINUTE)
        try:
            took = await all_on(w, [droplet], 3 * MINUTE)
        except Broken as broken:
            raise Broken(f"{broken}; said {said.text[:200]!r}") from None
        w.expect(len(w.ours(droplet)) <= 1, f"{len(w.ours(droplet))} Snapshots; {said.text[:160]!r}")
        return f"{took:.0f}s after the end; {said.text[:120]!r}"


def later_listed(seconds: float) -> Callable[[World, list[dict[str, object]]], list[dict[str, object]]]:
    def change(w: World, items: list[dict[str, object]]) -> list[dict[str, object]]:
        return [i for i in items if w.digitalocean.actions[int(str(i["id"]))].started + seconds <= w.clock.now()]

    return change


def each(alter: Callable[[dict[str, object]], object]) -> Callable[[World, list[dict[str, object]]], list[dict[str, object]]]:
    def change(_: World, items: list[dict[str, object]]) -> list[dict[str, object]]:
        for item in items:
            if item["type"] == "shutdown":
                alter(item)
        return items

    return change


lost_off("it appears 6 s late", later_listed(6))
lost_off("its id is a text", each(lambda i: i.update(id=str(i["id"]))))
lost_off("its status is unknown", each(lambda i: i.update(status="archived")))
lost_off("the oldest stand first, 250 of them", lambda w, items: items[::-1], old=250)
lost_off("the newest stand first, 250 of them", lambda w, items: items, old=250)
lost_off("the oldest stand first, 250 of them", lambda w, items: items[::-1], old=250, kind="snapshot")


def off_while_pending(locked: bool) -> None:
    @case(
        f"odd: off after 5 s ({'locked' if locked else 'not locked'}), while our shutdown's Action stays in-progress for 4 min: nobody reads it's stuck",
        limit=100,
        env=SLOW,
    )
    async def pending(w: World) -> str:
        droplet = add(w, 1)[0]
        w.digitalocean.locks_while_busy = locked
        w.digitalocean.usual["snapshot"] = Outcome(takes=15)
        w.digitalocean.usual["shutdown"] = Outcome(takes=240)
        await w.start()
        await ask(w, w.ada, droplet)
        await w.until(lambda: w.digitalocean.posts("shutdown"), 20, "shutdown")
        w.digitalocean.later(5, lambda: w.digitalocean.set_status(droplet, OFF))
        w.clock.run_at(10)
        said = await w.announced(10 * MINUTE)
        took = await all_on(w, [droplet], 2 * MINUTE)
        told = [m.versions[0][1].get("content", "")[:120] for m in calls(w)]
        seen = f"told {told}; {said.text[:150]!r}; {len(w.ours(droplet))} Snapshots"
        w.expect(not any("hasn't shut down" in t for t in told), seen)
        return seen


for locked in (True, False):
    off_while_pending(locked)
