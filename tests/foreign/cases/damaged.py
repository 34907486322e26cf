"""Rows of the database that somebody damaged while a Droplet was off; and an off that the next operation did not do."""

from __future__ import annotations

import sqlite3

from world.digitalocean import OFF, Outcome
from world.harness import World, case


@case("inherited: a stranger turns it off after a hung take was cancelled, and the next take leaves it off", limit=90)
async def strangers_off(w: World) -> str:
    w.digitalocean.usual["shutdown"] = Outcome(works=False)
    droplet = await w.take()
    await w.until(lambda: w.asked("cancel") and w.asked("force"), 20, "the question")
    asked = w.asked("force")
    assert asked is not None
    await w.discord.press(w.ada, asked, "Cancel")
    await w.announced(30)
    await w.clock.sleep(3)
    w.digitalocean.stranger(droplet, "power_off", Outcome(takes=0.2))
    await w.goes_off(droplet, 10)
    before = len(w.digitalocean.posts("power_on"))
    await w.discord.command(w.ada, "take", droplet="web-1")
    said = await w.announced(40, 2)
    await w.clock.sleep(8)
    ons = len(w.digitalocean.posts("power_on")) - before
    w.expect(ons == 0 and droplet.status == OFF, f"turned on what a stranger turned off: {said.text}")
    return said.text[:160]


def damaged(what: str, sql: str, whose: str) -> None:
    @case(f"damaged: killed while off, {what}: web-1 comes on", limit=90)
    async def run(w: World) -> str:
        other = w.digitalocean.add_droplet("db-1")
        droplet = w.digitalocean.add_droplet("web-1")
        await w.start()
        w.digitalocean.usual["snapshot"] = Outcome(takes=8)
        for name, goes in (("db-1", other), ("web-1", droplet)):
            await w.discord.command(w.ada, "take", droplet=name)
            await w.goes_off(goes)
        await w.clock.sleep(1)
        await w.kill()
        database = sqlite3.connect(w.folder / "bot.db")
        database.execute("PRAGMA foreign_keys = OFF")
        changed = database.execute(f"{sql} WHERE droplet_name = ?", (whose,)).rowcount
        database.commit()
        database.close()
        assert changed == 1, changed
        w.process = await w.spawn()
        took = await w.back_on(droplet, 45)
        await w.back_on(other, 45)
        return f"{took:.0f} s"


damaged("another row's version unreadable", "UPDATE operations SET version = 'x'", "db-1")
damaged("another row's id unreadable", "UPDATE operations SET id = '?'", "db-1")
damaged("its state and Droplet unreadable", "UPDATE operations SET state = 'garbage', droplet_id = NULL", "web-1")
damaged("its id unreadable", "UPDATE operations SET id = '?'", "web-1")
damaged("its version unreadable", "UPDATE operations SET version = 'x'", "web-1")
