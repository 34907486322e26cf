"""What people are told, and where; once, and nobody else."""

from __future__ import annotations

import asyncio
import random
import re
import unicodedata
from typing import Any

from world.digitalocean import ACTIVE, OFF, Outcome, Refusal
from world.discord import ADMINISTRATOR, Person
from world.harness import GUILD, TAKE_ROLE, VIEW_ROLE, World, case
from world.http import Answer, Call, Cut, Run, answering, cut_after, cut_before, rewriting

MINUTE = 60.0
FORCE = "force"


@case("question: the hung-shutdown question is a new message that pings who asked")
async def question_pings(w: World) -> str:
    w.digitalocean.usual["shutdown"] = Outcome(works=False)
    await w.take()
    await w.until(lambda: w.asked(FORCE), 15, "the question")
    await w.clock.sleep(1)
    pings = w.calls_for_people()
    w.expect(pings, "the question notified nobody")
    w.expect(
        any(re.search(FORCE, b.get("label") or "", re.IGNORECASE) for b in pings[0].buttons),
        "its buttons are elsewhere",
    )
    return pings[0].text[:100]


@case("question: the question is not asked again after a restart, and its answer counts", DECISION_TIMEOUT="60s")
async def question_once(w: World) -> None:
    w.digitalocean.usual["shutdown"] = Outcome(works=False)
    droplet = await w.take()
    await w.until(lambda: w.asked(FORCE), 15, "the question")
    await w.clock.sleep(1)
    before = len(w.calls_for_people())
    await w.kill()
    await w.start()
    await w.clock.sleep(4)
    w.expect(len(w.calls_for_people()) == before, "asked twice")
    await w.pressed(FORCE)
    await w.good_take(droplet, 40)


@case("question: `Take it live` on the question takes it live, and the late off is undone", limit=90)
async def take_it_live(w: World) -> None:
    w.digitalocean.usual["shutdown"] = Outcome(works=False)
    droplet = await w.take()
    await w.until(lambda: w.asked("live"), 15, "the question")
    await w.pressed("live")
    await w.announced(30)
    w.expect(len(w.ours(droplet)) == 1, "no Snapshot")
    w.digitalocean.set_status(droplet, OFF)
    await w.back_on(droplet, 60)


async def launched(w: World) -> None:
    droplet = w.digitalocean.add_droplet("web-1")
    w.digitalocean.add_snapshot(droplet, "old-one")
    await w.start()
    value = await w.choice(w.ada, "launch", "snapshot", "old-one")
    question = await w.discord.command(w.ada, "launch", snapshot=value, name="web-2")
    if question.buttons:
        await w.discord.press(w.ada, question, "launch|create")


@case("launch: a new Droplet answers 404 for 20 s after our 202", limit=90)
async def new_404(w: World) -> str:
    w.digitalocean.usual["create"] = Outcome(takes=25)
    until = [0.0]

    def new(call: Call) -> bool:
        match = re.fullmatch(r"/v2/droplets/(\d+)(/actions)?", call.path)
        if not match or int(match[1]) not in w.digitalocean.droplets:
            return False
        if w.digitalocean.droplets[int(match[1])].name != "web-2":
            return False
        until[0] = until[0] or w.clock.elapsed() + 20
        return w.clock.elapsed() < until[0]

    w.digitalocean.fault(
        new, answering(404, {"id": "not_found", "message": "The resource you were accessing could not be found."})
    )
    await launched(w)
    said = await w.announced(80)
    w.expect("203.0.113.7" in said.text, f"said {said.text[:200]!r}")
    w.expect(sum(d.name == "web-2" for d in w.digitalocean.droplets.values()) == 1, "two were made")
    return said.text[:100]


@case("launch: 404 for the create's Action for 10 s", limit=90)
async def create_action_404(w: World) -> None:
    w.digitalocean.fault(
        lambda c: c.method == "GET" and re.search(r"/actions/\d+$", c.path) is not None and w.clock.elapsed() < 12,
        answering(404, {"id": "not_found", "message": "x"}),
    )
    await launched(w)
    said = await w.announced(60)
    w.expect("203.0.113.7" in said.text, f"said {said.text[:200]!r}")


@case("launch: create's answer is lost, carried out: one Droplet", limit=90)
async def create_lost(w: World) -> None:
    w.digitalocean.fault(lambda c: c.is_("POST", "/v2/droplets"), cut_after, times=1)
    await launched(w)
    said = await w.announced(60)
    made = [d for d in w.digitalocean.droplets.values() if d.name == "web-2"]
    w.expect(len(made) == 1, f"{len(made)} Droplets were made")
    w.expect("203.0.113.7" in said.text, f"said {said.text[:200]!r}")


@case("launch: create's 202 has no links", limit=90)
async def create_without_links(w: World) -> None:
    w.digitalocean.fault(lambda c: c.is_("POST", "/v2/droplets"), rewriting(lambda body: body.pop("links")))
    await launched(w)
    said = await w.announced(60)
    w.expect("203.0.113.7" in said.text, f"said {said.text[:200]!r}")


def action_404(kind: str) -> None:
    @case(f"launch: our new {kind} Action answers 404 once", limit=60)
    async def once(w: World) -> None:
        def fresh(call: Call) -> bool:
            match = re.fullmatch(r"/v2/(?:droplets/\d+/)?actions/(\d+)", call.path)
            action = w.digitalocean.actions.get(int(match[1])) if match else None
            return call.method == "GET" and action is not None and action.type == kind

        w.digitalocean.fault(fresh, answering(404, {"id": "not_found", "message": "x"}), times=1)
        droplet = await w.take()
        said = await w.good_take(droplet, 50)
        w.expect("omebody" not in said.text, f"said {said.text[:200]!r}")


for kind in ("shutdown", "snapshot", "power_on"):
    action_404(kind)


@case("labels: two Droplets of one name can be told apart, and the label itself is taken as a value")
async def equal_labels(w: World) -> str:
    for _ in range(2):
        w.digitalocean.add_droplet("web-1")
    await w.start()
    reply = await w.discord.complete(w.ada, "take", "droplet", droplet="web")
    labels = [c["name"] for c in reply.choices]
    w.expect(len(labels) == len(set(labels)) == 2, f"labels {labels}")
    label = labels[1]
    chosen = await w.discord.command(w.ada, "take", droplet=label)
    await w.until(lambda: w.digitalocean.posts("shutdown"), 10, f"a take by the label {label!r}: {chosen.text[:120]!r}")
    w.expect(
        int(w.digitalocean.posts("shutdown")[0].path.split("/")[3]) == int(reply.choices[1]["value"]),
        "the other one was shut down",
    )
    return str(labels)


@case("labels: Snapshots of one name and minute can be told apart; label as a value restores that one")
async def equal_snapshots(w: World) -> None:
    droplet = w.digitalocean.add_droplet("web-1")
    for _ in range(5):
        w.digitalocean.add_snapshot(droplet, "nightly", age=7200)
    await w.start()
    reply = await w.discord.complete(w.ada, "restore", "snapshot", droplet="web-1", snapshot="night")
    labels = [c["name"] for c in reply.choices]
    w.expect(len(labels) == len(set(labels)) == 5, f"labels {labels}")
    question = await w.discord.command(w.ada, "restore", droplet="web-1", snapshot=labels[3])
    w.expect(question.buttons, f"the label was refused: {question.text[:150]!r}")
    await w.discord.press(w.ada, question, "restore")
    await w.announced(40)
    w.expect(
        droplet.disk == f"restore of {reply.choices[3]['value']}",
        f"disk is {droplet.disk}, wanted {reply.choices[3]['value']}",
    )


@case("labels: names of 255 characters with emoji: labels at most 100, distinct, not cut inside a character")
async def long_names(w: World) -> str:
    for n in range(3):
        w.digitalocean.add_droplet("a" * 80 + "👩‍🚀🇺🇦ộ" * 20 + str(n))
    await w.start()
    reply = await w.discord.complete(w.ada, "take", "droplet", droplet="aaa")
    labels = [c["name"] for c in reply.choices]
    w.expect(len(labels) == len(set(labels)) == 3, f"{len(labels)} labels, {len(set(labels))} different")
    w.expect(
        all(len(x.encode("utf-16-le")) // 2 <= 100 and len(x) <= 100 for x in labels),
        f"too long: {[len(x) for x in labels]}",
    )
    broken = [x for x in labels if cut_inside(x)]
    w.expect(not broken, f"cut inside a character: {broken[0] if broken else ''!r}")
    return labels[0]


def cut_inside(text: str) -> bool:
    """Whether a cut (before an ellipsis or at the end) went through 👩‍🚀, 🇺🇦 or ộ of these names."""
    for piece in re.findall(r"a{3,}([^…\s·`]*)", text):
        rest = unicodedata.normalize("NFC", piece)
        rest = re.sub("👩‍🚀|🇺🇦|ộ|[\\w.-]", "", rest)
        if rest:
            return True
    return False


ODD_PEOPLE: dict[str, dict[str, Any]] = {
    "public_flags beyond 32 bits": {"odd_user": {"public_flags": 1 << 50}},
    "flags beyond 64 bits, as text": {"odd_user": {"public_flags": str(1 << 70)}},
    "member without deaf and mute": {"lacks": ("deaf", "mute")},
    "member without roles' neighbours": {"lacks": ("joined_at", "pending", "flags", "premium_since")},
    "discriminator null": {"odd_user": {"discriminator": None}},
}


async def listed_for(w: World, **attributes: Any) -> str:
    bob = w.discord.person("bob", permissions=ADMINISTRATOR, **attributes)
    w.digitalocean.add_droplet("web-1")
    await w.start()
    reply = await w.discord.command(bob, "list", wait=4)
    w.expect(reply.kind is not None, "no answer at all")
    return reply.text


def odd_person(what: str, attributes: dict[str, Any]) -> None:
    @case(f"readable: {what}: answered all the same", limit=40)
    async def answered(w: World) -> None:
        said = await listed_for(w, **attributes)
        w.expect("web-1" in said or "napshot" in said, f"said {said[:200]!r}")


for what, attributes in ODD_PEOPLE.items():
    odd_person(what, attributes)


@case("readable: an interaction that no client library can read: answered with a sentence that says so", limit=40)
async def unreadable(w: World) -> None:
    # Ids are texts everywhere at Discord, so a library may give up on a number. Silence would be worse than this sentence.
    said = await listed_for(w, odd_user={"avatar": "a_" + "0" * 64, "primary_guild": {"identity_guild_id": 7}})
    w.expect("web-1" in said or "can't read" in said, f"said {said[:200]!r}")


@case("readable: the bot's own user with flags beyond 32 bits: it connects", limit=60)
async def own_flags(w: World) -> None:
    w.discord.bot_user_extra = {"flags": 1 << 45, "public_flags": 1 << 45}
    droplet = await w.take()
    await w.good_take(droplet)


@case("readable: an unknown gateway event, a GUILD_CREATE with an unknown channel type", limit=60)
async def unknown_events(w: World) -> None:
    await w.start()
    await w.discord.dispatch("QUANTUM_VOICE_UPDATE", {"x": [1, {"y": None}]})
    body = w.discord._guild_json(GUILD, whole=True)
    body["channels"].append({"id": "7", "type": 99, "name": 5, "flags": -1})
    body["roles"].append({"id": "8"})
    await w.discord.dispatch("GUILD_CREATE", body)
    droplet = w.digitalocean.add_droplet("web-1")
    await w.discord.command(w.ada, "take", droplet="web-1")
    await w.good_take(droplet)


@case("rights: a guest's cancel, autocomplete and status give no names away")
async def guest(w: World) -> str:
    guest = w.discord.person("guest")
    w.digitalocean.usual["snapshot"] = Outcome(takes=8)
    w.digitalocean.add_droplet("secret-db")
    await w.start()
    await w.discord.command(w.ada, "take", droplet="secret-db")
    told = [
        await w.discord.command(guest, "cancel", operation="x"),
        await w.discord.command(guest, "cancel", operation="secret"),
        await w.discord.command(guest, "status"),
        await w.discord.command(guest, "list"),
        await w.discord.complete(guest, "cancel", "operation", operation=""),
        await w.discord.complete(guest, "take", "droplet", droplet=""),
        await w.discord.command(guest, "take", droplet="secret-db"),
        await w.discord.command(guest, "take", droplet="nothing-like-it"),
    ]
    leaks = [r.text + str(r.choices) for r in told if "secret-db" in r.text + str(r.choices)]
    w.expect(not leaks, f"a guest read {leaks[0][:160] if leaks else ''!r}")
    return told[0].text[:90]


@case("rights: rights on every command", limit=60)
async def rights(w: World) -> None:
    taker = w.discord.person("taker", roles=[TAKE_ROLE])
    viewer = w.discord.person("viewer", roles=[VIEW_ROLE])
    droplet = w.digitalocean.add_droplet("web-1")
    old = w.digitalocean.add_snapshot(droplet, "old-one")
    await w.start()
    tries: list[tuple[Person, str, dict[str, Any]]] = [
        (viewer, "take", {"droplet": "web-1"}),
        (taker, "restore", {"droplet": "web-1", "snapshot": str(old.id)}),
        (taker, "delete", {"snapshot": str(old.id)}),
        (taker, "launch", {"snapshot": str(old.id), "name": "x"}),
    ]
    for person, name, options in tries:
        reply = await w.discord.command(person, name, **options)
        w.expect(reply.ephemeral and not reply.buttons, f"{person.name} {name}: {reply.text[:100]!r} {reply.buttons}")
    w.expect(not w.digitalocean.posts("shutdown") and len(w.digitalocean.droplets) == 1, "something was done")


@case("rights: a confirmation answers only to who asked, and works once", limit=60)
async def confirmation_once(w: World) -> str:
    mallory = w.discord.person("mallory", permissions=ADMINISTRATOR)
    droplet = w.digitalocean.add_droplet("web-1")
    _, question = await w.restore_asked(droplet)
    first = await w.discord.press(mallory, question, "restore")
    await w.clock.sleep(1.5)
    w.expect(not w.digitalocean.posts("shutdown"), "another person's press counted")
    body = question.body
    await w.discord.press(w.ada, question, "restore")
    question.body = body
    await w.discord.press(w.ada, question, "restore")
    await w.announced(40)
    await w.clock.sleep(3)
    w.expect(len(w.digitalocean.posts("restore")) == 1, f"{len(w.digitalocean.posts('restore'))} restores")
    return first.text[:80]


@case("relapse: a relapse after getting on calls again", limit=200)
async def relapse(w: World) -> str:
    w.digitalocean.usual["power_on"] = Outcome(status="errored", works=False)
    droplet = await w.take_until_off()
    w.clock.run_at(15)
    await w.until(lambda: w.calls_for_people(), 12 * MINUTE, "the first call")
    w.digitalocean.usual.pop("power_on")
    await w.back_on(droplet, 12 * MINUTE)
    await w.announced(2 * MINUTE)
    first = len(w.calls_for_people())
    await w.clock.sleep(35 * MINUTE)
    w.clock.run_at(1)
    w.digitalocean.usual["power_on"] = Outcome(status="errored", works=False)
    await w.discord.command(w.ada, "take", droplet="web-1")
    await w.goes_off(droplet)
    w.clock.run_at(15)
    await w.until(lambda: len(w.calls_for_people()) > first, 13 * MINUTE, "a call in the second operation")
    return f"{len(w.calls_for_people())} calls"


@case("answered: the command reaches us after its interaction died (10062): nothing is done", limit=60)
async def dead_interaction(w: World) -> None:
    w.digitalocean.add_droplet("web-1")
    await w.start()
    w.discord.fault(lambda c: "/callback" in c.path, answering(404, {"message": "Unknown interaction", "code": 10062}))
    await w.discord.command(w.ada, "take", droplet="web-1", wait=3)
    await w.clock.sleep(6)
    w.expect(not w.digitalocean.posts("shutdown"), "it was carried out though the person read 'did not respond'")


@case("answered: a take, the bot killed right at its first answer and started again: it goes on", limit=90)
async def first_answer_restart(w: World) -> None:
    droplet = w.digitalocean.add_droplet("web-1")
    await w.start()
    w.discord.before_call = lambda call: w.kill_now() if "/callback" in call.path else None
    await w.discord.command(w.ada, "take", droplet="web-1", wait=3)
    w.discord.before_call = lambda call: None
    await w.start()
    # The answer left and nothing came back, so nobody knows what the person read. A take harms nothing and goes on; what overwrites,
    # deletes or costs money is withdrawn, as the sweeps of `kill:` show.
    await w.good_take(droplet, 60)


@case("answered: a delete whose press got no answer back (cut after it left): withdrawn", limit=60)
async def press_unanswered(w: World) -> str:
    droplet = w.digitalocean.add_droplet("web-1")
    old = w.digitalocean.add_snapshot(droplet, "old-one")
    await w.start()
    value = await w.choice(w.ada, "delete", "snapshot", "old-one")
    question = await w.discord.command(w.ada, "delete", snapshot=value)
    w.discord.fault(lambda c: "/callback" in c.path, cut_before)
    await w.discord.press(w.ada, question, "delete", wait=4)
    await w.clock.sleep(8)
    w.expect(old.id in w.digitalocean.snapshots, "destructive, unanswered, and carried out")
    return " | ".join(m.text[:80] for m in w.discord.messages)


@case("answered: a take in a channel where the bot may not post (50013): told in a direct message", limit=60)
async def locked_thread(w: World) -> str:
    droplet = w.digitalocean.add_droplet("web-1")
    await w.start()
    w.discord.fault(
        lambda c: c.method == "POST" and c.path.endswith(f"/channels/{w.discord.channel}/messages"),
        answering(403, {"message": "Missing Permissions", "code": 50013}),
    )
    reply = await w.discord.command(w.ada, "take", droplet="web-1")
    # Its answer, which only the asker sees, arrived; so it was accepted, and the end is told where that is possible.
    w.expect(reply.ephemeral and reply.text, "no answer that only the asker sees")
    await w.until(lambda: w.digitalocean.posts("shutdown"), 10, "the take begun")
    await w.back_on_after_off(droplet, 30)
    await w.until(lambda: w.discord.live(w.discord.direct(w.ada)), 40, "a direct message about the end")
    return w.discord.live(w.discord.direct(w.ada))[0].text[:120]


@case("errors: a pending event in an object as message is waited for", limit=60)
async def object_message(w: World) -> None:
    w.digitalocean.script["snapshot"] = [Refusal(422, {"base": ["Droplet already has a pending event."]})] * 2
    droplet = await w.take()
    await w.good_take(droplet, 50)


@case("errors: a refusal whose message is an object or a list is quoted", limit=60)
async def object_quoted(w: World) -> str:
    w.digitalocean.usual["snapshot"] = Outcome()
    w.digitalocean.script["snapshot"] = [Refusal(422, {"name": ["is too poetic for us"]})] * 3
    droplet = await w.take()
    await w.announced(40)
    await w.back_on(droplet, 30)
    said = " ".join(m.text for m in w.discord.messages)
    w.expect("too poetic" in said, f"said {w.announcements()[0].text[:200]!r}")
    return w.announcements()[0].text[:120]


@case("sizes: a Snapshot's size stays null: announced all the same", limit=240)
async def size_null(w: World) -> str:
    w.digitalocean.late_size = None
    droplet = await w.take_until_off()
    await w.back_on(droplet, 30)
    w.clock.run_at(10)
    said = await w.announced(20 * MINUTE)
    return f"{said.at:.0f}s: {said.text[:120]}"


@case("sizes: sizes of 0, -0.0 and 0.004 GB show no `-0.00`", limit=60)
async def sizes(w: World) -> str:
    droplet = w.digitalocean.add_droplet("web-1")
    for n, size in enumerate((0.0, -0.0, 0.004, 1e-9, 99999.0)):
        w.digitalocean.add_snapshot(droplet, f"s{n}", size=size)
    await w.start()
    listed = await w.discord.command(w.ada, "list")
    w.expect("-0" not in listed.text.replace("web-0", ""), f"{listed.text[:400]!r}")
    w.expect("s0" in listed.text, f"nothing listed: {listed.text[:200]!r}")
    return listed.text[:100]


async def second_guild(w: World) -> tuple[str, str]:
    other, channel = "100000000000000003", "300000000000000003"
    w.discord.guilds.append(other)
    w.discord.channels[channel] = other
    return other, channel


@case(
    "guilds: a busy refusal in another guild shows no channel, link or asker of this one",
    limit=60,
    DISCORD_GUILD_ID=f"{GUILD},100000000000000003",
)
async def busy_elsewhere(w: World) -> str:
    other, channel = await second_guild(w)
    bob = w.discord.person("bob", roles=[TAKE_ROLE])
    w.digitalocean.usual["snapshot"] = Outcome(takes=8)
    w.digitalocean.add_droplet("web-1")
    await w.start()
    await w.discord.command(w.ada, "take", droplet="web-1")
    await w.clock.sleep(2)
    reply = await w.discord.command(bob, "take", droplet="web-1", channel=channel, guild=other)
    w.expect(reply.text, "no answer")
    leaks = [x for x in (w.discord.channel, f"/{GUILD}/", w.ada.id) if x in reply.text]
    w.expect(not leaks, f"shows {leaks} in {reply.text[:200]!r}")
    return reply.text[:120]


@case("guilds: a guild that is not served is refused", limit=60)
async def not_served(w: World) -> str:
    other, channel = await second_guild(w)
    w.digitalocean.add_droplet("web-1")
    await w.start()
    reply = await w.discord.command(w.ada, "take", droplet="web-1", channel=channel, guild=other)
    await w.clock.sleep(3)
    w.expect(not w.digitalocean.posts("shutdown"), "carried out")
    return reply.text[:100]


@case(
    "notify: a take in the notify channel itself is announced there once",
    limit=60,
    NOTIFY_CHANNEL_ID="300000000000000001",
)
async def notify_here(w: World) -> None:
    droplet = await w.take()
    await w.good_take(droplet)
    await w.clock.sleep(3)
    new = [m.text[:60] for m in w.discord.messages if not (m.nonce or "").endswith("-p")]
    w.expect(len(new) == 1, f"{len(new)} messages: {new}")


@case(
    "notify: the notify channel hears of every outcome, and pings nobody",
    limit=60,
    NOTIFY_CHANNEL_ID="300000000000000002",
)
async def notify_there(w: World) -> None:
    droplet = await w.take()
    await w.announced(30)
    await w.back_on(droplet, 10)
    await w.until(lambda: w.discord.live(w.discord.notify), 20, "a word in the notify channel")
    w.expect(len(w.discord.live(w.discord.notify)) == 1, "more than one")
    w.expect(not w.discord.live(w.discord.notify)[0].pings(w.ada), "it pings")


@case("names: DigitalOcean leaves it on after a restore: nobody else is named for it", limit=60)
async def restore_leaves_on(w: World) -> str:
    droplet = w.digitalocean.add_droplet("web-1")
    _, question = await w.restore_asked(droplet)
    await w.discord.press(w.ada, question, "restore")
    said = await w.announced(40)
    everything = " ".join(m.text for m in w.discord.messages)
    w.expect("omebody turned" not in everything, f"said {said.text[:200]!r}")
    return said.text[:120]


@case("names: DigitalOcean leaves it off after a restore: turned on", limit=60)
async def restore_leaves_off(w: World) -> None:
    w.digitalocean.restore_powers_on = False
    droplet = w.digitalocean.add_droplet("web-1")
    old, question = await w.restore_asked(droplet)
    await w.discord.press(w.ada, question, "restore")
    await w.announced(40)
    await w.back_on(droplet, 20)
    w.expect(droplet.disk == f"restore of {old.id}", droplet.disk)


@case(
    "crowd: 25 takes at once with 60 requests a minute: nobody off waits long after its Snapshot",
    limit=240,
    POLL_INTERVAL="1s",
    SETTLE_TIME="10s",
    SHUTDOWN_TIMEOUT="60s",
)
async def crowded(w: World) -> str:
    w.digitalocean.minute_limit, w.digitalocean.hourly_limit = 60, 1200
    w.digitalocean.usual["snapshot"] = Outcome(takes=60)
    w.digitalocean.usual["shutdown"] = w.digitalocean.usual["power_on"] = Outcome(takes=5)
    droplets = [w.digitalocean.add_droplet(f"web-{n}") for n in range(25)]
    await w.start()
    for droplet in droplets:
        await w.discord.command(w.ada, "take", droplet=droplet.name)
    w.clock.run_at(10)
    await w.announced(30 * MINUTE, count=25)
    await w.until(lambda: all(d.status == ACTIVE for d in droplets), MINUTE, "all on")
    waits = []
    for droplet in droplets:
        ended = next(
            a.completed or 0.0
            for a in w.digitalocean.actions.values()
            if a.droplet == droplet.id and a.type == "snapshot"
        )
        on = next(at for at, s in reversed(droplet.downtime) if s == ACTIVE)
        waits.append(on - (ended - w.clock.now() + w.clock.elapsed()))
    w.expect(
        max(waits) <= 65,
        f"on up to {max(waits):.0f}s after its Snapshot's end ({len(w.digitalocean.calls)} requests, {w.digitalocean.throttled} refused)",
    )
    return f"on at most {max(waits):.0f}s after its Snapshot's end; {len(w.digitalocean.calls)} requests, {w.digitalocean.throttled} refused"


@case("told: the progress message is deleted while it runs: posted again, one announcement", limit=60)
async def deleted_progress(w: World) -> None:
    w.digitalocean.usual["snapshot"] = Outcome(takes=5)
    droplet = await w.take_until_off()
    for message in w.discord.live():
        message.deleted = True
    await w.good_take(droplet, 40)
    w.expect(any((m.nonce or "").split("-")[-1].startswith("p") for m in w.discord.live()), "no progress message again")


@case("told: announcing is cut after it was carried out: one announcement", limit=60)
async def announcement_cut(w: World) -> None:
    w.discord.fault(
        lambda c: c.method == "POST" and c.path.endswith("/messages") and "-a" in str(c.body.get("nonce")),
        cut_after,
        times=2,
    )
    droplet = await w.take()
    await w.good_take(droplet, 50)


@case("told: announcing is cut after it was carried out, restart beyond the nonce's memory", limit=60)
async def announcement_old(w: World) -> None:
    def when(call: Call) -> bool:
        return call.method == "POST" and call.path.endswith("/messages") and "-a" in str(call.body.get("nonce"))

    w.discord.after_call = lambda call: w.kill_now() if when(call) else None
    droplet = await w.take()
    await w.until(lambda: w.announcements(), 40, "announcement")
    await w.kill()
    w.discord.after_call = lambda call: None
    w.clock.leap(20 * MINUTE)
    await w.start()
    await w.clock.sleep(8)
    w.expect(len(w.announcements()) == 1, f"{len(w.announcements())} announcements")
    await w.back_on(droplet, 10)


@case("told: Discord answers 500 and 429 to every second call for a while", limit=90)
async def discord_chaos(w: World) -> None:
    dice = random.Random(3)
    droplet = w.digitalocean.add_droplet("web-1")
    await w.start()
    await w.discord.command(w.ada, "take", droplet="web-1")
    w.discord.fault(
        lambda c: dice.random() < 0.25, answering(500, {"message": "500: Internal Server Error", "code": 0})
    )
    w.discord.fault(
        lambda c: dice.random() < 0.25,
        answering(
            429, {"message": "You are being rate limited.", "retry_after": 0.4, "global": False}, Retry_After="1"
        ),
    )
    w.discord.fault(lambda c: dice.random() < 0.1, answering(200, "not what you think"))
    await w.clock.sleep(20)
    w.discord.heal()
    await w.good_take(droplet, 60)


@case(
    "told: the channel is deleted while off: the Droplet comes on, the notify channel hears",
    limit=90,
    NOTIFY_CHANNEL_ID="300000000000000002",
)
async def channel_gone(w: World) -> str:
    w.digitalocean.usual["snapshot"] = Outcome(takes=3)
    droplet = await w.take_until_off()
    del w.discord.channels[w.discord.channel]
    await w.back_on(droplet, 40)
    await w.until(lambda: w.discord.live(w.discord.notify), 40, "a word in the notify channel")
    return w.discord.live(w.discord.notify)[0].text[:100]


@case("told: the same interaction delivered twice (RESUME replays it): one take", limit=60)
async def twice(w: World) -> None:
    droplet = await w.take()
    session = next(iter(w.discord.sessions))
    event = next(p for p in w.discord.sessions[session] if p["t"] == "INTERACTION_CREATE")
    await w.discord.dispatch("INTERACTION_CREATE", event["d"])
    await w.good_take(droplet, 40)
    await w.clock.sleep(3)
    w.expect(len(w.digitalocean.posts("shutdown")) == 1, "shut down twice")


@case("told: a Droplet named like markdown and mentions pings nobody", limit=60)
async def markdown_name(w: World) -> str:
    droplet = w.digitalocean.add_droplet("@everyone`**<@200000000000000000>")
    await w.start()
    await w.discord.command(w.ada, "take", droplet=str(droplet.id))
    said = await w.announced(40)
    w.expect("everyone" not in str((said.body.get("allowed_mentions") or {}).get("parse")), "may ping everyone")
    w.expect(
        all((m.body.get("allowed_mentions") is not None) for m in w.discord.messages if m.body.get("content")),
        "a message without allowed_mentions",
    )
    return said.text[:120]


@case("told: a snapshot name given by a person, with quotes, newlines and 300 characters", limit=60)
async def odd_name(w: World) -> str:
    droplet = w.digitalocean.add_droplet("web-1")
    await w.start()
    reply = await w.discord.command(w.ada, "take", droplet="web-1", name='é\n`"' + "👩‍🚀" * 70)
    await w.clock.sleep(1)
    if not w.digitalocean.posts("shutdown"):
        w.expect(reply.text, "no answer")
        return f"refused: {reply.text[:100]!r}"
    await w.good_take(droplet, 40)
    return w.ours(droplet)[0].name[-60:]


@case("told: cancel during the Snapshot: kept, on again, said", limit=60)
async def cancel_snapshot(w: World) -> str:
    w.digitalocean.usual["snapshot"] = Outcome(takes=4)
    droplet = await w.take_until_off()
    await w.until(lambda: w.digitalocean.posts("snapshot"), 10, "snapshot")
    await w.clock.sleep(0.6)
    await w.pressed("cancel")
    said = await w.announced(40)
    await w.back_on(droplet, 20)
    w.expect(len(w.ours(droplet)) == 1, "the Snapshot was not kept")
    return said.text[:120]


@case("told: two commands for one Droplet at the same moment: one runs, one is refused with a link", limit=60)
async def race(w: World) -> None:
    droplet = w.digitalocean.add_droplet("web-1")
    await w.start()
    replies = await asyncio.gather(*(w.discord.command(w.ada, "take", droplet="web-1") for _ in range(4)))
    await w.good_take(droplet, 40)
    w.expect(len(w.digitalocean.posts("shutdown")) == 1, "two ran")
    w.expect(all(r.text for r in replies), "somebody got no answer")


@case("told: restore to a Snapshot that is deleted after the question", limit=60)
async def restore_gone(w: World) -> str:
    droplet = w.digitalocean.add_droplet("web-1")
    old, question = await w.restore_asked(droplet)
    del w.digitalocean.snapshots[old.id]
    await w.discord.press(w.ada, question, "restore")
    await w.clock.sleep(8)
    await w.back_on(droplet, 30)
    w.expect(droplet.disk == "original", droplet.disk)
    said = [m.text for m in w.discord.messages] + [r.text for r in w.discord.replies.values()]
    w.expect(said and said[-1], "nothing said")
    return said[-1][:120]


@case("told: restore errs: on again, no second restore, honest about the disk", limit=60)
async def restore_errs(w: World) -> str:
    w.digitalocean.usual["restore"] = Outcome(status="errored", works=False)
    droplet = w.digitalocean.add_droplet("web-1")
    _, question = await w.restore_asked(droplet)
    await w.discord.press(w.ada, question, "restore")
    said = await w.announced(40)
    await w.back_on(droplet, 30)
    w.expect(len(w.digitalocean.posts("restore")) == 1, "restored twice")
    return said.text[:160]


@case("told: the restore POST's answer is lost, carried out: one restore", limit=60)
async def restore_lost(w: World) -> None:
    w.digitalocean.fault(lambda c: c.action == "restore", cut_after, times=1)
    droplet = w.digitalocean.add_droplet("web-1")
    _, question = await w.restore_asked(droplet)
    await w.discord.press(w.ada, question, "restore")
    await w.announced(50)
    await w.back_on(droplet, 30)
    w.expect(len(w.digitalocean.posts("restore")) == 1, f"{len(w.digitalocean.posts('restore'))} restore POSTs")


@case(
    "told: the restore POST is lost, never arrived, and a person turns the Droplet on: no restore afterwards", limit=60
)
async def restore_lost_on(w: World) -> str:
    async def lost(call: Call, run: Run) -> Answer:
        w.digitalocean.set_status(w.digitalocean.droplets[int(call.path.split("/")[3])], ACTIVE)
        raise Cut

    w.digitalocean.fault(lambda c: c.action == "restore", lost, times=1)
    droplet = w.digitalocean.add_droplet("web-1")
    _, question = await w.restore_asked(droplet)
    await w.discord.press(w.ada, question, "restore")
    said = await w.announced(50)
    w.expect(droplet.disk == "original", "restored although it was seen active after the intent")
    return said.text[:120]


@case("told: the safety Snapshot fails: nothing is restored", limit=60)
async def safety_fails(w: World) -> None:
    w.digitalocean.usual["snapshot"] = Outcome(status="errored", works=False)
    droplet = w.digitalocean.add_droplet("web-1")
    _, question = await w.restore_asked(droplet)
    await w.discord.press(w.ada, question, "restore")
    await w.announced(40)
    await w.back_on(droplet, 20)
    w.expect(not w.digitalocean.posts("restore"), "restored without a safety Snapshot")


@case("told: old bodies: message 200 with an empty object on every Discord edit", limit=60)
async def edits_empty(w: World) -> None:
    w.discord.fault(lambda c: c.method == "PATCH" and "/channels/" in c.path, answering(200, {}))
    droplet = await w.take()
    await w.good_take(droplet, 40)


@case("told: Discord's 200 to a new message is unreadable: not said twice, and said", limit=120)
async def announcement_unreadable(w: World) -> None:
    async def odd(call: Call, run: Run) -> Answer:
        answer = await run()
        answer.body = {"id": answer.body["id"], "channel_id": None}
        return answer

    w.discord.fault(lambda c: c.method == "POST" and c.path.endswith("/messages"), odd)
    droplet = await w.take()
    await w.good_take(droplet, 60)
