"""Orders of events in which a rule was wrong once: who turned it off, what was on the disk, which clock leapt."""

from __future__ import annotations

from world.digitalocean import ACTIVE, OFF, Outcome, Refusal
from world.harness import Broken, World, case

MINUTE = 60.0
SLOW = {"POLL_INTERVAL": "2s", "SETTLE_TIME": "10s", "SHUTDOWN_TIMEOUT": "60s", "DECISION_TIMEOUT": "5m"}


def good_restores(w: World) -> int:
    return len([c for c in w.digitalocean.posts("restore") if c.status == 201])


@case("order: restore of a Droplet that was off; somebody turns it on after its safety Snapshot: not overwritten", limit=90)
async def off_before(w: World) -> str:
    droplet = w.digitalocean.add_droplet("web-1", status=OFF)
    w.digitalocean.listed_late = 8
    _, question = await w.restore_asked(droplet)
    await w.discord.press(w.ada, question, "restore")
    done = lambda: [a for a in w.digitalocean.actions.values() if a.type == "snapshot" and a.status == "completed"]
    await w.until(done, 30, "safety Snapshot")
    w.digitalocean.stranger(droplet, "power_on", Outcome(takes=0.3))
    await w.clock.sleep(1)
    assert droplet.status == ACTIVE
    said = await w.announced(60)
    w.expect(good_restores(w) == 0, f"overwrote a running Droplet that somebody turned on: disk {droplet.disk}: {said.text}")
    return said.text


@case("order: restore; somebody turns it on and off again after the safety Snapshot: not overwritten", limit=90)
async def on_and_off(w: World) -> str:
    droplet = w.digitalocean.add_droplet("web-1")
    w.digitalocean.listed_late = 10
    _, question = await w.restore_asked(droplet)
    await w.discord.press(w.ada, question, "restore")
    done = lambda: [a for a in w.digitalocean.actions.values() if a.type == "snapshot" and a.status == "completed"]
    await w.until(done, 30, "safety Snapshot")
    w.digitalocean.stranger(droplet, "power_on", Outcome(takes=0.3))
    await w.clock.sleep(4)
    w.digitalocean.stranger(droplet, "shutdown", Outcome(takes=0.3))
    await w.clock.sleep(1)
    said = await w.announced(60)
    w.expect(good_restores(w) == 0, f"overwrote what was written while somebody had it on: {droplet.disk}: {said.text}")
    return said.text


for safety in ("yes", "no"):

    def waits(safety: str) -> None:
        @case(f"order: restore (safety {safety}) waits for a stranger's rebuild that began after it was confirmed: not overwritten", limit=90)
        async def rebuild(w: World) -> str:
            droplet = w.digitalocean.add_droplet("web-1")
            _, question = await w.restore_asked(droplet, **({} if safety == "yes" else {"safety": "no"}))
            begun = []

            def before(call):
                if call.is_("GET", r"/v2/droplets/\d+/actions") and not begun:
                    begun.append(1)
                    w.digitalocean.stranger(droplet, "rebuild", Outcome(takes=4))

            await w.clock.sleep(1)
            w.digitalocean.before_call = before
            await w.discord.press(w.ada, question, "restore")
            await w.until(lambda: droplet.disk.startswith("rebuild"), 30, "rebuilt")
            said = await w.announced(90)
            w.expect(good_restores(w) == 0, f"overwrote what somebody rebuilt since: {droplet.disk}: {said.text}")
            return said.text

    waits(safety)


@case("order: restore; a stranger's rebuild between our shutdown and the safety Snapshot: not overwritten", limit=90)
async def rebuild_before_safety(w: World) -> str:
    droplet = w.digitalocean.add_droplet("web-1")
    w.digitalocean.restore_powers_on = False
    begun = []

    def before(call):
        if call.action == "snapshot" and not begun:
            begun.append(1)
            w.digitalocean.stranger(droplet, "rebuild", Outcome(takes=3))

    w.digitalocean.before_call = before
    _, question = await w.restore_asked(droplet)
    await w.discord.press(w.ada, question, "restore")
    said = await w.announced(90)
    w.expect(good_restores(w) == 0, f"overwrote what somebody rebuilt since: {droplet.disk}: {said.text}")
    return said.text


@case("order: restore POST is refused as busy for 25 min while off: people are called", limit=150, env=SLOW)
async def busy_restore(w: World) -> str:
    droplet = w.digitalocean.add_droplet("web-1")
    _, question = await w.restore_asked(droplet)
    w.digitalocean.script["restore"] = [Refusal(422, "Droplet already has a pending event.")] * 100_000
    await w.discord.press(w.ada, question, "restore")
    await w.goes_off(droplet, 60)
    off = w.clock.elapsed()
    w.clock.run_at(20)
    await w.clock.sleep(25 * MINUTE)
    calls = [m for m in w.discord.messages if m.rang(w.ada)]
    tries = len(w.digitalocean.posts("restore"))
    w.expect(droplet.status == OFF, "on?")
    w.expect(calls, f"off for 25 minutes, {tries} restores refused, nobody called; people read {w.discord.live()[0].text[:300]!r}")
    return f"called after {calls[0].at - off:.0f}s {calls[0].text[:200]}"


@case("order: watched for a late off, then a take with a warning of 20 min: nobody is called while it is on", limit=150, env=SLOW | {"SHUTDOWN_TIMEOUT": "10s"})
async def warned_false(w: World) -> str:
    w.digitalocean.script["shutdown"] = [Outcome(takes=0.3, works=False)]
    droplet = await w.take()
    await w.until(lambda: w.asked("cancel") and w.asked("force"), 40, "the question")
    asked = w.asked("force")
    await w.discord.press(w.ada, asked, "Cancel")
    await w.announced(30)
    before = w.clock.elapsed()
    await w.discord.command(w.ada, "take", droplet="web-1", warn="20")
    w.clock.run_at(20)
    await w.clock.sleep(15 * MINUTE)
    w.expect(droplet.status == ACTIVE, "off?")
    later = [m for m in w.calls_for_people() if m.at > before]
    w.expect(not later, f"called although it is on: {[m.text[:300] for m in later]}")
    return "quiet"


@case("order: a hung shutdown is asked about, and another admin powers it off in the panel: stays off", limit=90)
async def hung_theirs(w: World) -> str:
    w.digitalocean.usual["shutdown"] = Outcome(works=False)
    droplet = await w.take()
    await w.until(lambda: w.asked("cancel") and w.asked("force"), 20, "the question")
    w.digitalocean.stranger(droplet, "power_off", Outcome(takes=0.2))
    await w.goes_off(droplet, 10)
    said = await w.announced(40)
    await w.clock.sleep(8)
    w.expect(droplet.status == OFF, f"turned on what a stranger turned off: {said.text}")
    return said.text[:160]


@case("order: a hung shutdown, if-hung live, another admin powers it off before the Snapshot: stays off", limit=90)
async def live_theirs(w: World) -> str:
    w.digitalocean.usual["shutdown"] = Outcome(works=False)
    begun = []

    def before(call):
        if call.action == "snapshot" and not begun:
            begun.append(1)
            w.digitalocean.stranger(droplet, "power_off", Outcome(takes=1))

    w.digitalocean.before_call = before
    droplet = w.digitalocean.add_droplet("web-1")
    await w.start()
    await w.discord.command(w.ada, "take", droplet="web-1", **{"if-hung": "live"})
    await w.goes_off(droplet, 20)
    said = await w.announced(40)
    await w.clock.sleep(8)
    w.expect(droplet.status == OFF, f"turned on what a stranger turned off: {said.text}")
    return said.text[:160]


@case("order: the token is refused while the restore runs: nobody reads that the disk is as it was", limit=120)
async def token_refused(w: World) -> str:
    droplet = w.digitalocean.add_droplet("web-1")
    w.digitalocean.usual["restore"] = Outcome(takes=12)
    _, question = await w.restore_asked(droplet)
    await w.discord.press(w.ada, question, "restore")
    await w.until(lambda: good_restores(w), 40, "restore")
    await w.clock.sleep(1)
    tokens = set(w.digitalocean.tokens)
    w.digitalocean.tokens.clear()
    await w.clock.sleep(6)
    w.digitalocean.tokens |= tokens
    said = await w.announced(60)
    await w.clock.sleep(3)
    labels = [b.get("label") for b in said.buttons]
    w.expect(droplet.disk.startswith("restore"), droplet.disk)
    w.expect("as it was" not in said.text, f"untrue: disk is {droplet.disk!r}; said {said.text!r} buttons {labels}")
    return f"{said.text!r} {labels}"


@case("order: 403 twice while the restore runs: nobody reads that the disk is as it was", limit=120)
async def forbidden(w: World) -> str:
    from world.http import answering

    droplet = w.digitalocean.add_droplet("web-1")
    w.digitalocean.usual["restore"] = Outcome(takes=12)
    _, question = await w.restore_asked(droplet)
    await w.discord.press(w.ada, question, "restore")
    await w.until(lambda: good_restores(w), 40, "restore")
    await w.clock.sleep(1)
    w.digitalocean.fault(lambda c: c.is_("GET", r"/v2/actions(/\d+)?"), answering(403, {"id": "forbidden", "message": "You are not authorized to perform this operation"}))
    await w.clock.sleep(6)
    w.digitalocean.heal()
    said = await w.announced(60)
    await w.clock.sleep(3)
    labels = [b.get("label") for b in said.buttons]
    w.expect("as it was" not in said.text, f"untrue: disk is {droplet.disk!r}; said {said.text!r} buttons {labels}")
    return f"{said.text!r} {labels}"


@case("order: somebody turns it on and off again (seen on) before our Snapshot: stays off", limit=90)
async def on_then_off(w: World) -> str:
    begun = []

    def before(call):
        if call.action == "snapshot" and not begun:
            begun.append(1)
            w.digitalocean.stranger(droplet, "power_on", Outcome(takes=1))
            w.digitalocean.later(1.0, lambda: w.digitalocean.later(0.05, lambda: w.digitalocean.stranger(droplet, "power_off", Outcome(takes=3))))

    w.digitalocean.before_call = before
    droplet = w.digitalocean.add_droplet("web-1")
    await w.start()
    await w.discord.command(w.ada, "take", droplet="web-1")
    said = await w.announced(40)
    await w.clock.sleep(8)
    kinds = [(a.type, a.status) for a in w.digitalocean.actions.values()]
    w.expect(droplet.status == OFF, f"turned on what a stranger turned off: {said.text} {kinds} {droplet.downtime}")
    return f"{said.text[:160]} {kinds} {droplet.downtime}"


@case("order: a restore ends and DigitalOcean turns it on, and somebody powers it off before we look: stays off", limit=120, env=SLOW)
async def off_after_restore(w: World) -> str:
    droplet = w.digitalocean.add_droplet("web-1")
    w.digitalocean.usual["restore"] = Outcome(takes=25 * MINUTE)
    _, question = await w.restore_asked(droplet)
    begun = []
    await w.discord.press(w.ada, question, "restore")
    await w.until(lambda: good_restores(w), 60, "restore")
    w.clock.run_at(30)
    await w.until(lambda: any(a.type == "restore" and a.status == "completed" for a in w.digitalocean.actions.values()), 26 * MINUTE, "restored")
    w.clock.run_at(1)
    w.digitalocean.stranger(droplet, "power_off", Outcome(takes=0.3))
    said = await w.announced(60)
    await w.clock.sleep(10)
    w.expect(droplet.status == OFF, f"turned on what a stranger turned off: {said.text} {droplet.downtime}")
    return f"{said.text[:260]} {droplet.downtime}"


@case("order: a hung shutdown, `Take it live` takes 10 min, another admin powers it off right after the Snapshot: stays off", limit=90, env=SLOW | {"SHUTDOWN_TIMEOUT": "10s"})
async def live_then_theirs(w: World) -> str:
    w.digitalocean.usual["shutdown"] = Outcome(works=False)
    w.digitalocean.usual["snapshot"] = Outcome(takes=10 * MINUTE)
    droplet = w.digitalocean.add_droplet("web-1")
    await w.start()
    await w.discord.command(w.ada, "take", droplet="web-1", **{"if-hung": "live"})
    await w.until(lambda: w.digitalocean.posts("snapshot"), 40, "snapshot")
    w.clock.run_at(20)
    await w.until(lambda: any(a.type == "snapshot" and a.status == "completed" for a in w.digitalocean.actions.values()), 11 * MINUTE, "taken")
    w.clock.run_at(1)
    w.digitalocean.stranger(droplet, "power_off", Outcome(takes=0.3))
    said = await w.announced(60)
    await w.clock.sleep(10)
    w.expect(droplet.status == OFF, f"turned on what a stranger turned off: {said.text} {droplet.downtime}")
    return f"{said.text[:260]} {droplet.downtime}"


def clock_in_silence(seconds: float) -> None:
    @case(f"order: clock set by {seconds / 60:.0f} min while every GET is a page and POSTs work: blind power_on", limit=200, env=SLOW)
    async def blind(w: World) -> str:
        from world.http import page

        droplet = await w.take_until_off()
        off = w.clock.elapsed()
        w.digitalocean.fault(lambda c: c.method == "GET", page(200))
        await w.clock.sleep(5)
        w.clock.step_bot(seconds)
        await w.clock.sleep(1)
        w.clock.run_at(20)
        try:
            await w.back_on(droplet, 30 * MINUTE)
        except Broken:
            raise Broken(f"off for 30 min; {len(w.digitalocean.posts('power_on'))} power_on; calls {[m.text[:150] for m in w.calls_for_people()]}")
        return f"on after {w.clock.elapsed() - off:.0f}s"


clock_in_silence(0)
clock_in_silence(20 * 60)
clock_in_silence(-20 * 60)


@case("order: answers carry no Date, and the bot's clock is set forward by 20 min while off: it comes on", limit=120, env=SLOW)
async def no_date(w: World) -> str:
    w.digitalocean.usual["snapshot"] = Outcome(takes=20)
    w.digitalocean.is_dated = False
    droplet = await w.take_until_off()
    off = w.clock.elapsed()
    await w.clock.sleep(5)
    w.clock.step_bot(20 * 60)
    w.clock.run_at(20)
    await w.back_on(droplet, 20 * MINUTE)
    return f"on after {w.clock.elapsed() - off:.0f}s; {[m.text[:100] for m in w.calls_for_people()]}"


@case("order: the machine sleeps for an hour while the intent of a restore is being written: not restored unasked", limit=90)
async def asleep(w: World) -> str:
    import sqlite3

    droplet = w.digitalocean.add_droplet("web-1")
    _, question = await w.restore_asked(droplet)
    database = sqlite3.connect(w.folder / "bot.db")
    database.executescript(
        """
        CREATE TABLE slow_sink (n INTEGER);
        CREATE VIEW slow AS WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c WHERE x < 6000000) SELECT count(*) AS n FROM c;
        CREATE TRIGGER slow_intent AFTER UPDATE ON operations
          WHEN NEW.state LIKE '%"task":"Restore","state":{"Intended":%' AND OLD.state NOT LIKE '%"task":"Restore","state":{"Intended":%'
          BEGIN INSERT INTO slow_sink SELECT n FROM slow; END;
        """
    )
    database.close()
    await w.discord.press(w.ada, question, "restore")
    await w.until(lambda: w.ours(droplet, {s.id for s in w.digitalocean.snapshots.values() if s.name == "old-one"}), 30, "safety Snapshot")

    def quiet() -> bool:
        last = max((c.at for c in w.digitalocean.calls), default=0)
        return w.clock.elapsed() - last > 0.7

    await w.until(quiet, 30, "the intent is being written")
    w.expect(not w.digitalocean.posts("restore"), "too late")
    w.clock._rebase()
    w.clock._wall += 3600
    w.clock._publish()
    said = await w.announced(60)
    w.expect(not w.digitalocean.posts("restore"), f"restored an hour later, unasked: {said.text}")
    return said.text[:200]


@case("order: a stranger's resize begins between our shutdown and the Snapshot and leaves it off: left off", limit=90)
async def resized(w: World) -> str:
    begun = []

    def before(call):
        if call.action == "snapshot" and not begun:
            begun.append(1)
            w.digitalocean.stranger(droplet, "resize", Outcome(takes=5))

    w.digitalocean.before_call = before
    droplet = w.digitalocean.add_droplet("web-1")
    await w.start()
    await w.discord.command(w.ada, "take", droplet="web-1")
    said = await w.announced(60)
    await w.clock.sleep(8)
    w.expect(droplet.status == OFF, f"turned on: {said.text}")
    return said.text


@case("order: PostgreSQL, the active one is killed while off, and one statement of the standby fails as it takes over: it comes on", limit=150)
async def takeover_blip(w: World) -> str:
    from world.postgres import Postgres

    server = Postgres(w.folder)
    await server.open()
    w.env["DATABASE_URL"] = server.url()
    try:
        w.digitalocean.usual["snapshot"] = Outcome(takes=3)
        droplet = await w.take()
        standby = await w.spawn()
        await w.goes_off(droplet)
        await w.kill()
        killed = w.clock.elapsed()

        async def sql(text: str) -> None:
            await server._run("psql", "-h", "127.0.0.1", "-p", str(server.port), "-U", "postgres", "-c", text, "bot")

        await sql(
            "create sequence blips; grant usage on sequence blips to bot; create function blip() returns trigger language plpgsql as $$ begin "
            "if nextval('public.blips') = 1 then raise exception 'terminating connection due to administrator command' using errcode = '57P01'; end if; "
            "return null; end $$; create trigger blip before update on reports for each statement execute function blip();"
        )
        try:
            await w.back_on(droplet, 70)
        except Broken:
            raise Broken(f"still off after 70 s; the standby's exit code: {standby.returncode}; {w.log()[-400:]}")
        w.expect(standby.returncode is None, f"the standby ended with {standby.returncode}")
        return f"on {w.clock.elapsed() - killed:.0f}s after the kill"
    finally:
        await server.stop()


@case("order: Force's power_off is pending for 14 min with the Droplet off; called, `Turn it on as soon as possible`: it comes on", limit=150, env=SLOW | {"SHUTDOWN_TIMEOUT": "10s"})
async def hurried_force(w: World) -> str:
    w.digitalocean.usual["shutdown"] = Outcome(works=False)
    w.digitalocean.usual["power_off"] = Outcome(takes=14 * MINUTE)
    droplet = await w.take()
    await w.until(lambda: w.asked("force"), 40, "the question")
    await w.pressed("force")
    await w.until(lambda: w.digitalocean.posts("power_off"), 20, "power_off")
    await w.clock.sleep(2)
    w.digitalocean.set_status(droplet, OFF)
    off = w.clock.elapsed()
    w.clock.run_at(20)
    await w.until(lambda: w.asked("turn it on"), 12 * MINUTE, "the call")
    w.clock.run_at(3)
    await w.pressed("turn it on")
    w.clock.run_at(20)
    try:
        await w.back_on(droplet, 15 * MINUTE)
    except Broken:
        kinds = [(a.type, a.status) for a in w.digitalocean.actions.values()]
        raise Broken(f"left off, and the power_off was ours: {kinds}; {[m.text for m in w.announcements()]}")
    return f"on after {w.clock.elapsed() - off:.0f}s"


@case("order: the same with the shutdown pending for 14 min, off: called, `Turn it on as soon as possible`: it comes on", limit=150, env=SLOW | {"SHUTDOWN_TIMEOUT": "10s"})
async def hurried_shutdown(w: World) -> str:
    w.digitalocean.usual["shutdown"] = Outcome(takes=14 * MINUTE)
    droplet = await w.take()
    await w.until(lambda: w.digitalocean.posts("shutdown"), 20, "shutdown")
    await w.clock.sleep(2)
    w.digitalocean.set_status(droplet, OFF)
    off = w.clock.elapsed()
    w.clock.run_at(20)
    await w.until(lambda: w.asked("turn it on"), 12 * MINUTE, "the call")
    w.clock.run_at(3)
    await w.pressed("turn it on")
    w.clock.run_at(20)
    await w.back_on(droplet, 15 * MINUTE)
    return f"on after {w.clock.elapsed() - off:.0f}s"


@case("order: watched for a late off, then a take with a warning of 20 min: the late off is made good", limit=150, env=SLOW | {"SHUTDOWN_TIMEOUT": "10s"})
async def warned(w: World) -> str:
    w.digitalocean.script["shutdown"] = [Outcome(takes=0.3, effect_after=120)]
    droplet = await w.take()
    await w.until(lambda: w.asked("cancel") and w.asked("force"), 40, "the question")
    asked = w.asked("force")
    await w.discord.press(w.ada, asked, "Cancel")
    await w.announced(30)
    reply = await w.discord.command(w.ada, "take", droplet="web-1", warn="20")
    w.expect("Follow" in reply.text, reply.text)
    w.clock.run_at(10)
    await w.goes_off(droplet, 200)
    off = w.clock.elapsed()
    await w.back_on(droplet, 5 * MINUTE)
    return f"on after {w.clock.elapsed() - off:.0f}s"


@case("order: watched for a late off, then a take with a warning of 60 min: how long it stays off", limit=200, env=SLOW | {"SHUTDOWN_TIMEOUT": "10s"})
async def warned_long(w: World) -> str:
    w.digitalocean.script["shutdown"] = [Outcome(takes=0.3, effect_after=120)]
    droplet = await w.take()
    await w.until(lambda: w.asked("cancel") and w.asked("force"), 40, "the question")
    await w.discord.press(w.ada, w.asked("force"), "Cancel")
    await w.announced(30)
    await w.discord.command(w.ada, "take", droplet="web-1", warn="60")
    w.clock.run_at(60)
    await w.goes_off(droplet, 200)
    off = w.clock.elapsed()
    await w.back_on(droplet, 80 * MINUTE)
    took = w.clock.elapsed() - off
    w.expect(took < 2 * MINUTE, f"off for {took / 60:.0f} min; calls {[(round(m.at - off), m.text[:120]) for m in w.calls_for_people()]}")
    return f"on after {took:.0f}s"


@case("order: watched for a late off, then a Backup is kept (convert of 15 min): the late off is made good", limit=150, env=SLOW | {"SHUTDOWN_TIMEOUT": "10s"})
async def kept(w: World) -> str:
    w.digitalocean.script["shutdown"] = [Outcome(takes=0.3, effect_after=120)]
    w.digitalocean.usual["convert"] = Outcome(takes=15 * MINUTE)
    droplet = w.digitalocean.add_droplet("web-1")
    droplet.policy = {"plan": "daily", "hour": 20}
    backup = w.digitalocean.add_backup(droplet)
    await w.start()
    await w.discord.command(w.ada, "take", droplet="web-1")
    await w.until(lambda: w.asked("cancel") and w.asked("force"), 40, "the question")
    await w.discord.press(w.ada, w.asked("force"), "Cancel")
    await w.announced(30)
    reply = await w.discord.command(w.ada, "keep", root="backups", droplet="web-1", backup=str(backup.id))
    if reply.buttons:
        await w.discord.press(w.ada, reply, "keep|yes")
    await w.until(lambda: any(a.type == "convert" for a in w.digitalocean.actions.values()), 30, "convert: " + reply.text)
    w.clock.run_at(10)
    await w.goes_off(droplet, 200)
    off = w.clock.elapsed()
    await w.back_on(droplet, 2 * MINUTE)
    return f"on after {w.clock.elapsed() - off:.0f}s"


for saves in ("yes", "no"):

    def replaced(saves: str) -> None:
        @case(f"order: a rebuild between the question and the press of a restore (safety {saves}): asked again, not overwritten", limit=60)
        async def rebuilt_before_press(w: World) -> str:
            droplet = w.digitalocean.add_droplet("web-1")
            _, question = await w.restore_asked(droplet, safety=saves)
            w.digitalocean.stranger(droplet, "rebuild", Outcome(takes=0.5))
            await w.clock.sleep(2)
            again = await w.discord.press(w.ada, question, "restore")
            await w.clock.sleep(4)
            w.expect(good_restores(w) == 0, f"overwrote: {droplet.disk}: {again.text}")
            w.expect("rebuilt after I asked" in again.text, f"people read {again.text!r}")
            await w.discord.press(w.ada, again, "restore")
            await w.until(lambda: good_restores(w) == 1, 30, "the restore that was asked about again")
            return again.text[:200]

    replaced(saves)
