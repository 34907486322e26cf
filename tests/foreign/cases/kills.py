"""`kill -9` at every request of every kind of operation, before and after it was carried out, and a restart."""

from __future__ import annotations

import asyncio
import os
import random
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any

from world.digitalocean import OFF, Droplet
from world.discord import Message, Reply
from world.harness import Broken, World, case
from world.http import Call

LANES = int(os.environ.get("KILL_LANES", "4"))


class Due(Enum):
    """How it must end, by what the person who asked has read."""

    DONE = auto()  # that it was accepted
    EITHER = auto()  # nothing
    # Killed at the very answer that accepts it, the bot cannot know whether it was read. A take goes on, which harms nothing; what
    # overwrites, deletes or costs money is withdrawn: nothing is sent to DigitalOcean and nothing announced.
    NOTHING = auto()


WITHDRAWN_WITHIN = 45.0  # the bot itself waits half a minute for what became of its answer


@dataclass
class Play:
    """One kind of operation: what goes before, what starts it, how it must have ended."""

    prepare: Callable[[World], Awaitable[object]]
    trigger: Callable[[World, Any], Awaitable[Reply]]
    ended: Callable[[World, Any, Due], Coroutine[Any, Any, None]]
    destructive: bool = True


async def one_announcement(w: World, due: Due, before: int) -> bool:
    """Waits for the end; whether anything was begun at all."""
    if due is Due.NOTHING:
        await w.clock.sleep(WITHDRAWN_WITHIN)
        w.expect(len(w.announcements()) == before, "announced although it was withdrawn")
        return False
    try:
        await w.announced(40 if due is Due.DONE else 12, count=before + 1)
    except Broken:
        if due is Due.DONE:
            raise
        return False
    await w.clock.sleep(2.5)
    w.expect(len(w.announcements()) == before + 1, f"{len(w.announcements()) - before} announcements")
    return True


async def prepare_take(w: World) -> Droplet:
    droplet = w.digitalocean.add_droplet("web-1")
    await w.start()
    return droplet


async def ended_take(w: World, droplet: Droplet, due: Due) -> None:
    begun = await one_announcement(w, due, 0)
    await w.back_on(droplet, 30)
    taken = w.ours(droplet)
    w.expect(len(taken) == (1 if begun else 0), f"{len(taken)} Snapshots, due: {due.name}")
    w.expect(all(s.taken == OFF for s in taken), "taken while running")


async def prepare_restore(w: World) -> tuple[Droplet, Reply, int]:
    droplet = w.digitalocean.add_droplet("web-1")
    old, question = await w.restore_asked(droplet)
    return droplet, question, old.id


async def ended_restore(w: World, made: tuple[Droplet, Reply, int], due: Due) -> None:
    droplet, _, old = made
    begun = await one_announcement(w, due, 0)
    await w.back_on(droplet, 30)
    done = [a for a in w.digitalocean.actions.values() if a.type == "restore"]
    safety = w.ours(droplet, {old})
    w.expect(len(done) == len(safety) == (1 if begun else 0), f"{len(done)} restores, {len(safety)} safety Snapshots")
    w.expect(droplet.disk == (f"restore of {old}" if begun else "original"), f"disk is {droplet.disk}")


async def prepare_undo(w: World) -> tuple[Droplet, Message, int]:
    droplet = w.digitalocean.add_droplet("web-1")
    old, question = await w.restore_asked(droplet)
    await w.discord.press(w.ada, question, "restore")
    said = await w.announced(40)
    await w.back_on(droplet, 20)
    await w.clock.sleep(1.5)
    return droplet, said, old.id


async def trigger_undo(w: World, made: tuple[Droplet, Message, int]) -> Reply:
    asked = await w.discord.press(w.ada, made[1], "undo")
    if asked.buttons:
        return await w.discord.press(w.ada, asked, "restore|undo|yes")
    return asked


async def ended_undo(w: World, made: tuple[Droplet, Message, int], due: Due) -> None:
    droplet, _, old = made
    begun = await one_announcement(w, due, 1)
    await w.back_on(droplet, 30)
    done = [a for a in w.digitalocean.actions.values() if a.type == "restore"]
    w.expect(len(done) == (2 if begun else 1), f"{len(done)} restores")
    w.expect((droplet.disk != f"restore of {old}") == begun, f"disk is {droplet.disk}")


async def prepare_launch(w: World) -> tuple[str, None]:
    droplet = w.digitalocean.add_droplet("web-1")
    w.digitalocean.add_snapshot(droplet, "old-one")
    await w.start()
    return await w.choice(w.ada, "launch", "snapshot", "old-one"), None


async def trigger_launch(w: World, made: tuple[str, None]) -> Reply:
    question = await w.discord.command(w.ada, "launch", snapshot=made[0], name="web-2")
    return await w.discord.press(w.ada, question, "launch|create") if question.buttons else question


async def ended_launch(w: World, _: object, due: Due) -> None:
    begun = await one_announcement(w, due, 0)
    new = [d for d in w.digitalocean.droplets.values() if d.name == "web-2"]
    w.expect(len(new) == (1 if begun else 0), f"{len(new)} Droplets were made")
    if begun:
        w.expect("203.0.113.7" in w.announcements()[0].text, f"said {w.announcements()[0].text[:160]!r}")


async def prepare_delete(w: World) -> tuple[int, Reply]:
    droplet = w.digitalocean.add_droplet("web-1")
    old = w.digitalocean.add_snapshot(droplet, "old-one")
    w.digitalocean.add_snapshot(droplet, "other")
    await w.start()
    value = await w.choice(w.ada, "delete", "snapshot", "old-one")
    return old.id, await w.discord.command(w.ada, "delete", snapshot=value)


async def ended_delete(w: World, made: tuple[int, Reply], due: Due) -> None:
    begun = await one_announcement(w, due, 0)
    w.expect(
        (made[0] not in w.digitalocean.snapshots) == begun,
        f"begun {begun}, there: {made[0] in w.digitalocean.snapshots}",
    )
    w.expect(len(w.digitalocean.snapshots) == (1 if begun else 2), "another one was deleted")


PLAYS = {
    "take": Play(
        prepare_take,
        lambda w, made: w.discord.command(w.ada, "take", droplet="web-1", wait=2),
        ended_take,
        destructive=False,
    ),
    "restore": Play(prepare_restore, lambda w, made: w.discord.press(w.ada, made[1], "restore", wait=2), ended_restore),
    "undo": Play(prepare_undo, trigger_undo, ended_undo),
    "launch": Play(prepare_launch, trigger_launch, ended_launch),
    "delete": Play(prepare_delete, lambda w, made: w.discord.press(w.ada, made[1], "delete", wait=2), ended_delete),
}


def accepted(reply: Reply | None) -> bool:
    """The person has read that it was accepted (whatever the bot knows of that)."""
    return reply is not None and reply.kind in (4, 7) and bool(reply.text)


async def once(parent: World, play: Play, name: str, kills: list[tuple[int, bool]]) -> tuple[str, int]:
    """Plays it with a kill at each (number of the call, carried out); gives what broke, and how many calls it took."""
    folder = parent.folder / name
    folder.mkdir()
    w = World(parent.shared, folder, dict(parent.env))
    await w.open()
    left, count, total = list(kills), [0], [0]
    killed_at: list[Call] = []

    def strike(call: Call, carried_out: bool) -> None:
        if not carried_out:
            count[0] += 1
            total[0] += 1
        if left and count[0] == left[0][0] and carried_out == left[0][1]:
            left.pop(0)
            count[0] = -10_000
            killed_at.append(call)
            w.kill_now()

    async def revive() -> None:
        while True:
            if w.process is not None and w.process.returncode is not None and count[0] < 0:
                count[0] = 0
                await w.start(ready=False)
            await asyncio.sleep(0.05)

    reviver: asyncio.Task[None] | None = None
    try:
        made = await play.prepare(w)
        for service in (w.digitalocean, w.discord):
            service.before_call = lambda call: strike(call, False)
            service.after_call = lambda call: strike(call, True)
        reviver = asyncio.create_task(revive())
        reply = await play.trigger(w, made)
        unsure = play.destructive and any(call.path.endswith("/callback") for call in killed_at)
        due = Due.EITHER if not accepted(reply) else Due.NOTHING if unsure else Due.DONE
        ended = asyncio.create_task(play.ended(w, made, due))
        done, _ = await asyncio.wait({ended, reviver}, return_when=asyncio.FIRST_COMPLETED)
        if reviver in done:
            ended.cancel()
            reviver.result()
        ended.result()
        return "", total[0]
    except Broken as broken:
        return f"{broken} [killed at {' and '.join(str(call)[:150] for call in killed_at)}]", total[0]
    finally:
        if reviver is not None:
            reviver.cancel()
        w.write_calls()
        await w.close()


async def all_of(parent: World, play: Play, plans: list[list[tuple[int, bool]]]) -> str:
    room = asyncio.Semaphore(LANES)

    async def run(kills: list[tuple[int, bool]]) -> str:
        async with room:
            name = "-".join(f"{n}{'after' if after else 'before'}" for n, after in kills)
            return (await once(parent, play, name, kills))[0]

    broken = [b for b in await asyncio.gather(*(run(kills) for kills in plans)) if b]
    if broken:
        raise Broken(f"{len(broken)} of {len(plans)}: " + " || ".join(broken[:4]))
    return f"{len(plans)} kills"


def sweep(kind: str) -> None:
    @case(f"kill: {kind}, at every request, before and after it was carried out", limit=1500)
    async def every(w: World) -> str:
        broken, calls = await once(w, PLAYS[kind], "none", [])
        w.expect(not broken, f"without any kill: {broken}")
        return await all_of(w, PLAYS[kind], [[(n, after)] for n in range(1, calls + 1) for after in (False, True)])

    @case(f"kill: {kind}, twice, at drawn requests", limit=900)
    async def twice(w: World) -> str:
        broken, calls = await once(w, PLAYS[kind], "none", [])
        w.expect(not broken, f"without any kill: {broken}")
        dice = random.Random(kind)
        plans = {
            ((dice.randint(1, calls), dice.random() < 0.5), (dice.randint(1, 10), dice.random() < 0.5))
            for _ in range(24)
        }
        return await all_of(w, PLAYS[kind], [list(plan) for plan in sorted(plans)])


for kind in PLAYS:
    sweep(kind)
