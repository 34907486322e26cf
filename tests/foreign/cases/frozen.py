"""A process that is stopped and goes on: what was confirmed before is asked about again."""

from __future__ import annotations

import asyncio
import signal

from world.digitalocean import Outcome
from world.harness import World, case

MINUTE = 60.0


async def frozen_in_the_safety_snapshot(w: World, seconds: float) -> str:
    droplet = w.digitalocean.add_droplet("web-1")
    _, question = await w.restore_asked(droplet)
    w.digitalocean.usual["snapshot"] = Outcome(takes=6)
    await w.discord.press(w.ada, question, "restore")
    await w.goes_off(droplet)
    await w.until(lambda: w.digitalocean.posts("snapshot"), 30, "the safety Snapshot")
    await w.clock.sleep(1)
    assert w.process is not None
    w.process.send_signal(signal.SIGSTOP)
    w.clock.leap(seconds)
    await asyncio.sleep(1)
    w.process.send_signal(signal.SIGCONT)
    await w.back_on(droplet, 40)
    said = await w.announced(20)
    w.expect(not w.digitalocean.posts("restore"), f"restored unasked after the freeze: {said.text}")
    return said.text[:160]


@case("frozen: three days in the safety Snapshot of a restore, nothing is overwritten unasked", limit=120)
async def days(w: World) -> str:
    return await frozen_in_the_safety_snapshot(w, 3 * 24 * 60 * MINUTE)


@case("frozen: 20 minutes in the safety Snapshot of a restore, nothing is overwritten unasked", quick=True, limit=120)
async def minutes(w: World) -> str:
    return await frozen_in_the_safety_snapshot(w, 20 * MINUTE)


@case("frozen: 5 minutes in the safety Snapshot of a restore, which goes on", limit=120)
async def short(w: World) -> str:
    droplet = w.digitalocean.add_droplet("web-1")
    _, question = await w.restore_asked(droplet)
    w.digitalocean.usual["snapshot"] = Outcome(takes=6)
    await w.discord.press(w.ada, question, "restore")
    await w.goes_off(droplet)
    await w.until(lambda: w.digitalocean.posts("snapshot"), 30, "the safety Snapshot")
    assert w.process is not None
    w.process.send_signal(signal.SIGSTOP)
    w.clock.leap(5 * MINUTE)
    await asyncio.sleep(1)
    w.process.send_signal(signal.SIGCONT)
    await w.until(lambda: w.digitalocean.posts("restore"), 60, "the restore")
    await w.back_on(droplet, 40)
    return (await w.announced(20)).text[:160]
