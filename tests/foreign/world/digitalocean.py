"""DigitalOcean as its OpenAPI file, its documentation and its users' bug reports describe it."""

from __future__ import annotations

import asyncio
import itertools
import re
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from .clock import Clock
from .http import Answer, Call, Json, Service

OFF, ACTIVE = "off", "active"
REGION = {
    "slug": "nyc3",
    "name": "New York 3",
    "available": True,
    "features": ["backups"],
    "sizes": ["s-1vcpu-1gb", "s-2vcpu-4gb"],
}
SIZES = [
    {
        "slug": "s-1vcpu-1gb",
        "memory": 1024,
        "vcpus": 1,
        "disk": 25,
        "transfer": 1.0,
        "price_monthly": 6.0,
        "price_hourly": 0.00893,
        "regions": ["nyc3"],
        "available": True,
        "description": "Basic",
    },
    {
        "slug": "s-2vcpu-4gb",
        "memory": 4096,
        "vcpus": 2,
        "disk": 80,
        "transfer": 4.0,
        "price_monthly": 24.0,
        "price_hourly": 0.03571,
        "regions": ["nyc3"],
        "available": True,
        "description": "Basic",
    },
]


@dataclass
class Snapshot:
    id: int
    name: str
    droplet: int
    created: float
    taken: str  # the Droplet's status while it was taken
    listed_at: float = 0.0
    size: float | None = 2.34
    kind: str = "snapshot"  # or "backup": DigitalOcean's own


@dataclass
class Droplet:
    id: int
    name: str
    status: str = ACTIVE
    tags: list[str] = field(default_factory=list)
    locked: bool = False
    disk: str = "original"  # what is on it, so that a restore can be seen
    created: float = 0.0
    downtime: list[tuple[float, str]] = field(default_factory=list)  # (when, status) at each change
    policy: dict[str, Json] | None = None  # of DigitalOcean's own Backups; None: they are off


@dataclass
class Action:
    id: int
    type: str
    droplet: int
    started: float
    status: str = "in-progress"
    completed: float | None = None


@dataclass
class Outcome:
    """How one Action goes; scripted per type, the first one first."""

    takes: float = 0.3
    status: str = "completed"
    works: bool = True  # whether what was asked for happens at all
    effect_after: float = 0.0  # how long after the Action's end


@dataclass
class Refusal:
    status: int
    message: Json
    id: str = "unprocessable_entity"


class DigitalOcean(Service):
    name = "DO"

    def __init__(self, clock: Clock, token: str) -> None:
        super().__init__(clock)
        self.tokens = {token}
        self.strangers_tokens: dict[
            str, str
        ] = {}  # valid tokens of other accounts: token, team; they see nothing of ours
        self.power_off_beside_pending = False
        self.team = "11111111-2222-4333-8444-555555555555"
        self.droplets: dict[int, Droplet] = {}
        self.snapshots: dict[int, Snapshot] = {}
        self.actions: dict[int, Action] = {}
        self.script: dict[str, list[Outcome | Refusal]] = {}
        self.usual: dict[str, Outcome] = {
            "snapshot": Outcome(takes=1.0),
            "restore": Outcome(takes=0.6),
            "create": Outcome(takes=0.6),
        }
        self.locks_while_busy = (
            True  # the old API's habit; since 2019 `locked` means an admin's lock (bug reports of other tools)
        )
        self.listed_late = 0.0  # how long after its Action a Snapshot appears in lists
        self.late_size: float | None = 2.34
        self.restore_powers_on = True
        self.is_dated = True  # whether its answers say what time it is
        self.supported: list[Json] = [
            {
                "name": name,
                "possible_window_starts": [0, 4, 8, 12, 16, 20],
                "window_length_hours": 4,
                "retention_period_days": kept,
                "possible_days": days,
            }
            for name, kept, days in (
                ("weekly", 28, ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"]),
                ("daily", 7, []),
            )
        ]
        self.hourly_limit, self.minute_limit = 5000, 250
        self.throttled = 0
        self._ids = itertools.count(3_000_000_000)  # beyond 32 bits, as theirs are near to be
        self._hour: deque[float] = deque()
        self._tasks: set[asyncio.Task[None]] = set()

    # -- the world ------------------------------------------------------------------------------

    def add_droplet(self, name: str, **attributes: Json) -> Droplet:
        droplet = Droplet(next(self._ids), name, created=self.clock.now() - 86400 * 90, **attributes)
        droplet.downtime.append((self.clock.elapsed(), droplet.status))
        self.droplets[droplet.id] = droplet
        return droplet

    def add_snapshot(self, droplet: Droplet, name: str, age: float = 3600.0, **attributes: Json) -> Snapshot:
        snapshot = Snapshot(next(self._ids), name, droplet.id, self.clock.now() - age, droplet.status, **attributes)
        self.snapshots[snapshot.id] = snapshot
        return snapshot

    def add_backup(self, droplet: Droplet, age: float = 3600.0, **attributes: Json) -> Snapshot:
        """One of DigitalOcean's own Backups, of a Droplet that has them on."""
        name = attributes.pop("name", self.clock.rfc3339(self.clock.now() - age)[:10])
        return self.add_snapshot(droplet, f"{droplet.name}- {name}", age, kind="backup", **attributes)

    def destroy(self, droplet: Droplet) -> None:
        """Somebody destroys it: its Backups go with it, its Snapshots stay."""
        del self.droplets[droplet.id]
        for backup in self.backups(droplet):
            del self.snapshots[backup.id]

    def backups(self, droplet: Droplet) -> list[Snapshot]:
        return [s for s in self.snapshots.values() if s.droplet == droplet.id and s.kind == "backup"]

    def set_status(self, droplet: Droplet, status: str) -> None:
        if droplet.status != status:
            droplet.status = status
            droplet.downtime.append((self.clock.elapsed(), status))

    def stranger(self, droplet: Droplet, kind: str, outcome: Outcome | None = None, name: str = "nightly") -> Action:
        """Somebody else's Action, from the panel or a cron job."""
        return self._begin(droplet, kind, {"name": name}, outcome or self._outcome(kind))

    def pending(self, droplet: Droplet) -> Action | None:
        return next((a for a in self.actions.values() if a.droplet == droplet.id and a.status == "in-progress"), None)

    def later(self, seconds: float, do: Callable[[], object]) -> None:
        async def wait() -> None:
            await self.clock.sleep(seconds)
            do()

        task = asyncio.get_running_loop().create_task(wait())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def close(self) -> None:
        for task in self._tasks:
            task.cancel()

    # -- Actions --------------------------------------------------------------------------------

    def _outcome(self, kind: str) -> Outcome:
        return self.usual.get(kind, Outcome())

    def _begin(self, droplet: Droplet, kind: str, body: dict[str, Json], outcome: Outcome) -> Action:
        action = Action(next(self._ids), kind, droplet.id, self.clock.now())
        self.actions[action.id] = action
        if self.locks_while_busy:
            droplet.locked = True
        taken = droplet.status

        def end() -> None:
            action.status = outcome.status
            action.completed = self.clock.now()
            if self.locks_while_busy:
                droplet.locked = False
            if not outcome.works:
                return
            if outcome.effect_after:
                self.later(outcome.effect_after, lambda: self._apply(droplet, action, body, taken))
            else:
                self._apply(droplet, action, body, taken)

        self.later(outcome.takes, end)
        return action

    def _apply(self, droplet: Droplet, action: Action, body: dict[str, Json], taken: str) -> None:
        if action.type in ("shutdown", "power_off"):
            self.set_status(droplet, OFF)
        elif action.type in ("power_on", "power_cycle", "create"):
            self.set_status(droplet, ACTIVE)
        elif action.type == "snapshot":
            held = taken if taken == droplet.status else "changed meanwhile"
            snapshot = Snapshot(
                next(self._ids),
                body["name"],
                droplet.id,
                action.started,
                held,
                listed_at=self.clock.now() + self.listed_late,
                size=self.late_size,
            )
            self.snapshots[snapshot.id] = snapshot
        elif action.type in ("enable_backups", "change_backup_policy"):
            droplet.policy = {"plan": "daily", "hour": 20, **(body.get("backup_policy") or {})}
        elif action.type == "disable_backups":
            droplet.policy = None
            for backup in self.backups(droplet):
                del self.snapshots[backup.id]
        elif action.type in ("restore", "rebuild"):
            droplet.disk = f"{action.type} of {body.get('image')}"
            if self.restore_powers_on:
                self.set_status(droplet, ACTIVE)

    def _post_action(self, droplet: Droplet, body: Json) -> Answer:
        kind = body["type"]
        scripted = self.script.get(kind)
        step = scripted.pop(0) if scripted else self._outcome(kind)
        if isinstance(step, Refusal):
            return refuse(step.status, step.message, step.id)
        if self.pending(droplet) is not None and not (kind == "power_off" and self.power_off_beside_pending):
            return refuse(422, "Droplet already has a pending event.")
        if kind in ("shutdown", "power_off") and droplet.status == OFF:
            return refuse(422, "Droplet is already powered off.")
        if kind == "disable_backups" and droplet.policy is None:
            return refuse(422, "Backups are already disabled for this Droplet.")
        if kind in ("enable_backups", "change_backup_policy") and body.get("backup_policy"):
            policy = body["backup_policy"]
            if policy.get("plan") not in ("daily", "weekly") or policy.get("hour") not in (None, 0, 4, 8, 12, 16, 20):
                return refuse(422, "Invalid backup policy.")
        if kind == "restore" and not self._own_image(droplet, body.get("image")):
            return refuse(422, "You specified an invalid image for Droplet creation.")
        return Answer(201, {"action": self._action_json(self._begin(droplet, kind, body, step))})

    def _own_image(self, droplet: Droplet, image: Json) -> bool:
        snapshot = self.snapshots.get(int(image)) if str(image).isdigit() else None
        return snapshot is not None and snapshot.droplet == droplet.id

    # -- HTTP -----------------------------------------------------------------------------------

    async def answer(self, call: Call) -> Answer:
        if call.token in self.strangers_tokens:
            return self._foreign_account(call)
        if call.token not in self.tokens:
            return refuse(401, "Unable to authenticate you", "Unauthorized")
        now = self.clock.now()
        while self._hour and self._hour[0] < now - 3600:
            self._hour.popleft()
        in_minute = sum(1 for at in itertools.takewhile(lambda at: at > now - 60, reversed(self._hour)))
        headers = {
            "ratelimit-limit": str(self.hourly_limit),
            "ratelimit-remaining": str(max(0, self.hourly_limit - len(self._hour) - 1)),
            "ratelimit-reset": str(int((self._hour[0] if self._hour else now) + 3600)),
            "x-request-id": f"req-{call.number}",
        }
        if in_minute >= self.minute_limit or len(self._hour) >= self.hourly_limit:
            self.throttled += 1
            if in_minute >= self.minute_limit:
                headers["retry-after"] = "20"
            return Answer(429, {"id": "too_many_requests", "message": "API Rate limit exceeded."}, headers)
        self._hour.append(now)
        answer = self._route(call)
        answer.headers = {**headers, **answer.headers}
        return answer

    def _foreign_account(self, call: Call) -> Answer:
        if call.path == "/v2/account":
            answer = self._route(call)
            answer.body["account"]["team"]["uuid"] = answer.body["account"]["uuid"] = self.strangers_tokens[call.token]
            return answer
        key = call.path.rsplit("/", 1)[-1]
        if (
            call.method == "GET"
            and key in ("droplets", "actions", "snapshots", "images", "tags", "volumes")
            and call.path.count("/") == 2
        ):
            return self._list(call, key, [])
        if key in ("sizes", "regions", "keys"):
            return self._route(call)
        return not_found()

    def _route(self, call: Call) -> Answer:
        method, path, body = call.method, call.path, call.body
        if path == "/v2/droplets/backups/supported_policies":
            return Answer(200, {"supported_policies": self.supported})
        if path == "/v2/droplets/backups/policies":
            policies = {str(d.id): self._policy_json(d) for d in self.droplets.values()}
            return Answer(200, {"policies": policies, "links": {}, "meta": {"total": len(policies)}})
        if match := re.fullmatch(r"/v2/images/(\d+)/actions(?:/(\d+))?", path):
            return self._image_actions(call, int(match[1]), match[2])
        if match := re.fullmatch(r"/v2/droplets/(\d+)(/.*)?", path):
            droplet = self.droplets.get(int(match[1]))
            if droplet is None:
                return refuse(404, "The resource you were accessing could not be found.", "not_found")
            return self._droplet_route(call, droplet, match[2] or "")
        if path == "/v2/droplets" and method == "POST":
            return self._create(body or {})
        if path == "/v2/droplets":
            found = [
                d
                for d in self.droplets.values()
                if call.query.get("tag_name") in (None, *d.tags) and call.query.get("name") in (None, d.name)
            ]
            return self._list(call, "droplets", [self._droplet_json(d) for d in found])
        if match := re.fullmatch(r"/v2/actions/(\d+)", path):
            action = self.actions.get(int(match[1]))
            return Answer(200, {"action": self._action_json(action)}) if action else not_found()
        if path == "/v2/actions":
            return self._list(
                call, "actions", [self._action_json(a) for a in sorted(self.actions.values(), key=lambda a: -a.id)]
            )
        if match := re.fullmatch(r"/v2/(?:snapshots|images)/([\w-]+)", path):
            return self._snapshot_route(call, match[1])
        if path == "/v2/snapshots":
            found = [s for s in self._listed() if s.kind == "snapshot"]
            return self._list(call, "snapshots", [self._snapshot_json(s) for s in found])
        if path == "/v2/images":
            return self._list(call, "images", [self._image_json(s) for s in self._listed()])
        if path == "/v2/regions":
            return self._list(call, "regions", [REGION])
        if path == "/v2/sizes":
            return self._list(call, "sizes", SIZES)
        if path == "/v2/account/keys":
            return self._list(call, "ssh_keys", [])
        if path == "/v2/account":
            return Answer(
                200,
                {
                    "account": {
                        "uuid": "b6fr89dbf6d9156cace5f3c78dc9851d957381ef",
                        "email": "ops@example.org",
                        "email_verified": True,
                        "status": "active",
                        "status_message": "",
                        "droplet_limit": 25,
                        "floating_ip_limit": 5,
                        "team": {"uuid": self.team, "name": "Ops"},
                    }
                },
            )
        if path == "/v2/tags":
            if method == "POST":
                name = (body or {}).get("name")
                return (
                    Answer(201, {"tag": {"name": name, "resources": {}}})
                    if name
                    else refuse(422, "Name can't be blank")
                )
            return self._list(
                call, "tags", [{"name": t, "resources": {}} for d in self.droplets.values() for t in d.tags]
            )
        if path == "/v2/volumes":
            return self._list(call, "volumes", [])
        self.unknown.append(f"{method} {path}")
        return not_found()

    def _droplet_route(self, call: Call, droplet: Droplet, rest: str) -> Answer:
        if rest == "" and call.method == "GET":
            return Answer(200, {"droplet": self._droplet_json(droplet)})
        if rest == "/actions" and call.method == "POST":
            return self._post_action(droplet, call.body)
        if rest == "/actions":
            own = sorted((a for a in self.actions.values() if a.droplet == droplet.id), key=lambda a: -a.id)
            return self._list(call, "actions", [self._action_json(a) for a in own])
        if match := re.fullmatch(r"/actions/(\d+)", rest):
            action = self.actions.get(int(match[1]))
            return (
                Answer(200, {"action": self._action_json(action)})
                if action and action.droplet == droplet.id
                else not_found()
            )
        if rest == "/snapshots":
            return self._list(
                call,
                "snapshots",
                [self._image_json(s) for s in self._listed() if s.droplet == droplet.id and s.kind == "snapshot"],
            )
        if rest == "/backups":
            return self._list(call, "backups", [self._image_json(s) for s in self.backups(droplet)])
        if rest == "/backups/policy":
            return Answer(200, {"policy": self._policy_json(droplet)})
        self.unknown.append(f"{call.method} {call.path}")
        return not_found()

    def _snapshot_route(self, call: Call, key: str) -> Answer:
        snapshot = self.snapshots.get(int(key)) if key.isdigit() else None
        if snapshot is not None and snapshot.kind == "backup" and "images" not in call.path:
            return not_found()
        if snapshot is None or snapshot.listed_at > self.clock.now():
            return not_found()
        if call.method == "DELETE":
            del self.snapshots[snapshot.id]
            return Answer(204)
        if "images" in call.path:
            return Answer(200, {"image": self._image_json(snapshot)})
        return Answer(200, {"snapshot": self._snapshot_json(snapshot)})

    def _create(self, body: dict[str, Json]) -> Answer:
        scripted = self.script.get("create")
        step = scripted.pop(0) if scripted else self._outcome("create")
        if isinstance(step, Refusal):
            return refuse(step.status, step.message, step.id)
        if not body.get("name") or not body.get("size"):
            return refuse(422, "size can't be blank")
        droplet = self.add_droplet(body["name"], status="new", tags=list(body.get("tags") or []))
        droplet.disk = f"create of {body.get('image')}"
        action = self._begin(droplet, "create", body, step)
        return Answer(
            202,
            {
                "droplet": self._droplet_json(droplet),
                "links": {
                    "actions": [
                        {
                            "id": action.id,
                            "rel": "create",
                            "href": f"https://api.digitalocean.com/v2/actions/{action.id}",
                        }
                    ]
                },
            },
        )

    def _image_actions(self, call: Call, key: int, action: str | None) -> Answer:
        image = self.snapshots.get(key)
        if action is not None:
            found = self.actions.get(int(action))
            return Answer(200, {"action": self._action_json(found)}) if found else not_found()
        if call.method == "GET":
            own = [a for a in self.actions.values() if a.droplet == key]
            return self._list(call, "actions", [self._action_json(a) for a in own])
        if image is None:
            return not_found()
        kind = call.body.get("type")
        scripted = self.script.get(kind)
        step = scripted.pop(0) if scripted else self._outcome(kind)
        if isinstance(step, Refusal):
            return refuse(step.status, step.message, step.id)
        if kind == "convert" and image.kind != "backup":
            return refuse(422, "This image is not a backup.")
        begun = Action(next(self._ids), kind, key, self.clock.now())
        self.actions[begun.id] = begun

        def end() -> None:
            begun.status, begun.completed = step.status, self.clock.now()
            if step.works:
                image.kind = "snapshot"

        self.later(step.takes, end)
        return Answer(201, {"action": {**self._action_json(begun), "resource_type": "image"}})

    def _window(self, droplet: Droplet) -> Json:
        if droplet.policy is None:
            return None
        day = datetime.fromtimestamp(self.clock.now(), UTC).replace(minute=0, second=0, microsecond=0)
        start = day.replace(hour=droplet.policy.get("hour") or 0)
        while start <= day or (
            droplet.policy["plan"] == "weekly" and start.strftime("%a").upper() != droplet.policy.get("weekday", "SUN")
        ):
            start += timedelta(days=1)
        return {"start": self.clock.rfc3339(start.timestamp()), "end": self.clock.rfc3339(start.timestamp() + 14400)}

    def _policy_json(self, droplet: Droplet) -> Json:
        if droplet.policy is None:
            return {"droplet_id": droplet.id, "backup_enabled": False}
        kept = 7 if droplet.policy["plan"] == "daily" else 28
        return {
            "droplet_id": droplet.id,
            "backup_enabled": True,
            "backup_policy": {**droplet.policy, "window_length_hours": 4, "retention_period_days": kept},
            "next_backup_window": self._window(droplet),
        }

    def _listed(self) -> list[Snapshot]:
        return [s for s in self.snapshots.values() if s.listed_at <= self.clock.now()]

    def _list(self, call: Call, key: str, items: list[Json]) -> Answer:
        size = min(200, max(1, int(call.query.get("per_page", 20))))
        number = max(1, int(call.query.get("page", 1)))
        last = max(1, -(-len(items) // size))
        base = f"https://api.digitalocean.com{call.path}?per_page={size}"
        pages = {"next": f"{base}&page={number + 1}", "last": f"{base}&page={last}"} if number < last else {}
        return Answer(
            200,
            {
                key: items[(number - 1) * size : number * size],
                "links": {"pages": pages} if pages else {},
                "meta": {"total": len(items)},
            },
        )

    # -- JSON -----------------------------------------------------------------------------------

    def _droplet_json(self, droplet: Droplet) -> Json:
        networks = {
            "v4": [
                {"ip_address": "203.0.113.7", "netmask": "255.255.240.0", "gateway": "203.0.113.1", "type": "public"}
            ],
            "v6": [],
        }
        return {
            "id": droplet.id,
            "name": droplet.name,
            "memory": 1024,
            "vcpus": 1,
            "disk": 25,
            "disk_info": [],
            "locked": droplet.locked,
            "status": droplet.status,
            "kernel": None,
            "created_at": self.clock.rfc3339(droplet.created),
            "features": ["droplet_agent", "private_networking", *(["backups"] if droplet.policy else [])],
            "backup_ids": [s.id for s in self.backups(droplet)],
            "next_backup_window": self._window(droplet),
            "snapshot_ids": [s.id for s in self._listed() if s.droplet == droplet.id and s.kind == "snapshot"],
            "image": {
                "id": 1,
                "name": "24.04 (LTS) x64",
                "distribution": "Ubuntu",
                "slug": "ubuntu-24-04-x64",
                "public": True,
                "regions": ["nyc3"],
                "created_at": "2024-05-01T00:00:00Z",
                "min_disk_size": 7,
                "type": "base",
                "size_gigabytes": 2.3,
                "description": "",
                "tags": [],
                "status": "available",
            },
            "volume_ids": [],
            "size": SIZES[0],
            "size_slug": "s-1vcpu-1gb",
            "networks": networks,
            "region": REGION,
            "tags": droplet.tags,
            "vpc_uuid": "5a4981aa-9653-4bd1-bef5-d6bff52042e4",
        }

    def _action_json(self, action: Action) -> Json:
        return {
            "id": action.id,
            "status": action.status,
            "type": action.type,
            "started_at": self.clock.rfc3339(action.started),
            "completed_at": self.clock.rfc3339(action.completed) if action.completed else None,
            "resource_id": action.droplet,
            "resource_type": "image" if action.type in ("convert", "transfer") else "droplet",
            "region": REGION,
            "region_slug": "nyc3",
        }

    def _snapshot_json(self, snapshot: Snapshot) -> Json:
        return {
            "id": str(snapshot.id),
            "name": snapshot.name,
            "created_at": self.clock.rfc3339(snapshot.created),
            "regions": ["nyc3"],
            "resource_id": str(snapshot.droplet),
            "resource_type": "droplet",
            "min_disk_size": 25,
            "size_gigabytes": snapshot.size,
            "tags": [],
        }

    def _image_json(self, snapshot: Snapshot) -> Json:
        return {
            "id": snapshot.id,
            "name": snapshot.name,
            "type": snapshot.kind,
            "distribution": "Ubuntu",
            "slug": None,
            "public": False,
            "regions": ["nyc3"],
            "created_at": self.clock.rfc3339(snapshot.created),
            "min_disk_size": 25,
            "size_gigabytes": snapshot.size,
            "description": "",
            "tags": [],
            "status": "available",
            "error_message": "",
        }


def refuse(status: int, message: Json, id: str = "unprocessable_entity") -> Answer:
    return Answer(status, {"id": id, "message": message, "request_id": "4d9d8375-3c56-4925-a3e7-eb137fed17e9"})


def not_found() -> Answer:
    return refuse(404, "The resource you were accessing could not be found.", "not_found")
