"""DigitalOcean's own Backups: shown, turned on and off, kept."""

from __future__ import annotations

import asyncio
import re

from world.digitalocean import ACTIVE, Droplet, Outcome, Refusal
from world.discord import Reply
from world.harness import RESTORE_ROLE, TAKE_ROLE, VIEW_ROLE, World, case
from world.http import Call, answering, cut_after, cut_before, page, rewriting

DAILY = {"plan": "daily", "hour": 20}
YES = "enable|turn|change|disable|delete|keep|yes|make|on"
BACKUPS = r"/v2/droplets/\d+/backups"


async def backed_up(w: World, backups: int = 3) -> Droplet:
    web = w.digitalocean.add_droplet("web-1", policy=dict(DAILY))
    for n in range(backups):
        w.digitalocean.add_backup(web, age=86400.0 * (n + 1))
    await w.start()
    return web


async def ask(w: World, name: str, **options: str) -> Reply:
    return await w.discord.command(w.ada, name, root="backups", droplet="web-1", **options)


def shown(reply: Reply) -> str:
    return f"{reply.text[:600]} {[b.get('label') for b in reply.buttons]}"


async def yes(w: World, question: Reply, label: str = YES) -> Reply:
    """The first button, which does what was asked for."""
    button = question.buttons[0]
    w.expect(not button.get("disabled"), "the first button is dead")
    return await w.discord.press_id(w.ada, question, button["custom_id"])


def doing(w: World, kind: str) -> int:
    return sum(a.type == kind for a in w.digitalocean.actions.values())


@case("backups: show: off, and on with three", limit=60)
async def show(w: World) -> str:
    await backed_up(w)
    w.digitalocean.add_droplet("db-1")
    on = await ask(w, "show")
    off = await w.discord.command(w.ada, "show", root="backups", droplet="db-1")
    w.expect(on.text.count("GB") >= 3, f"not all three: {on.text}")
    w.expect("off" in off.text.lower() or "not" in off.text.lower(), off.text)
    return f"{shown(on)} // {shown(off)}"


@case("backups: enable without a plan: daily, after a question with the price; two presses enable once", limit=60)
async def enable(w: World) -> str:
    web = w.digitalocean.add_droplet("web-1")
    bob = w.discord.person("bob", roles=[RESTORE_ROLE])
    await w.start()
    question = await ask(w, "enable")
    w.expect("$" in question.text, f"no price: {shown(question)}")
    w.expect(not doing(w, "enable_backups"), "enabled before anybody said yes")
    strange = await w.discord.press_id(bob, question, question.buttons[0]["custom_id"])
    await w.clock.sleep(2)
    w.expect(not doing(w, "enable_backups"), "a stranger's press counted")
    shown_before = shown(question)
    button = question.buttons[0]["custom_id"]
    await asyncio.gather(w.discord.press_id(w.ada, question, button), w.discord.press_id(w.ada, question, button))
    said = await w.announced(30)
    await w.clock.sleep(3)
    w.expect(doing(w, "enable_backups") == 1, f"{doing(w, 'enable_backups')} times")
    w.expect(web.policy and web.policy["plan"] == "daily", f"policy {web.policy}")
    return f"{shown_before} // {strange.text[:100]} // {said.text}"


@case("backups: change to weekly on Tuesday at 4", limit=60)
async def change(w: World) -> str:
    web = await backed_up(w)
    question = await ask(w, "change", plan="weekly", day="tuesday", hour="4")
    if not question.buttons:
        question = await ask(w, "change", plan="weekly", day="TUE", hour="4")
    before = shown(question)
    await yes(w, question)
    said = await w.announced(30)
    w.expect(web.policy == {"plan": "weekly", "weekday": "TUE", "hour": 4}, f"policy {web.policy}")
    w.expect(len(w.digitalocean.backups(web)) == 3, "Backups are gone")
    return f"{before} // {said.text}"


@case("backups: disable: lists all, deletes nothing before yes, then all; never mind deletes nothing", limit=60)
async def disable(w: World) -> str:
    web = await backed_up(w)
    question = await ask(w, "disable")
    for backup in w.digitalocean.backups(web):
        when = int(backup.created)
        w.expect(
            f"<t:{when}" in question.text or backup.name in question.text, f"{backup.name} not listed: {question.text}"
        )
    before = shown(question)
    await w.discord.press(w.ada, question, "never mind")
    await w.clock.sleep(2)
    w.expect(not doing(w, "disable_backups"), "disabled by Never mind")
    question = await ask(w, "disable")
    await w.discord.press(w.ada, question, "(disable|turn.*off|delete)")
    said = await w.announced(30)
    w.expect(not w.digitalocean.backups(web) and web.policy is None, "not disabled")
    return f"{before} // {said.text}"


@case("backups: disable: another Backup is there when the button is pressed: asked again, nothing deleted", limit=60)
async def disable_changed(w: World) -> str:
    web = await backed_up(w)
    question = await ask(w, "disable")
    label = next(b["label"] for b in question.buttons if "mind" not in b["label"] and "keep" not in b["label"].lower())
    w.digitalocean.add_backup(web, age=1)
    answer = await w.discord.press(w.ada, question, re.escape(label))
    await w.clock.sleep(4)
    w.expect(not doing(w, "disable_backups"), f"disabled although the list changed; {shown(answer)}")
    w.expect(question.buttons or answer.buttons, f"not asked again: {shown(answer)} {shown(question)}")
    again = answer if answer.buttons else question
    w.expect(again.text.count("<t:") >= 4, f"the new one is not listed: {shown(again)}")
    await w.discord.press(w.ada, again, "(disable|turn.*off|delete)")
    await w.announced(30)
    w.expect(not w.digitalocean.backups(web), "not disabled")
    return shown(again)


@case("backups: disable: another Backup replaces one (same number) before the press: asked again", limit=60)
async def disable_replaced(w: World) -> str:
    web = await backed_up(w)
    question = await ask(w, "disable")
    del w.digitalocean.snapshots[w.digitalocean.backups(web)[-1].id]
    w.digitalocean.add_backup(web, age=1)
    answer = await w.discord.press(w.ada, question, "(disable|turn.*off|delete)")
    await w.clock.sleep(4)
    w.expect(not doing(w, "disable_backups"), f"disabled although the list changed; {shown(answer)}")
    return shown(answer)


@case("backups: disable: another Backup appears after the press, while it waits for a busy Droplet", limit=90)
async def disable_raced(w: World) -> str:
    web = await backed_up(w)
    question = await ask(w, "disable")
    w.digitalocean.stranger(web, "resize", Outcome(takes=12))
    await w.discord.press(w.ada, question, "(disable|turn.*off|delete)")
    await w.clock.sleep(4)
    w.digitalocean.add_backup(web, age=1)
    await w.until(lambda: w.discord.pings(w.ada), 60, "told")
    await w.clock.sleep(5)
    w.expect(not doing(w, "disable_backups"), "disabled although another Backup was made")
    w.expect(len(w.digitalocean.backups(web)) == 4, "deleted")
    return w.discord.pings(w.ada)[0].text


@case("backups: disable and keep the newest: a Snapshot first, then off", limit=60)
async def disable_keep(w: World) -> str:
    web = await backed_up(w)
    newest = max(w.digitalocean.backups(web), key=lambda b: b.created)
    question = await ask(w, "disable")
    before = shown(question)
    await w.discord.press(w.ada, question, "keep")
    said = await w.announced(40)
    w.expect(newest.id in w.digitalocean.snapshots and newest.kind == "snapshot", "the newest was not kept")
    w.expect(not w.digitalocean.backups(web) and web.policy is None, "not disabled")
    order = [a.type for a in w.digitalocean.actions.values()]
    w.expect(order == ["convert", "disable_backups"], f"order {order}")
    return f"{before} // {said.text}"


async def keep_fails(w: World, outcome: Outcome | Refusal) -> str:
    web = await backed_up(w)
    question = await ask(w, "disable")
    w.digitalocean.script["convert"] = [outcome] * 6
    await w.discord.press(w.ada, question, "keep")
    await w.until(lambda: w.discord.pings(w.ada), 60, "told")
    await w.clock.sleep(8)
    w.expect(not doing(w, "disable_backups"), "disabled although the Backup was not kept")
    w.expect(len(w.digitalocean.backups(web)) == 3, "Backups are gone")
    return w.discord.pings(w.ada)[0].text


@case("backups: disable and keep: keeping errs: nothing is deleted", limit=90)
async def keep_errs(w: World) -> str:
    return await keep_fails(w, Outcome(status="errored", works=False))


@case("backups: disable and keep: keeping is refused (no scope): nothing is deleted", limit=90)
async def keep_refused(w: World) -> str:
    return await keep_fails(w, Refusal(403, "You are missing the required permission image:update.", "Forbidden"))


@case("backups: disable and keep: keeping says completed and the Backup stays one: nothing is deleted", limit=180)
async def keep_lies(w: World) -> str:
    w.clock.run_at(1)
    web = await backed_up(w)
    question = await ask(w, "disable")
    w.digitalocean.script["convert"] = [Outcome(works=False)] * 6
    await w.discord.press(w.ada, question, "keep")
    await w.clock.sleep(3)
    w.clock.run_at(60)
    await w.until(lambda: w.discord.pings(w.ada), 7200, "told")
    w.expect(not doing(w, "disable_backups"), "disabled although the Backup was not kept")
    w.expect(len(w.digitalocean.backups(web)) == 3, "Backups are gone")
    return f"{w.clock.elapsed():.0f} s: {w.discord.pings(w.ada)[0].text}"


@case("backups: keep: converts one, once; two presses", limit=60)
async def keep(w: World) -> str:
    web = await backed_up(w)
    value = (await w.discord.complete(w.ada, "keep", "backup", root="backups", droplet="web-1", backup="")).choices
    w.expect(len(value) == 3, f"offered {[c['name'] for c in value]}")
    question = await ask(w, "keep", backup=value[1]["value"])
    before = shown(question)
    button = question.buttons[0]["custom_id"]
    await asyncio.gather(w.discord.press_id(w.ada, question, button), w.discord.press_id(w.ada, question, button))
    said = await w.announced(40)
    await w.clock.sleep(2)
    w.expect(doing(w, "convert") == 1, f"{doing(w, 'convert')} converts")
    w.expect(len(w.digitalocean.backups(web)) == 2, "not out of the rotation")
    return f"{[c['name'] for c in value]} // {before} // {said.text}"


@case("backups: keep: the convert's answer is lost after it was carried out: one convert, said as done", limit=90)
async def keep_lost(w: World) -> str:
    await backed_up(w)
    value = (await w.discord.complete(w.ada, "keep", "backup", root="backups", droplet="web-1", backup="")).choices
    question = await ask(w, "keep", backup=value[0]["value"])
    w.digitalocean.fault(lambda c: c.is_("POST", r"/v2/images/\d+/actions"), cut_after, times=1)
    await yes(w, question)
    said = await w.announced(60)
    w.expect(doing(w, "convert") == 1, f"{doing(w, 'convert')} converts")
    w.expect("❌" not in said.text and "not" not in said.text.lower().split("`")[0], said.text)
    return said.text


@case("backups: disable's answer is lost after it was carried out: said as done, once", limit=90)
async def disable_lost(w: World) -> str:
    web = await backed_up(w)
    question = await ask(w, "disable")
    w.digitalocean.fault(lambda c: c.action == "disable_backups", cut_after, times=1)
    await w.discord.press(w.ada, question, "(disable|turn.*off|delete)")
    said = await w.announced(60)
    w.expect(web.policy is None, "not off")
    return said.text


@case("backups: disable's answer is lost before it arrived, and a Backup is made meanwhile: nothing deleted", limit=90)
async def disable_lost_before(w: World) -> str:
    web = await backed_up(w)
    question = await ask(w, "disable")

    async def lost(call: Call, run: object) -> object:
        w.digitalocean.add_backup(web, age=1)
        return await cut_before(call, run)

    w.digitalocean.fault(lambda c: c.action == "disable_backups", lost, times=1)
    await w.discord.press(w.ada, question, "(disable|turn.*off|delete)")
    said = await w.announced(90)
    w.expect(len(w.digitalocean.backups(web)) == 4, f"deleted one that nobody was shown: {said.text}")
    return said.text


@case("backups: the list is 404 / 503 / a page when disable is asked for: nothing is deleted unlisted", limit=150)
async def disable_blind(w: World) -> str:
    web = await backed_up(w)
    seen = []
    for effect in (
        answering(404, {"id": "not_found", "message": "gone"}),
        answering(503, {"id": "x", "message": "no"}),
        page(200),
        page(403),
        answering(200, {"backups": None}),
        answering(200, {}),
        answering(200, {"backups": [], "links": {}, "meta": {"total": 3}}),
        answering(200, {"backups": [{"id": 1}, None, 5], "links": {}, "meta": {"total": 3}}),
    ):
        w.digitalocean.heal()
        w.digitalocean.fault(lambda c: c.method == "GET" and re.fullmatch(BACKUPS, c.path), effect)
        question = await ask(w, "disable")
        seen.append(shown(question)[:160])
        live = [b for b in question.buttons if not b.get("disabled") and "mind" not in (b.get("label") or "")]
        if live and "url" not in live[0]:
            await w.discord.press_id(w.ada, question, live[0]["custom_id"])
            await w.clock.sleep(5)
        w.expect(not doing(w, "disable_backups"), f"disabled without listing: {seen[-1]}")
    w.expect(len(w.digitalocean.backups(web)) == 3, "deleted")
    return " // ".join(seen)


@case("backups: 25 Backups over pages of 20: all are listed or counted, before they are deleted", limit=60)
async def many(w: World) -> str:
    web = await backed_up(w, backups=27)
    question = await ask(w, "disable")
    w.expect("27" in question.text or question.text.count("<t:") >= 27, shown(question))
    w.expect(len(question.text) <= 6000, "too long")
    w.digitalocean.add_backup(web, age=1)
    await w.discord.press(w.ada, question, "(disable|turn.*off|delete)")
    await w.clock.sleep(4)
    w.expect(not doing(w, "disable_backups"), "the 28th was not noticed")
    return shown(question)[:900]


ODD = {
    "no policy": lambda b: b.update(policy=None),
    "plan unknown": lambda b: b["policy"].update(backup_policy={"plan": "usage-based", "hour": 3}),
    "backup_policy null": lambda b: b["policy"].update(backup_policy=None),
    "hour a float": lambda b: b["policy"]["backup_policy"].update(hour=20.0),
    "weekday null, window null": lambda b: (
        b["policy"]["backup_policy"].update(weekday=None),
        b["policy"].update(next_backup_window=None),
    ),
    "window empty strings": lambda b: b["policy"].update(next_backup_window={"start": "", "end": ""}),
    "no backup_enabled": lambda b: b["policy"].pop("backup_enabled"),
}


@case("backups: show: odd forms of the policy get an honest answer", limit=90)
async def odd(w: World) -> str:
    await backed_up(w)
    seen = []
    for name, change_body in ODD.items():
        w.digitalocean.heal()
        w.digitalocean.fault(lambda c: c.path.endswith("/backups/policy"), rewriting(change_body))
        reply = await ask(w, "show")
        w.expect(reply.kind is not None and reply.text, f"{name}: no answer")
        w.expect("are off" not in reply.text or name == "no policy", f"{name}: says they are off: {reply.text[:200]}")
        seen.append(f"{name}: {reply.text[:260]}")
    return " // ".join(seen)


@case("backups: by right: take and view may look, and nothing else", limit=60)
async def rights(w: World) -> str:
    await backed_up(w)
    eve = w.discord.person("eve", roles=[TAKE_ROLE])
    vic = w.discord.person("vic", roles=[VIEW_ROLE])
    nob = w.discord.person("nob")
    value = (await w.discord.complete(w.ada, "keep", "backup", root="backups", droplet="web-1", backup="")).choices
    for person in (eve, vic, nob):
        for name in ("enable", "change", "disable", "keep"):
            more = {"backup": value[0]["value"]} if name == "keep" else {}
            reply = await w.discord.command(person, name, root="backups", droplet="web-1", **more)
            w.expect("need" in reply.text, f"{person.name} {name}: {shown(reply)}")
        told = (await w.discord.complete(person, "keep", "backup", root="backups", droplet="web-1", backup="")).choices
        w.expect(len(told) <= 1, f"{person.name} is offered {told}")
    looks = await w.discord.command(nob, "show", root="backups", droplet="web-1")
    w.expect("need" in looks.text, looks.text)
    looks = await w.discord.command(vic, "show", root="backups", droplet="web-1")
    w.expect("GB" in looks.text, looks.text)
    question = await ask(w, "disable")
    pressed = await w.discord.press_id(eve, question, question.buttons[0]["custom_id"])
    await w.clock.sleep(3)
    w.expect(not doing(w, "disable_backups") and not doing(w, "convert"), "eve's press counted")
    return pressed.text


@case("backups: restore offers Backups, marked; the disk is the Backup's", limit=90)
async def restore(w: World) -> str:
    web = await backed_up(w)
    offered = await w.discord.complete(w.ada, "restore", "snapshot", droplet="web-1", snapshot="")
    w.expect(len(offered.choices) == 3, f"offered {[c['name'] for c in offered.choices]}")
    question = await w.discord.command(w.ada, "restore", droplet="web-1", snapshot=offered.choices[0]["value"])
    before = shown(question)
    w.expect("running" in question.text.lower() or "ran" in question.text.lower(), f"not marked: {before}")
    await w.discord.press(w.ada, question, "restore|yes")
    said = await w.announced(40)
    await w.back_on(web, 20)
    w.expect(web.disk.startswith("restore of"), web.disk)
    return f"{[c['name'] for c in offered.choices]} // {before} // {said.text}"


@case("backups: a question of before a restart is answered after it; an old one (dead for an hour) is not", limit=90)
async def restart(w: World) -> str:
    web = await backed_up(w)
    question = await ask(w, "disable")
    await w.kill()
    w.clock.leap(3700)
    await w.start()
    late = await w.discord.press(w.ada, question, "(disable|turn.*off|delete)")
    await w.clock.sleep(4)
    w.expect(not doing(w, "disable_backups"), "an hour-old question counted")
    question = await ask(w, "disable")
    await w.kill()
    await w.start()
    await w.discord.press(w.ada, question, "(disable|turn.*off|delete)")
    await w.until(lambda: web.policy is None, 30, "off")
    return late.text


@case("backups: disable confirmed, the bot killed at once and dead for two hours: nothing is deleted", limit=90)
async def old_yes(w: World) -> str:
    web = await backed_up(w)
    question = await ask(w, "disable")
    w.digitalocean.stranger(web, "resize", Outcome(takes=60))
    await w.discord.press(w.ada, question, "(disable|turn.*off|delete)")
    await w.clock.sleep(3)
    await w.kill()
    w.clock.leap(7200)
    await w.start()
    await w.until(lambda: w.discord.pings(w.ada), 60, "told")
    w.expect(not doing(w, "disable_backups"), "an old yes was carried out")
    return w.discord.pings(w.ada)[0].text


BLIND = {
    "one is null": lambda b: b["backups"] and b["backups"].__setitem__(1, None),
    "one has no name": lambda b: b["backups"] and b["backups"][1].pop("name"),
    "all are null": lambda b: b.update(backups=[None] * len(b["backups"])),
    "none is there beside a total of three": lambda b: b.update(backups=[]),
    "one is left out beside a total of three": lambda b: b["backups"] and b["backups"].pop(1),
}


def unread(name: str, change_body: object) -> None:
    @case(f"backups: disable: an item cannot be read ({name}): nothing that was not listed is deleted", limit=60)
    async def disable_unread(w: World) -> str:
        web = await backed_up(w)
        w.digitalocean.fault(lambda c: c.method == "GET" and re.fullmatch(BACKUPS, c.path), rewriting(change_body))
        question = await ask(w, "disable")
        listed = question.text.count("•")
        if any("urn off" in b["label"] for b in question.buttons):
            await w.discord.press(w.ada, question, "^turn off")
            await w.clock.sleep(6)
        left = len(w.digitalocean.backups(web))
        w.expect(left == 3 or listed == 3, f"{listed} listed, {3 - left} deleted: {question.text[:160]}")
        return question.text[:200]


for name, change_body in BLIND.items():
    unread(name, change_body)


@case(
    "backups: enable where they are on, change and disable where they are off, odd plans: a sentence, nothing done",
    limit=60,
)
async def pointless(w: World) -> str:
    await backed_up(w)
    w.digitalocean.add_droplet("db-1")
    await w.start() if w.process is None else None
    seen = []
    for name, droplet, options in (
        ("enable", "web-1", {}),
        ("change", "db-1", {"plan": "weekly"}),
        ("disable", "db-1", {}),
        ("enable", "db-1", {"plan": "hourly"}),
        ("enable", "db-1", {"plan": "daily", "hour": "3"}),
        ("enable", "db-1", {"plan": "daily", "day": "SUN"}),
        ("enable", "db-1", {"plan": "weekly", "day": "funday"}),
        ("enable", "db-1", {"hour": "-4"}),
        ("keep", "db-1", {"backup": "1"}),
        ("keep", "web-1", {"backup": "x" * 300}),
        ("change", "web-1", {}),
    ):
        reply = await w.discord.command(w.ada, name, root="backups", droplet=droplet, **options)
        w.expect(reply.kind is not None and reply.text, f"{name} {options}: no answer")
        seen.append(f"{name} {droplet} {options}: {reply.text[:110]} {[b['label'] for b in reply.buttons]}")
    w.expect(not w.digitalocean.actions, "done")
    return " // ".join(seen)


@case(
    "backups: the one to keep, or to restore, has rotated out when the button is pressed: said, nothing else done",
    limit=90,
)
async def rotated(w: World) -> str:
    web = await backed_up(w)
    offered = await w.discord.complete(w.ada, "keep", "backup", root="backups", droplet="web-1", backup="")
    question = await ask(w, "keep", backup=offered.choices[2]["value"])
    offered = await w.discord.complete(w.ada, "restore", "snapshot", droplet="web-1", snapshot="")
    restore_it = await w.discord.command(w.ada, "restore", droplet="web-1", snapshot=offered.choices[2]["value"])
    oldest = min(w.digitalocean.backups(web), key=lambda b: b.created)
    del w.digitalocean.snapshots[oldest.id]
    kept = await w.discord.press(w.ada, question, "^keep")
    await w.clock.sleep(8)
    w.expect(not doing(w, "convert"), "converted another")
    back = await w.discord.press(w.ada, restore_it, "^restore")
    await w.clock.sleep(12)
    w.expect(web.disk == "original" and web.status == ACTIVE, f"{web.disk} {web.status}")
    return f"{kept.text[:160]} // {back.text[:160]} // {[m.text[:200] for m in w.discord.pings(w.ada)]}"
