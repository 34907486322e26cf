"""What works on a good day. If one of these fails, suspect this world first."""

from __future__ import annotations

from world.digitalocean import ACTIVE, OFF
from world.harness import World, case


@case("basic: take", quick=True)
async def take(w: World) -> str:
    web = w.digitalocean.add_droplet("web-1")
    await w.start()
    reply = await w.discord.command(w.ada, "take", droplet="web-1")
    w.expect(reply.kind is not None, "no answer to the command")
    await w.good_take(web)
    off = await w.back_on(web, 1)
    return f"off for {off:.1f}s, {len(w.digitalocean.calls)} DigitalOcean and {len(w.discord.calls)} Discord calls"


@case("basic: take live, and of a Droplet that is off", quick=True)
async def take_live(w: World) -> None:
    web = w.digitalocean.add_droplet("web-1")
    db = w.digitalocean.add_droplet("db-1", status=OFF)
    await w.start()
    await w.discord.command(w.ada, "take", droplet="web-1", power="live")
    await w.discord.command(w.ada, "take", droplet="db-1")
    await w.announced(30, count=2)
    w.expect(web.downtime[-1][1] == ACTIVE and len(web.downtime) == 1, "a live take changed power")
    w.expect(len(db.downtime) == 1, "a Droplet that was off was turned on")
    w.expect(len(w.ours(web)) == len(w.ours(db)) == 1, "not one Snapshot each")


async def restore(w: World, undo: bool) -> None:
    web = w.digitalocean.add_droplet("web-1")
    old = w.digitalocean.add_snapshot(web, "old-one")
    await w.start()
    value = await w.choice(w.ada, "restore", "snapshot", "old-one", droplet="web-1")
    question = await w.discord.command(w.ada, "restore", droplet="web-1", snapshot=value)
    await w.discord.press(w.ada, question, "restore|yes|put")
    said = await w.announced(40)
    await w.back_on(web, 10)
    w.expect(web.disk == f"restore of {old.id}", f"disk is {web.disk}")
    safety = w.ours(web, {old.id})
    w.expect(len(safety) == 1 and safety[0].taken == OFF, f"safety Snapshots {safety}")
    w.expect(len(w.digitalocean.posts("restore")) == 1, "not one restore")
    if undo:
        await w.discord.press(w.ada, said, "undo")
        asked = list(w.discord.replies.values())[-1]
        if asked.buttons:
            await w.discord.press(w.ada, asked, "restore|undo|yes")
        await w.announced(40, count=2)
        w.expect(web.disk == f"restore of {safety[0].id}", f"after Undo the disk is {web.disk}")
        await w.back_on(web, 10)


@case("basic: restore", quick=True)
async def restore_once(w: World) -> None:
    await restore(w, undo=False)


@case("basic: restore and undo", quick=True)
async def restore_undo(w: World) -> None:
    await restore(w, undo=True)


@case("basic: launch", quick=True)
async def launch(w: World) -> None:
    web = w.digitalocean.add_droplet("web-1")
    w.digitalocean.add_snapshot(web, "old-one")
    await w.start()
    value = await w.choice(w.ada, "launch", "snapshot", "old-one")
    question = await w.discord.command(w.ada, "launch", snapshot=value, name="web-2")
    if question.buttons:
        await w.discord.press(w.ada, question, "launch|create|yes")
    said = await w.announced(40)
    made = [d for d in w.digitalocean.droplets.values() if d.name == "web-2"]
    w.expect(len(made) == 1 and made[0].status == ACTIVE, f"made {made}")
    w.expect("203.0.113.7" in said.text, "no address in the announcement")


@case("basic: delete", quick=True)
async def delete(w: World) -> None:
    web = w.digitalocean.add_droplet("web-1")
    old = w.digitalocean.add_snapshot(web, "old-one")
    await w.start()
    value = await w.choice(w.ada, "delete", "snapshot", "old-one")
    question = await w.discord.command(w.ada, "delete", snapshot=value)
    await w.discord.press(w.ada, question, "delete|yes")
    await w.announced(30)
    w.expect(old.id not in w.digitalocean.snapshots, "still there")


@case("basic: check says that all is there", quick=True)
async def check(w: World) -> str:
    w.digitalocean.add_droplet("web-1")
    await w.start()
    await w.kill()
    code, out = await w.check("check")
    w.expect(code == 0, f"exit {code}: {out[-600:]}")
    return f"{len(out.splitlines())} lines"
