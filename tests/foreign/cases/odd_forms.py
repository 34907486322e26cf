"""DigitalOcean's answers in other forms. Only what decides may matter: ids, statuses, names."""

from __future__ import annotations

from collections.abc import Callable

from world.digitalocean import ACTIVE, OFF
from world.harness import World, case
from world.http import Answer, Call, Json, Run, each_object, rewriting

Change = Callable[[dict[str, Json]], None]


def put(**fields: Json) -> Change:
    return lambda item: item.update(fields)


def drop(*fields: str) -> Change:
    def change(item: dict[str, Json]) -> None:
        for field in fields:
            item.pop(field, None)

    return change


def floats(item: dict[str, Json]) -> None:
    for key in ("id", "disk", "memory", "vcpus", "resource_id"):
        if isinstance(item.get(key), int):
            item[key] = float(item[key])


def only(*fields: str) -> Change:
    def change(item: dict[str, Json]) -> None:
        for key in set(item) - set(fields):
            del item[key]

    return change


DROPLET: dict[str, Change] = {
    "created_at empty": put(created_at=""),
    "disk 25.0": put(disk=25.0),
    "all integers as floats": floats,
    "next_backup_window empty text": put(next_backup_window=""),
    "next_backup_window of empty texts": put(next_backup_window={"start": "", "end": ""}),
    "next_backup_window without end": put(next_backup_window={"start": "2026-01-01T00:00:00Z", "end": None}),
    "created_at a number": put(created_at=1700000000),
    "region null": put(region=None),
    "region a text": put(region="nyc3"),
    "networks null": put(networks=None),
    "networks v4 with nulls": put(networks={"v4": [None, {"ip_address": None, "type": None}], "v6": None}),
    "networks a list": put(networks=[]),
    "size and size_slug null": put(size=None, size_slug=None),
    "tags null": put(tags=None),
    "image null": put(image=None),
    "snapshot_ids as texts": lambda d: d.update(snapshot_ids=[str(i) for i in d["snapshot_ids"]]),
    "snapshot_ids absent": drop("snapshot_ids"),
    "snapshot_ids null": put(snapshot_ids=None),
    "volume_ids null": put(volume_ids=None),
    "locked absent": drop("locked"),
    "locked null": put(locked=None),
    "locked a text": put(locked="false"),
    "name null": put(name=None),
    "features null, vcpus a text": put(features=None, vcpus="1"),
    "disk beyond i32": put(disk=99999999999, memory=99999999999),
    "price with exponent": lambda d: d["size"].update(price_monthly="6.0", price_hourly=None),
    "nothing but id and status": only("id", "status"),
    "unknown nested things": put(
        gpu_info={"count": "many"}, features=[{"name": "x"}], kernel="none", image={"id": "ubuntu"}
    ),
}
ACTION: dict[str, Change] = {
    "completed_at empty": put(completed_at=""),
    "started_at empty": put(started_at=""),
    "region a text": put(region="nyc3", region_slug=None),
    "region null": put(region=None, region_slug=None),
    "resource_id null": put(resource_id=None),
    "resource_id a text": lambda a: a.update(resource_id=str(a["resource_id"])),
    "all integers as floats": floats,
    "nothing but id, status and type": only("id", "status", "type"),
    "completed_at null for ever": put(completed_at=None),
}
SNAPSHOT: dict[str, Change] = {
    "created_at empty": put(created_at=""),
    "regions null": put(regions=None),
    "size_gigabytes a text": put(size_gigabytes="2.34"),
    "min_disk_size null": put(min_disk_size=None),
    "nothing but id and name": only("id", "name"),
    "size absent": drop("size_gigabytes"),
    "distribution null": put(distribution=None, public=None, type=None),
}


QUICK = {
    ("droplet", "nothing but id and status"),
    ("action", "nothing but id, status and type"),
    ("snapshot", "regions null"),
}
# A Snapshot that is listed without a size is announced after a minute: its size and price would be told if they came.
SIZELESS = ("size_gigabytes a text", "nothing but id and name", "size absent")


def register(what: str, name: str, change: Change, once_off: bool) -> None:
    when = "once it is off" if once_off else "from the start"
    within = 90.0 if what == "snapshot" and name in SIZELESS else 30.0

    @case(f"odd forms: {what} {name}, {when}", quick=(what, name) in QUICK)
    async def odd(w: World) -> None:
        def apply() -> None:
            w.digitalocean.fault(lambda c: True, rewriting(each_object(what, change)))

        if not once_off:
            apply()
        droplet = await w.take()
        if once_off:
            await w.goes_off(droplet)
            apply()
        await w.good_take(droplet, within)


for name, change in DROPLET.items():
    register("droplet", name, change, once_off=True)
for name, change in ACTION.items():
    register("action", name, change, once_off=True)
for name, change in SNAPSHOT.items():
    register("snapshot", name, change, once_off=True)
for name in ("created_at empty", "all integers as floats", "networks null", "tags null"):
    register("droplet", name, DROPLET[name], once_off=False)


@case("odd forms: an odd Droplet beside ours in the list", quick=True)
async def odd_neighbour(w: World) -> None:
    w.digitalocean.add_droplet("neighbour")

    def spoil(body: Json) -> None:
        for item in body.get("droplets") or []:
            if item["name"] == "neighbour":
                item.clear()
                item.update(id="not-a-number", name=["what"], status=7)

    w.digitalocean.fault(lambda c: c.path == "/v2/droplets", rewriting(spoil))
    droplet = await w.take()
    await w.good_take(droplet)


@case("odd forms: Volume snapshots with UUID ids and nulls in /v2/snapshots; restore, list")
async def volume_snapshots(w: World) -> None:
    def add(body: Json) -> None:
        body["snapshots"].insert(
            0,
            {
                "id": "8eb4d51a-873f-11e8-b5b8-0a58ac144b05",
                "name": "vol",
                "created_at": "2018-07-14T18:07:06Z",
                "regions": ["nyc3"],
                "resource_id": "8eb4d51a-873f-11e8-b5b8-0a58ac144b05",
                "resource_type": "volume",
                "min_disk_size": 1,
                "size_gigabytes": 0.01,
                "tags": None,
            },
        )
        body["snapshots"].append(None)
        body["snapshots"].append({"id": None, "name": None})

    w.digitalocean.fault(lambda c: c.path == "/v2/snapshots", rewriting(add))
    droplet = w.digitalocean.add_droplet("web-1")
    old, question = await w.restore_asked(droplet)
    await w.discord.press(w.ada, question, "restore")
    await w.announced(40)
    w.expect(droplet.disk == f"restore of {old.id}", f"disk is {droplet.disk}")
    listed = await w.discord.command(w.ada, "list")
    w.expect("old-one" in listed.text, f"list says {listed.text[:200]!r}")


@case("odd forms: a size with a null price, a region without features; launch")
async def null_price(w: World) -> None:
    def spoil(body: Json) -> None:
        for size in body.get("sizes") or []:
            if size["slug"] == "s-2vcpu-4gb":
                size.update(price_monthly=None, price_hourly=None, regions=None, description=None, disk="80")
        for region in body.get("regions") or []:
            region.update(features=None, sizes=None)

    w.digitalocean.fault(lambda c: c.path in ("/v2/sizes", "/v2/regions"), rewriting(spoil))
    droplet = w.digitalocean.add_droplet("web-1")
    w.digitalocean.add_snapshot(droplet, "old-one")
    await w.start()
    value = await w.choice(w.ada, "launch", "snapshot", "old-one")
    question = await w.discord.command(w.ada, "launch", snapshot=value, name="web-2")
    if question.buttons:
        await w.discord.press(w.ada, question, "launch|create")
    await w.announced(30)
    w.expect(any(d.name == "web-2" and d.status == ACTIVE for d in w.digitalocean.droplets.values()), "not launched")


@case("odd forms: unknown Droplet status while off, then off again")
async def unknown_status(w: World) -> None:
    droplet = await w.take_until_off()
    w.digitalocean.fault(
        lambda c: "/v2/droplets" in c.path, rewriting(each_object("droplet", put(status="migrating"))), times=6
    )
    await w.good_take(droplet, 40)


@case("odd forms: unknown Action status (pending) for a while")
async def unknown_action_status(w: World) -> None:
    droplet = await w.take_until_off()
    w.digitalocean.fault(
        lambda c: c.method == "GET" and "actions" in c.path,
        rewriting(each_object("action", put(status="pending"))),
        times=6,
    )
    await w.good_take(droplet, 40)


@case("odd forms: unknown Action type in lists, and an Action without type")
async def unknown_action_type(w: World) -> None:
    def add(body: Json) -> None:
        if "actions" in body:
            body["actions"].insert(0, {"id": 1, "status": "completed", "type": None})
            body["actions"].insert(
                0,
                {"id": 36804748, "status": "completed", "type": "apply_waf_2031", "started_at": None, "resource_id": 0},
            )

    w.digitalocean.fault(lambda c: c.method == "GET", rewriting(add))
    droplet = await w.take()
    await w.good_take(droplet)


@case("odd forms: 201 to power_on with a body that is no Action")
async def empty_201(w: World) -> None:
    w.digitalocean.fault(lambda c: c.action == "power_on", rewriting(lambda body: body.clear()))
    droplet = await w.take()
    await w.good_take(droplet, 60)


@case("odd forms: 201 to every Action with a body that is no Action", quick=True)
async def every_empty_201(w: World) -> None:
    w.digitalocean.fault(lambda c: c.action is not None, rewriting(lambda body: body.clear()))
    droplet = await w.take()
    await w.good_take(droplet, 90)


@case("odd forms: the Snapshot's 201 holds an array")
async def array_201(w: World) -> None:
    def wrap(body: Json) -> None:
        body["action"] = [body["action"]]

    w.digitalocean.fault(lambda c: c.action == "snapshot", rewriting(wrap))
    droplet = await w.take()
    await w.good_take(droplet, 60)


@case("odd forms: meta and links absent from every list")
async def no_meta(w: World) -> None:
    def spoil(body: Json) -> None:
        if isinstance(body, dict):
            body.pop("meta", None)
            body.pop("links", None)

    w.digitalocean.fault(lambda c: c.method == "GET", rewriting(spoil))
    droplet = await w.take()
    await w.good_take(droplet)
    w.expect(OFF in [s for _, s in droplet.downtime], "never off")


@case("odd forms: rate limit headers absent or odd")
async def odd_ratelimit(w: World) -> None:
    async def effect(call: Call, run: Run) -> Answer:
        answer = await run()
        answer.headers.update({"ratelimit-limit": "", "ratelimit-remaining": "-1", "ratelimit-reset": "soon"})
        return answer

    w.digitalocean.fault(lambda c: True, effect)
    droplet = await w.take()
    await w.good_take(droplet)
