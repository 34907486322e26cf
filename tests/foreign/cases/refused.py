"""Commands that DigitalOcean carries out and yet refuses, as where a proxy sends one twice: nothing is done twice, nothing stays off."""

from __future__ import annotations

from world.digitalocean import ACTIVE
from world.harness import Broken, World, case
from world.http import Answer, Call, Run, refuse_json

PENDING = "Droplet already has a pending event."
OTHER = "Your request could not be processed."


def answer_with(w: World, action: str, status: int, text: str) -> None:
    """The next command of this kind is carried out and answered so."""

    async def effect(_: Call, run: Run) -> Answer:
        await run()
        return refuse_json(status, text, {})

    w.digitalocean.fault(lambda c: c.action == action, effect, times=1)


def took(status: int, text: str, action: str) -> None:
    @case(f"refused: a take's {action} is carried out and answered {status} {text[:24]}: one Snapshot, and it comes back on", limit=90)
    async def take(w: World) -> str:
        answer_with(w, action, status, text)
        droplet = await w.take()
        said = await w.announced(60)
        await w.clock.sleep(6)
        w.expect(droplet.status == ACTIVE, f"left off: {said.text}")
        names = [s.name for s in w.ours(droplet)]
        w.expect(len(names) == 1, f"{names}: {said.text}")
        w.expect("ready" in said.text or names[0] in said.text, f"it was taken, and people read {said.text!r}")
        return said.text[:160]


for answer in [(422, PENDING), (409, PENDING), (422, OTHER), (400, OTHER), (500, OTHER)]:
    for command in ["shutdown", "snapshot", "power_on"]:
        # A shutdown that is refused in such words, of a Droplet that is off a moment later, was somebody else's.
        if command != "shutdown" or answer[1] == PENDING or answer[0] == 500:
            took(*answer, command)


def restored(status: int, text: str) -> None:
    @case(f"refused: a restore is carried out and answered {status} {text[:24]}: done once, and said to be", limit=90)
    async def restore(w: World) -> str:
        answer_with(w, "restore", status, text)
        droplet = w.digitalocean.add_droplet("web-1")
        _, question = await w.restore_asked(droplet)
        await w.discord.press(w.ada, question, "restore")
        said = await w.announced(70)
        await w.clock.sleep(6)
        w.expect(droplet.status == ACTIVE, f"left off: {said.text}")
        carried_out = [a for a in w.digitalocean.actions.values() if a.type == "restore"]
        w.expect(len(carried_out) == 1, f"{len(carried_out)} restores: {said.text}")
        w.expect("refused" not in said.text and "as it was" not in said.text, f"the disk is {droplet.disk}: {said.text!r}")
        return said.text[:160]


for answer in [(422, PENDING), (422, OTHER), (500, OTHER)]:
    restored(*answer)


@case("refused: a deletion is carried out and answered 422: nobody reads that the Snapshot is still there", limit=60)
async def deleted(w: World) -> str:
    async def effect(_: Call, run: Run) -> Answer:
        await run()
        return refuse_json(422, OTHER, {})

    droplet = w.digitalocean.add_droplet("web-1")
    old = w.digitalocean.add_snapshot(droplet, "old-one")
    await w.start()
    w.digitalocean.fault(lambda c: c.method == "DELETE", effect, times=1)
    question = await w.discord.command(w.ada, "delete", snapshot=str(old.id))
    await w.discord.press(w.ada, question, "delete")
    said = await w.announced(40)
    if old.id in w.digitalocean.snapshots:
        raise Broken(f"still there: {said.text}")
    w.expect("refused" not in said.text, said.text)
    return said.text[:160]
