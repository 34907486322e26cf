"""Pins, costs, leftovers, panels, and the buttons under what was said."""

from __future__ import annotations

import asyncio
import re
from datetime import datetime

from world.digitalocean import OFF, Droplet, Outcome, Refusal
from world.discord import Message, Person, Reply
from world.harness import GUILD, RESTORE_ROLE, TAKE_ROLE, VIEW_ROLE, Broken, World, case
from world.http import answering, cut_before, page, rewriting

ONCALL = "400000000000000004"
REPORTS = "300000000000000003"


def shown(reply: Reply | Message) -> str:
    menus = [[o["label"] for o in m.get("options") or []] for m in reply.menus]
    return f"{reply.text[:700]} {[b.get('label') for b in reply.buttons]} {menus or ''}"


def crew(w: World) -> tuple[Person, Person, Person, Person]:
    """By right: restore, take, view, none."""
    return (
        w.discord.person("rae", roles=[RESTORE_ROLE]),
        w.discord.person("tom", roles=[TAKE_ROLE]),
        w.discord.person("vic", roles=[VIEW_ROLE]),
        w.discord.person("nob"),
    )


async def pin(w: World, person: Person, like: str, command: str = "pin", **options: str) -> Reply:
    value = await w.choice(w.ada, command, "snapshot", like)
    return await w.discord.command(person, command, snapshot=value, **options)


@case("pin: by take; another take may not unpin, restore may; delete names pin, reason and person", limit=60)
async def pins(w: World) -> str:
    web = w.digitalocean.add_droplet("web-1")
    old = w.digitalocean.add_snapshot(web, "old-one")
    w.digitalocean.add_snapshot(web, "old-one-too")
    rae, tom, vic, nob = crew(w)
    tim = w.discord.person("tim", roles=[TAKE_ROLE])
    await w.start()
    offered = await w.discord.complete(w.ada, "pin", "snapshot", snapshot="")
    value = next(c["value"] for c in offered.choices if "old-one" in c["name"] and "too" not in c["name"])
    for person in (vic, nob):
        refused = await w.discord.command(person, "pin", snapshot=value, reason="mine")
        w.expect("need" in refused.text, f"{person.name}: {refused.text}")
    done = await w.discord.command(tom, "pin", snapshot=value, reason="before @everyone **migrated** `x`")
    w.expect(done.kind and "need" not in done.text, done.text)
    refused = await w.discord.command(tim, "unpin", snapshot=value)
    offered = await w.discord.complete(w.ada, "unpin", "snapshot", snapshot="")
    w.expect(len(offered.choices) == 1, f"tim unpinned: {refused.text}; {offered.choices}")
    question = await w.discord.command(rae, "delete", snapshot=value)
    w.expect("migrated" in question.text and tom.id in question.text, f"reason or person not named: {question.text}")
    await w.kill()
    await w.start()
    done = await w.discord.command(rae, "unpin", snapshot=value)
    offered = await w.discord.complete(w.ada, "unpin", "snapshot", snapshot="")
    w.expect(not [c for c in offered.choices if "old-one" in c["name"]], f"rae could not: {done.text}")
    question = await w.discord.command(rae, "delete", snapshot=value)
    w.expect("migrated" not in question.text, "the pin lives on in the question")
    await w.discord.press(rae, question, "delete")
    await w.until(lambda: old.id not in w.digitalocean.snapshots, 30, "deleted")
    return f"{refused.text[:120]}"


@case("pin: a pinned Snapshot is marked in /snapshot list", limit=60)
async def pin_listed(w: World) -> None:
    w.digitalocean.add_snapshot(w.digitalocean.add_droplet("web-1"), "old-one")
    await w.start()
    await pin(w, w.ada, "old-one", reason="keep")
    listed = await w.discord.command(w.ada, "list")
    menu = [f"{o['label']} {o.get('description')}" for m in listed.menus for o in m.get("options") or []]
    w.expect(
        "📌" in listed.text or "pin" in listed.text.lower() or "pin" in str(menu).lower(),
        f"not marked: {listed.text} {menu}",
    )


@case("pin: a pin set between the delete's question and its answer is not passed over", limit=60)
async def pin_between(w: World) -> str:
    web = w.digitalocean.add_droplet("web-1")
    old = w.digitalocean.add_snapshot(web, "old-one")
    rae, tom, _, _ = crew(w)
    await w.start()
    value = await w.choice(w.ada, "delete", "snapshot", "old-one")
    question = await w.discord.command(rae, "delete", snapshot=value)
    await w.discord.command(tom, "pin", snapshot=value, reason="court order")
    answer = await w.discord.press(rae, question, "delete")
    await w.clock.sleep(5)
    seen = f"{answer.text} {question.text}"
    w.expect(
        old.id in w.digitalocean.snapshots or "court order" in seen,
        f"deleted although anyone who deletes it first reads who wants it kept and why: {seen}",
    )
    return seen[:300]


@case("orphans: one in each class; pinned ones, and by hand of a living Droplet, in none", limit=120)
async def orphans(w: World) -> str:
    web = w.digitalocean.add_droplet("web-1")
    gone = w.digitalocean.add_droplet("gone-1")
    w.digitalocean.add_snapshot(web, "by-hand", age=86400 * 30)
    w.digitalocean.add_snapshot(gone, "gone-left", age=86400 * 30)
    w.digitalocean.add_snapshot(gone, "gone-pinned", age=86400 * 30)
    _, question = await w.restore_asked(web)
    await w.discord.press(w.ada, question, "restore")
    await w.announced(40)
    await w.back_on(web, 20)
    await w.clock.sleep(2)
    await w.discord.command(w.ada, "take", droplet="web-1", power="live")
    await w.announced(40, count=2)
    ours = next(s for s in w.digitalocean.snapshots.values() if re.search(r"web-1-\d{8}-\d{4}-\w{8}$", s.name))
    safety = next(s for s in w.digitalocean.snapshots.values() if "safety" in s.name or "before" in s.name)
    w.digitalocean.add_snapshot(web, ours.name, age=-1)
    w.digitalocean.destroy(gone)
    await pin(w, w.ada, "gone-pinned", reason="keep")
    early = await w.discord.command(w.ada, "orphans")
    w.expect(safety.name not in early.text, f"the safety one within its Undo: {early.text}")
    await w.kill()
    w.clock.leap(86400 + 4000)
    await w.start()
    said = await w.discord.command(w.ada, "orphans")
    for name, due in (
        ("by-hand", False),
        ("gone-left", True),
        ("gone-pinned", False),
        ("old-one", False),
        (safety.name, True),
        (ours.name, True),
    ):
        w.expect((name in said.text) == due, f"{name} {'missing' if due else 'listed'}: {said.text}")
    return shown(said)


@case("orphans: the list of Droplets is cut short, empty, 503 or 404: nobody's Droplet is said to be gone", limit=90)
async def orphans_blind(w: World) -> str:
    for n in range(3):
        web = w.digitalocean.add_droplet(f"web-{n}")
        w.digitalocean.add_snapshot(web, f"left-{n}", age=86400 * 30)
    await w.start()
    seen = []

    def droplets(call: object) -> bool:
        return call.method == "GET" and call.path.startswith("/v2/droplets")

    for name, effect in (
        ("503", answering(503, {"id": "x", "message": "no"})),
        ("page", page(200)),
        ("404", answering(404, {"id": "not_found", "message": "no"})),
        ("null", answering(200, {"droplets": None, "links": {}, "meta": {"total": 3}})),
        ("no key", answering(200, {})),
        ("odd items", answering(200, {"droplets": [None, {"id": "x"}], "links": {}, "meta": {"total": 3}})),
        ("fewer than meta.total", answering(200, {"droplets": [], "links": {}, "meta": {"total": 3}})),
    ):
        w.digitalocean.heal()
        w.digitalocean.fault(droplets, effect)
        await w.clock.sleep(1)
        w.clock.run_at(40)
        await w.clock.sleep(70)
        w.clock.run_at(1)
        said = await w.discord.command(w.ada, "orphans")
        seen.append(f"{name}: {said.text[:140]}")
        w.expect("left-1" not in said.text, f"{name}: said to be left over: {said.text}")
    return " // ".join(seen)


async def said_gone(w: World, change: object = None) -> str:
    for n in range(3):
        w.digitalocean.add_snapshot(w.digitalocean.add_droplet(f"web-{n}", tags=["mine"] if n else []), f"left-{n}")
    if change is not None:
        w.digitalocean.fault(lambda c: c.is_("GET", "/v2/droplets"), rewriting(change))
    await w.start()
    said = await w.discord.command(w.ada, "orphans")
    w.expect(
        not [n for n in range(3) if f"left-{n}" in said.text],
        f"Snapshots of Droplets that are there are said to be left over: {said.text}",
    )
    return shown(said)


@case("orphans: one Droplet is in no list (a GPU one), though it is there: not said to be gone", limit=60)
async def orphans_gpu(w: World) -> str:
    return await said_gone(
        w, lambda b: b.update(droplets=[d for d in b["droplets"] if d["name"] != "web-1"], meta={"total": 2})
    )


@case("orphans: one Droplet's item cannot be read: not said to be gone", limit=60)
async def orphans_odd_item(w: World) -> str:
    return await said_gone(w, lambda b: b["droplets"][1].update(status=None))


@case("orphans: one Droplet lacks DROPLET_TAG: not said to be gone", limit=60, DROPLET_TAG="mine")
async def orphans_tag(w: World) -> str:
    return await said_gone(w)


@case("cost: odd figures and sizes: an answer, no nonsense", limit=60)
async def cost(w: World) -> str:
    web = w.digitalocean.add_droplet("web-1", tags=["prod", "web"])
    w.digitalocean.add_snapshot(web, "one", size=10.0)
    w.digitalocean.add_snapshot(web, "none", size=None)
    w.digitalocean.add_snapshot(web, "zero", size=0)
    w.digitalocean.add_snapshot(web, "minus", size=-0.0)
    await w.start()
    seen = []
    for options in ({}, {"by": "tag"}, {"months": 0}, {"months": 13}, {"months": -5}, {"by": "tag", "months": 12}):
        said = await w.discord.command(w.ada, "cost", **options)
        w.expect(said.kind is not None and said.text, f"{options}: no answer")
        w.expect("NaN" not in said.text and "-$" not in said.text and "$-" not in said.text, said.text)
        seen.append(f"{options}: {said.text[:260]}")
    w.expect("$0.6" in seen[0], seen[0])
    return " // ".join(seen)


@case("panel: by restore alone; its buttons by right, also after a restart; a stranger's press is refused", limit=90)
async def panel(w: World) -> str:
    web = w.digitalocean.add_droplet("web-1")
    w.digitalocean.add_snapshot(web, "old-one")
    rae, tom, vic, nob = crew(w)
    await w.start()
    for person in (tom, vic, nob):
        refused = await w.discord.command(person, "panel")
        w.expect("need" in refused.text and not w.discord.live(), f"{person.name}: {refused.text}")
    posted = await w.discord.command(rae, "panel")
    w.expect(posted.buttons and not posted.ephemeral, f"no panel for all: {shown(posted)}")
    w.expect("web-1" not in posted.text, "names a Droplet")
    await w.kill()
    await w.start()
    for person in (vic, nob):
        refused = await w.discord.press(person, posted, "take")
        w.expect("need" in refused.text and not refused.menus, f"{person.name}: {shown(refused)}")
    for person in (tom, vic, nob):
        refused = await w.discord.press(person, posted, "restore")
        w.expect("need" in refused.text and not refused.menus, f"{person.name}: {shown(refused)}")
    refused = await w.discord.press(nob, posted, "list")
    w.expect("need" in refused.text, shown(refused))
    listed = await w.discord.press(vic, posted, "list")
    w.expect("old-one" in listed.text and listed.ephemeral, shown(listed))
    menu = await w.discord.press(tom, posted, "take")
    w.expect(menu.ephemeral and menu.menus, shown(menu))
    menu_before = shown(menu)
    question = await w.discord.select(tom, menu, "web-1")
    holder = question if question.buttons else menu
    w.expect(not w.digitalocean.posts("shutdown"), "shut down before the question was answered")
    asked = shown(holder)
    other = await w.discord.press(nob, holder, "shut|take")
    await w.clock.sleep(2)
    w.expect(not w.digitalocean.posts("shutdown"), f"a stranger's press counted: {other.text}")
    await w.discord.press(tom, holder, "shut|take")
    await w.until(lambda: w.announcements(tom), 40, "announced to tom")
    await w.back_on(web, 20)
    menu = await w.discord.press(rae, posted, "restore")
    question = await w.discord.select(rae, menu, "web-1")
    deeper = question if question.menus or question.buttons else menu
    return f"{shown(posted)} // {menu_before} // {asked} // {other.text[:100]} // {shown(deeper)}"


@case("droplet show: by right; off, locked, gone; its buttons", limit=60)
async def droplet_show(w: World) -> str:
    web = w.digitalocean.add_droplet("web-1")
    w.digitalocean.add_snapshot(web, "old-one")
    off = w.digitalocean.add_droplet("db-1", status=OFF)
    rae, tom, vic, nob = crew(w)
    await w.start()
    seen = []
    for person in (rae, tom, vic, nob):
        for name in ("web-1", "db-1"):
            said = await w.discord.command(person, "show", root="droplet", droplet=name)
            seen.append(f"{person.name} {name}: {shown(said)}")
    said = await w.discord.command(rae, "show", root="droplet", droplet="db-1")
    button = next((b for b in said.buttons if "on" in (b.get("label") or "").lower().split()), None)
    if button:
        refused = await w.discord.press_id(vic, said, button["custom_id"])
        await w.clock.sleep(2)
        w.expect(off.status == OFF, f"vic turned it on: {refused.text}")
        await asyncio.gather(
            w.discord.press_id(rae, said, button["custom_id"]), w.discord.press_id(rae, said, button["custom_id"])
        )
        await w.back_on(off, 30)
        await w.clock.sleep(3)
        w.expect(len(w.digitalocean.posts("power_on")) == 1, f"{len(w.digitalocean.posts('power_on'))} power_on")
    w.digitalocean.destroy(web)
    said = await w.discord.command(rae, "show", root="droplet", droplet="web-1")
    seen.append(shown(said))
    return " // ".join(seen)


async def turned_off_by_a_person(w: World) -> tuple[Droplet, Message]:
    """Our power_on errs, and then somebody powers web-1 off: it stays off, and the end offers to turn it on."""
    web = await w.take_until_off()
    await w.until(lambda: w.ours(web), 20, "Snapshot")
    w.digitalocean.script["power_on"] = [Outcome(takes=0.3, works=False, status="errored")]
    await w.until(lambda: w.digitalocean.posts("power_on"), 20, "power_on")
    await w.clock.sleep(0.5)
    w.digitalocean.stranger(web, "power_off", Outcome(takes=0.1))
    await w.announced(60)
    await w.clock.sleep(5)
    w.expect(web.status == OFF, "turned on against a person's will")
    message = w.asked("turn it on")
    if message is None:
        raise Broken(f"no button that turns it on: {[shown(m) for m in w.discord.live()]}")
    return web, message


@case("button: Turn it on: not by view; by take, twice at once: one power_on; again when it is on: nothing", limit=90)
async def turn_on(w: World) -> str:
    _, tom, vic, nob = crew(w)
    web, message = await turned_off_by_a_person(w)
    for person in (vic, nob):
        refused = await w.discord.press(person, message, "turn it on")
        w.expect("need" in refused.text, refused.text)
    await w.kill()
    await w.start()
    button = next(b for b in message.buttons if "on" in b["label"])["custom_id"]
    one, two = await asyncio.gather(
        w.discord.press_id(tom, message, button), w.discord.press_id(w.ada, message, button)
    )
    for person, reply in ((tom, one), (w.ada, two)):
        if reply.buttons and "turn" in reply.buttons[0]["label"].lower():
            await w.discord.press_id(person, reply, reply.buttons[0]["custom_id"])
    await w.back_on(web, 30)
    await w.clock.sleep(3)
    before = 1 + 1  # the one that erred
    w.expect(len(w.digitalocean.posts("power_on")) == before, f"{len(w.digitalocean.posts('power_on'))} power_on")
    again = await w.discord.press_id(tom, message, button)
    await w.clock.sleep(3)
    w.expect(len(w.digitalocean.posts("power_on")) == before, "pressed again: turned on again")
    w.digitalocean.stranger(web, "power_off", Outcome(takes=0.5))
    await w.clock.sleep(2)
    old = await w.discord.press_id(tom, message, button)
    return f"{shown(message)[:300]} // {one.text[:120]} // {two.text[:120]} // {again.text[:160]} // off again: {shown(old)[:160]}"


async def hung_and_cancelled(w: World) -> tuple[Droplet, Message]:
    web = w.digitalocean.add_droplet("web-1")
    w.digitalocean.usual["shutdown"] = Outcome(takes=0.5, works=False)
    await w.start()
    await w.discord.command(w.ada, "take", droplet="web-1")
    await w.announced(90)
    await w.clock.sleep(2)
    message = w.asked("restart it")
    if message is None:
        raise Broken(f"no Restart it: {[shown(m) for m in w.discord.live()]}")
    return web, message


@case("button: Restart it after a hung shutdown: not by take; asks first; two yeses: one power_cycle", limit=120)
async def restart_it(w: World) -> str:
    rae, tom, vic, _ = crew(w)
    _, message = await hung_and_cancelled(w)
    for person in (tom, vic):
        refused = await w.discord.press(person, message, "restart it")
        w.expect("need" in refused.text, refused.text)
    await w.kill()
    await w.start()
    question = await w.discord.press(rae, message, "restart it")
    await w.clock.sleep(2)
    w.expect(not w.digitalocean.posts("power_cycle"), "restarted without a question")
    w.expect(question.buttons, shown(question))
    before = shown(question)
    button = question.buttons[0]["custom_id"]
    strange = await w.discord.press_id(w.ada, question, button)
    await w.clock.sleep(2)
    w.expect(not w.digitalocean.posts("power_cycle"), "another person's yes counted")
    await asyncio.gather(w.discord.press_id(rae, question, button), w.discord.press_id(rae, question, button))
    await w.until(lambda: w.digitalocean.posts("power_cycle"), 30, "a power_cycle")
    await w.clock.sleep(6)
    w.expect(len(w.digitalocean.posts("power_cycle")) == 1, "restarted twice")
    again = await w.discord.press(rae, message, "restart it") if w.asked("restart it") else None
    return f"{before} // {strange.text[:100]} // again: {again and shown(again)}"


@case("button: Restart it: the power_cycle's answer is lost, the bot killed and started: one power_cycle", limit=120)
async def restart_lost(w: World) -> str:
    rae, *_ = crew(w)
    _, message = await hung_and_cancelled(w)
    question = await w.discord.press(rae, message, "restart it")

    async def die(call: object, run: object) -> object:
        await run()
        w.kill_now()
        return await cut_before(call, run)

    w.digitalocean.fault(lambda c: c.action == "power_cycle", die, times=1)
    await w.discord.press_id(rae, question, question.buttons[0]["custom_id"], wait=3)
    await w.until(lambda: w.process.returncode is not None, 20, "killed")
    await w.clock.sleep(3)
    await w.start()
    await w.clock.sleep(20)
    w.expect(len(w.digitalocean.posts("power_cycle")) == 1, f"{len(w.digitalocean.posts('power_cycle'))} power_cycles")
    said = w.discord.live()[-1]
    return shown(said)


@case("button: Try again: by two at once: one take; by view: none; after a day: none", limit=90)
async def try_again(w: World) -> str:
    _, tom, vic, _ = crew(w)
    web = w.digitalocean.add_droplet("web-1")
    w.digitalocean.script["snapshot"] = [Outcome(takes=1, status="errored", works=False)] * 2
    await w.start()
    await w.discord.command(w.ada, "take", droplet="web-1")
    await w.announced(40)
    await w.back_on(web, 30)
    await w.clock.sleep(2)
    message = w.asked("try again")
    w.expect(message, f"no Try again: {[shown(m) for m in w.discord.live()]}")
    refused = await w.discord.press(vic, message, "try again")
    w.expect("need" in refused.text, refused.text)
    one, two = await asyncio.gather(
        w.discord.press(tom, message, "try again"), w.discord.press(w.ada, message, "try again")
    )
    await asyncio.gather(w.discord.press(tom, one, "shut down"), w.discord.press(w.ada, two, "shut down"))
    await w.until(lambda: len(w.digitalocean.posts("snapshot")) == 2, 40, "tried again")
    await w.clock.sleep(12)
    w.expect(len(w.digitalocean.posts("snapshot")) == 2, f"{len(w.digitalocean.posts('snapshot'))} tries")
    newer = w.asked("try again")
    await w.kill()
    w.clock.leap(86400 + 600)
    await w.start()
    late = await w.discord.press(tom, newer, "try again")
    await w.clock.sleep(5)
    w.expect(len(w.digitalocean.posts("snapshot")) == 2, f"tried after a day: {late.text}")
    return f"{one.text[:140]} // {two.text[:140]} // {late.text[:140]}"


@case("button: Try again is not offered after a refused scope", limit=60)
async def no_try_again(w: World) -> str:
    w.digitalocean.add_droplet("web-1")
    w.digitalocean.script["snapshot"] = [
        Refusal(403, "You are missing the required permission image:create.", "Forbidden")
    ] * 9
    await w.start()
    await w.discord.command(w.ada, "take", droplet="web-1")
    said = await w.announced(60)
    w.expect(not w.asked("try again"), shown(said))
    return shown(said)


@case("button: Restore… and Launch… under the announcement: by right; its Snapshot deleted: said", limit=90)
async def announced_buttons(w: World) -> str:
    rae, tom, _, _ = crew(w)
    web = await w.take()
    said = await w.good_take(web)
    for label in ("restore", "launch"):
        refused = await w.discord.press(tom, said, label)
        w.expect("need" in refused.text, refused.text)
    question = await w.discord.press(rae, said, "restore")
    w.expect(question.buttons, shown(question))
    form = await w.discord.press(rae, said, "launch")
    seen = f"{shown(question)[:300]} // launch kind={form.kind} {shown(form)[:200]} {str(form.body)[:300]}"
    if form.kind == 9:
        asked = await w.discord.submit(rae, form, name="web-2")
        seen += f" // {shown(asked)[:300]}"
        w.expect(not w.digitalocean.posts("create"), "x")
        await w.clock.sleep(1)
        w.expect(len(w.digitalocean.droplets) == 1, "launched without a question")
    taken = w.ours(web)[0]
    del w.digitalocean.snapshots[taken.id]
    late = await w.discord.press(rae, question, "restore")
    await w.clock.sleep(8)
    w.expect(web.disk == "original", "restored what is gone")
    late2 = await w.discord.press(rae, said, "restore")
    return f"{seen} // gone: {late.text[:200]} // {late2.text[:200]}"


@case(
    "button: Launch… with a name that DigitalOcean does not take, or of 300 characters: asked again, nothing made",
    limit=90,
)
async def launch_form(w: World) -> str:
    web = await w.take()
    said = await w.good_take(web)
    seen = []
    for name in ("web 2", "-", "ä", "@everyone", "x" * 300, "", "web_2", "web-1"):
        form = await w.discord.press(w.ada, said, "launch")
        if form.kind != 9:
            return f"no form: {shown(form)}"
        asked = await w.discord.submit(w.ada, form, name=name)
        w.expect(asked.kind is not None and asked.text, f"{name[:20]!r}: no answer")
        seen.append(f"{name[:12]!r}: {shown(asked)[:120]}")
        w.expect(len(w.digitalocean.droplets) == 1, "made")
    return " // ".join(seen)


@case("failure role: rung when a Droplet stays off, and by nothing ordinary", limit=150, FAILURE_ROLE=ONCALL)
async def failure_role(w: World) -> str:
    w.digitalocean.script["power_on"] = [Outcome(status="errored", works=False)] * 400
    web = await w.take()
    await w.goes_off(web)
    w.clock.run_at(20)
    await w.until(lambda: [m for m in w.discord.messages if m.rang_role(ONCALL)], 900, "the role is rung")
    call = next(m for m in w.discord.messages if m.rang_role(ONCALL))
    late = w.clock.elapsed()
    w.digitalocean.script["power_on"] = []
    w.clock.run_at(5)
    await w.back_on(web, 300)
    await w.clock.sleep(30)
    rings = [m for m in w.discord.messages if m.rang_role(ONCALL)]
    w.expect(len(rings) == 1, f"{len(rings)} messages ring the role")
    w.expect(call.rang(w.ada), "the asker was not rung beside the role")
    return f"{late:.0f} s: {call.text[:300]}"


@case("failure role: a guild's own id is refused at start", limit=30)
async def failure_everyone(w: World) -> str:
    await w.start(ready=False, FAILURE_ROLE=GUILD)
    code = await asyncio.wait_for(w.process.wait(), 20)
    w.expect(code == 2, f"exit {code}: {w.log()[-300:]}")
    return w.log()[-200:]


async def report_world(w: World, start: str) -> None:
    w.clock.set(start)
    w.discord.channels[REPORTS] = GUILD
    web = w.digitalocean.add_droplet("web-1")
    gone = w.digitalocean.add_droplet("gone-1")
    w.digitalocean.add_snapshot(web, "one", age=86400 * 3)
    w.digitalocean.add_snapshot(gone, "left", age=86400 * 30)
    w.digitalocean.destroy(gone)
    await w.start()


@case(
    "report: on the first at 09:00 UTC, once, also over restarts, without a ping", limit=120, REPORT_CHANNEL_ID=REPORTS
)
async def report(w: World) -> str:
    await report_world(w, "2026-02-28T20:00:00+00:00")
    await w.discord.command(w.ada, "cost")
    await w.kill()
    w.clock.leap(12.9 * 3600)
    await w.start()
    await w.clock.sleep(5)
    w.expect(not w.discord.live(REPORTS), "before 09:00")
    await w.clock.until_time("2026-03-01T09:03:00+00:00", 20, 2)
    await w.until(lambda: w.discord.live(REPORTS), 300, "a report")
    await w.kill()
    await w.start()
    await w.clock.sleep(60)
    said = w.discord.live(REPORTS)
    w.expect(len(said) == 1, f"{len(said)} reports")
    w.expect("<@" not in (said[0].body.get("content") or ""), "pings")
    await w.kill()
    w.clock.leap(35 * 86400)
    await w.start()
    await w.until(lambda: len(w.discord.live(REPORTS)) == 2, 120, "back on the 5th: said then")
    await w.clock.sleep(20)
    w.expect(len(w.discord.live(REPORTS)) == 2, "twice")
    return said[0].text[:500]


@case(
    "report: a new database waits for the next month; 503 at nine is waited out", limit=150, REPORT_CHANNEL_ID=REPORTS
)
async def report_new(w: World) -> str:
    await report_world(w, "2026-03-02T20:00:00+00:00")
    await w.clock.sleep(20)
    w.expect(not w.discord.live(REPORTS), "a new database reported at once")
    await w.kill()
    w.clock.leap(datetime.fromisoformat("2026-04-01T08:59:00+00:00").timestamp() - w.clock.now())
    w.digitalocean.fault(lambda c: c.method == "GET", answering(503, {"id": "x", "message": "no"}))
    await w.start()
    await w.clock.until_time("2026-04-01T09:20:00+00:00", 30, 5)
    early = [m.text[:200] for m in w.discord.live(REPORTS)]
    w.digitalocean.heal()
    await w.clock.until_time("2026-04-01T11:20:00+00:00", 200, 5)
    said = w.discord.live(REPORTS)
    w.expect(len(said) == 1, f"{len(said)} reports; during the outage: {early}")
    w.expect("left" in said[0].text.lower() or "$" in said[0].text, said[0].text)
    return said[0].text[:300]
