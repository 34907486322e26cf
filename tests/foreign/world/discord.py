"""Discord as its OpenAPI file and its documentation describe it: one guild and a few people who type and press."""

from __future__ import annotations

import asyncio
import itertools
import json
import re
from dataclasses import dataclass, field
from typing import Any

from aiohttp import WSMsgType, web

from .clock import Clock
from .http import Answer, Call, Cut, Json, Service
from .limits import Limits

EPOCH_MS = 1_420_070_400_000
ADMINISTRATOR, BASIC = 1 << 3, (1 << 10) | (1 << 11) | (1 << 14) | (1 << 16) | (1 << 31) | (1 << 38)
ADMIN_ROLE = "400000000000000008"  # a role of the guild that has Administrator
BOT_RIGHTS = 274877991936
NONCE_MEMORY = 180.0  # "a few minutes"
TEXT, PUBLIC_THREAD, FORUM = 0, 11, 15


@dataclass
class Person:
    id: str
    name: str
    permissions: int = BASIC
    roles: list[str] = field(default_factory=list)
    odd_user: dict[str, Json] = field(default_factory=dict)  # fields that this person's user object has otherwise
    lacks: tuple[str, ...] = ()  # fields that the member object lacks
    left: bool = False  # no member of the guild any more


@dataclass
class Thread:
    """A thread, or a forum's post."""

    parent: str
    archived: bool = False


@dataclass
class Message:
    id: str
    channel: str
    body: dict[str, Json]
    at: float
    nonce: str | None = None
    edits: list[tuple[float, dict[str, Json]]] = field(default_factory=list)
    deleted: bool = False
    versions: list[tuple[float, dict[str, Json]]] = field(
        default_factory=list
    )  # every body it has had, the first one first

    def rang(self, person: Person) -> bool:
        """Whether the message pinged this person when it was new: an edit pings nobody."""
        return Message(self.id, self.channel, self.versions[0][1], self.at).pings(person)

    @property
    def text(self) -> str:
        """All that a reader sees, in one string."""
        return text_of(self.body)

    @property
    def buttons(self) -> list[dict[str, Json]]:
        return buttons_of(self.body)

    @property
    def menus(self) -> list[dict[str, Json]]:
        return menus_of(self.body)

    def rang_role(self, role: str) -> bool:
        """Whether the message pinged that role when it was new."""
        return Message(self.id, self.channel, self.versions[0][1], self.at).pings_role(role)

    def pings_role(self, role: str) -> bool:
        mentions = self.body.get("allowed_mentions") or {}
        allowed = "roles" in mentions.get("parse", []) or role in [str(r) for r in mentions.get("roles", [])]
        return allowed and f"<@&{role}>" in (self.body.get("content") or "")

    def pings(self, person: Person) -> bool:
        mentions = self.body.get("allowed_mentions") or {}
        allowed = "users" in mentions.get("parse", []) or person.id in [str(u) for u in mentions.get("users", [])]
        return allowed and f"<@{person.id}>" in (self.body.get("content") or "")


def text_of(body: dict[str, Json]) -> str:
    parts = [body.get("content") or ""]
    for embed in body.get("embeds") or []:
        parts += [embed.get("title") or "", embed.get("description") or ""]
        parts += [f"{f.get('name')}: {f.get('value')}" for f in embed.get("fields") or []]
        parts += [(embed.get("footer") or {}).get("text") or ""]
    return "\n".join(part for part in parts if part)


def buttons_of(body: dict[str, Json]) -> list[dict[str, Json]]:
    return [
        item for row in body.get("components") or [] for item in row.get("components") or [] if item.get("type") == 2
    ]


def menus_of(body: dict[str, Json]) -> list[dict[str, Json]]:
    return [
        item for row in body.get("components") or [] for item in row.get("components") or [] if item.get("type") == 3
    ]


@dataclass
class Reply:
    """What one interaction got: its callback, and what its webhook posted or edited."""

    id: str
    token: str
    person: Person
    channel: str
    sent_at: float
    kind: int | None = None
    body: dict[str, Json] = field(default_factory=dict)
    followups: list[dict[str, Json]] = field(default_factory=list)
    message_id: str = ""
    where: Message | Reply | None = None  # what was pressed
    first: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def text(self) -> str:
        return "\n".join([text_of(self.body), *(text_of(f) for f in self.followups)])

    @property
    def buttons(self) -> list[dict[str, Json]]:
        return [b for body in [self.body, *self.followups] for b in buttons_of(body)]

    @property
    def menus(self) -> list[dict[str, Json]]:
        return [m for body in [self.body, *self.followups] for m in menus_of(body)]

    @property
    def choices(self) -> list[dict[str, Json]]:
        return self.body.get("choices") or []

    @property
    def ephemeral(self) -> bool:
        return bool(self.body.get("flags", 0) & 64)


class Discord(Service):
    name = "DC"

    def __init__(self, clock: Clock, application: str, token: str, guild: str) -> None:
        super().__init__(clock)
        self.application, self.token, self.guild = application, token, guild
        self.guilds = [guild]
        self.channel, self.notify = "300000000000000001", "300000000000000002"
        self.channels = {self.channel: guild, self.notify: guild}
        self.forums: set[str] = set()
        self.threads: dict[str, Thread] = {}
        self.hidden: set[str] = set()  # channels in which nobody but the bot may write
        self.over_limits: list[str] = []  # what was sent that Discord would not take
        self.people: list[Person] = []
        self.messages: list[Message] = []
        self.replies: dict[str, Reply] = {}
        self.commands: dict[str, list[Json]] = {}
        self.bot_user_extra: dict[str, Json] = {}
        self.gateway_url = ""
        self.down = False
        self.heartbeat = 41250
        self.sessions: dict[str, list[Json]] = {}
        self.identified = 0
        self._sockets: dict[str, web.WebSocketResponse] = {}
        self._counter = itertools.count(1)
        self.ready = asyncio.Event()

    def snowflake(self) -> str:
        return str((int(self.clock.now() * 1000) - EPOCH_MS) << 22 | next(self._counter))

    def person(self, name: str, **attributes: Any) -> Person:
        person = Person(str(200000000000000000 + len(self.people)), name, **attributes)
        if person.permissions & ADMINISTRATOR:
            person.roles = [*person.roles, ADMIN_ROLE]
        self.people.append(person)
        return person

    def add_thread(self, parent: str) -> str:
        """A thread of a channel, or a post of a forum."""
        thread = self.snowflake()
        self.channels[thread], self.threads[thread] = self.channels[parent], Thread(parent)
        return thread

    def add_forum(self) -> str:
        forum = self.snowflake()
        self.channels[forum] = self.guild
        self.forums.add(forum)
        return forum

    @staticmethod
    def direct(person: Person) -> str:
        """The channel for direct messages with a person."""
        return f"5{person.id[1:]}"

    def live(self, channel: str | None = None) -> list[Message]:
        return [m for m in self.messages if not m.deleted and channel in (None, m.channel)]

    def pings(self, person: Person) -> list[Message]:
        return [m for m in self.messages if m.pings(person)]

    # -- what people do -------------------------------------------------------------------------

    async def command(
        self,
        person: Person,
        name: str,
        /,
        *,
        channel: str | None = None,
        guild: str | None = None,
        wait: float = 10.0,
        root: str = "snapshot",
        **options: str,
    ) -> Reply:
        return await self._interact(person, 2, self._command_data(root, name, options, None), channel, guild, wait)

    async def complete(
        self, person: Person, name: str, focus: str, /, *, root: str = "snapshot", wait: float = 10.0, **options: str
    ) -> Reply:
        """Types into the option `focus` and looks at the suggestions."""
        return await self._interact(person, 4, self._command_data(root, name, options, focus), None, None, wait)

    async def press(self, person: Person, where: Message | Reply, label: str, wait: float = 10.0) -> Reply:
        button = next(
            (
                b
                for b in where.buttons
                if re.search(label, b.get("label") or "", re.IGNORECASE) and not b.get("disabled")
            ),
            None,
        )
        if button is None:
            raise LookupError(
                f"no button {label!r} among {[b.get('label') for b in where.buttons]} under {where.text[:200]!r}"
            )
        return await self.send_component(person, where, {"custom_id": button["custom_id"], "component_type": 2}, wait)

    async def press_id(self, person: Person, where: Message | Reply, custom_id: str, wait: float = 10.0) -> Reply:
        """Presses what is not, or no longer, shown: a forged or an old button."""
        return await self.send_component(person, where, {"custom_id": custom_id, "component_type": 2}, wait)

    async def select(
        self, person: Person, where: Message | Reply, like: str, wait: float = 10.0, menu: str = ""
    ) -> Reply:
        """Picks the one option like `like` of a select menu (with a placeholder or id like `menu`)."""
        for found in where.menus:
            if menu and menu.lower() not in (found.get("placeholder") or found["custom_id"]).lower():
                continue
            for option in found.get("options") or []:
                if re.search(like, f"{option['label']} {option.get('description') or ''}", re.IGNORECASE):
                    data = {"custom_id": found["custom_id"], "component_type": 3, "values": [option["value"]]}
                    return await self.send_component(person, where, data, wait)
        raise LookupError(
            f"no option {like!r} in {[[o['label'] for o in m.get('options') or []] for m in where.menus]}"
        )

    async def select_value(self, person: Person, where: Message | Reply, custom_id: str, *values: str) -> Reply:
        return await self.send_component(
            person, where, {"custom_id": custom_id, "component_type": 3, "values": list(values)}, 10.0
        )

    async def send_component(self, person: Person, where: Message | Reply, data: Json, wait: float) -> Reply:
        message = self._message_json(
            where.id if isinstance(where, Message) else where.message_id, where.channel, where.body
        )
        reply = await self._interact(person, 3, data, where.channel, None, wait, message=message, where=where)
        if reply.kind == 7:
            self._updated(where, reply.body)
        elif reply.kind == 6:  # put off: what is meant takes the place of the message, or comes after it
            for _ in range(100):
                if reply.body.get("content") is not None or reply.body.get("embeds") or reply.followups:
                    break
                await asyncio.sleep(0.1)
        if reply.kind == 7:
            reply.body, reply.message_id = where.body, where.id if isinstance(where, Message) else where.message_id
        return reply

    async def submit(self, person: Person, form: Reply, wait: float = 10.0, **values: str) -> Reply:
        """Fills in the form that `form` opened: values by the inputs' ids or labels, the first words suffice."""
        fields = [c for row in form.body.get("components") or [] for c in row.get("components") or []]
        rows = []
        for item in fields:
            named = f"{item['custom_id']} {item.get('label') or ''}".lower()
            value = next((v for k, v in values.items() if k.lower() in named), item.get("value") or "")
            rows.append({"type": 1, "components": [{"type": 4, "custom_id": item["custom_id"], "value": value}]})
        data = {"custom_id": form.body["custom_id"], "components": rows}
        where = form.where
        message = None
        if where is not None:
            message = self._message_json(
                where.id if isinstance(where, Message) else where.message_id, where.channel, where.body
            )
        reply = await self._interact(person, 5, data, form.channel, None, wait, message=message, where=where)
        if reply.kind == 7 and where is not None:
            self._updated(where, reply.body)
            reply.body, reply.message_id = where.body, where.id if isinstance(where, Message) else where.message_id
        return reply

    def _updated(self, where: Message | Reply, body: Json) -> None:
        kept = where.body.get("flags", 0) & 64  # an edit leaves a message as private as it was
        where.body = {**where.body, **body, "flags": int(body.get("flags") or 0) | kept}
        if isinstance(where, Message):
            where.edits.append((self.clock.elapsed(), body))
            where.versions.append((self.clock.elapsed(), where.body))

    def _command_data(self, root: str, name: str, options: dict[str, str], focus: str | None) -> Json:
        given = [
            {**self._option(root, name, key.replace("_", "-"), value), **({"focused": True} if key == focus else {})}
            for key, value in options.items()
        ]
        chosen = {str(option["value"]): self._resolved(str(option["value"])) for option in given if option["type"] == 7}
        return {
            "id": "900000000000000001",
            "name": root,
            "type": 1,
            "guild_id": self.guild,
            "options": [{"name": name, "type": 1, "options": given}],
            **({"resolved": {"channels": chosen}} if chosen else {}),
        }

    def _resolved(self, channel: str) -> Json:
        """A channel that was chosen in an option, with what the person may do there."""
        rights = "0" if channel in self.hidden else "2251799813685247"
        return {"id": channel, "name": "chosen", "type": self._kind(channel), "permissions": rights}

    def _kind(self, channel: str) -> int:
        if channel in self.threads:
            return PUBLIC_THREAD
        return FORUM if channel in self.forums else TEXT

    def _option(self, root: str, name: str, option: str, value: Json) -> dict[str, Json]:
        """As a client sends it: the registered type, and of a choice that was picked its value."""
        registered: dict[str, Any] = next((c for c in self.commands.get(self.guild, []) if c["name"] == root), {})
        command: dict[str, Any] = next((c for c in registered.get("options", []) if c["name"] == name), {})
        declared: dict[str, Any] = next((o for o in command.get("options", []) if o["name"] == option), {"type": 3})
        for choice in declared.get("choices") or []:
            if str(value).lower() in str(choice["name"]).lower():
                value = choice["value"]
                break
        return {"name": option, "type": declared["type"], "value": value}

    async def _interact(
        self,
        person: Person,
        kind: int,
        data: Json,
        channel: str | None,
        guild: str | None,
        wait: float,
        message: Json = None,
        where: Message | Reply | None = None,
    ) -> Reply:
        channel = channel or self.channel
        guild = guild or self.channels.get(channel, self.guild)
        reply = Reply(
            self.snowflake(), f"token-{next(self._counter)}", person, channel, self.clock.elapsed(), where=where
        )
        self.replies[reply.id] = reply
        member = {
            "user": self._user_json(person),
            "roles": person.roles,
            "permissions": str(person.permissions),
            "nick": None,
            "avatar": None,
            "banner": None,
            "joined_at": "2023-01-01T00:00:00.000000+00:00",
            "premium_since": None,
            "deaf": False,
            "mute": False,
            "flags": 0,
            "pending": False,
            "unusual_dm_activity_until": None,
            "communication_disabled_until": None,
        }
        for key in person.lacks:
            member.pop(key)
        event = {
            "id": reply.id,
            "application_id": self.application,
            "type": kind,
            "data": data,
            "guild_id": guild,
            "guild": {"id": guild, "locale": "en-US", "features": []},
            "channel_id": channel,
            "channel": {**self._channel_json(channel), "permissions": "2251799813685247"},
            "member": member,
            "token": reply.token,
            "version": 1,
            "app_permissions": str(BOT_RIGHTS),
            "locale": "en-US",
            "guild_locale": "en-US",
            "entitlements": [],
            "entitlement_sku_ids": [],
            "authorizing_integration_owners": {"0": guild},
            "context": 0,
            "attachment_size_limit": 10485760,
        }
        if message is not None:
            event["message"] = message
        await self.dispatch("INTERACTION_CREATE", event)
        try:
            await asyncio.wait_for(reply.first.wait(), wait / min(self.clock.speed, 3))
        except TimeoutError:
            pass
        if reply.kind == 5:  # deferred: what is meant comes as an edit
            for _ in range(100):
                if reply.body.get("content") is not None or reply.body.get("embeds") or reply.followups:
                    break
                await asyncio.sleep(0.1)
        return reply

    # -- gateway --------------------------------------------------------------------------------

    async def dispatch(self, name: str, data: Json) -> None:
        for session, socket in list(self._sockets.items()):
            log = self.sessions[session]
            payload = {"op": 0, "t": name, "s": len(log) + 1, "d": data}
            log.append(payload)
            if not socket.closed:
                try:
                    await socket.send_str(json.dumps(payload))
                except ConnectionError:
                    pass

    async def gateway(self, request: web.Request) -> web.StreamResponse:
        if self.down:
            raise web.HTTPServiceUnavailable
        socket = web.WebSocketResponse(heartbeat=None, max_msg_size=0)
        try:
            await socket.prepare(request)
        except ConnectionError:  # the bot died meanwhile
            return socket
        await socket.send_str(
            json.dumps({"op": 10, "d": {"heartbeat_interval": self.heartbeat, "_trace": []}, "s": None, "t": None})
        )
        session = ""
        async for frame in socket:
            if frame.type != WSMsgType.TEXT:
                continue
            message = json.loads(frame.data)
            op = message.get("op")
            if op == 1:
                await socket.send_str(json.dumps({"op": 11, "d": None, "s": None, "t": None}))
            elif op == 2:
                if message["d"]["token"].removeprefix("Bot ") != self.token:
                    await socket.close(code=4004, message=b"Authentication failed.")
                    break
                session = f"session{next(self._counter)}"
                self.identified += 1
                self.sessions[session] = []
                self._sockets = {session: socket}
                await self.dispatch("READY", self._ready_json(session))
                for guild in self.guilds:
                    await self.dispatch("GUILD_CREATE", self._guild_json(guild, whole=True))
                self.ready.set()
            elif op == 6:
                session = message["d"]["session_id"]
                if session not in self.sessions:
                    await socket.send_str(json.dumps({"op": 9, "d": False, "s": None, "t": None}))
                    continue
                self._sockets = {session: socket}
                for missed in self.sessions[session][message["d"]["seq"] :]:
                    await socket.send_str(json.dumps(missed))
                await self.dispatch("RESUMED", {"_trace": []})
                self.ready.set()
        if self._sockets.get(session) is socket:
            del self._sockets[session]
        return socket

    async def disconnect(self) -> None:
        self.ready.clear()
        for socket in list(self._sockets.values()):
            await socket.close(code=1001, message=b"")

    # -- REST -----------------------------------------------------------------------------------

    async def answer(self, call: Call) -> Answer:
        if self.down:
            raise Cut
        if self._is_over_limits(call):
            return Answer(400, {"message": "Invalid Form Body", "code": 50035, "errors": {}})
        path = re.sub(r"^/api(/v\d+)?", "", call.path)
        parts = path.strip("/").split("/")
        if parts[0] not in ("interactions", "webhooks", "gateway") and call.token != self.token:
            return Answer(401, {"message": "401: Unauthorized", "code": 0})
        match call.method, parts:
            case "GET", ["gateway"]:
                return Answer(200, {"url": self.gateway_url})
            case "GET", ["gateway", "bot"]:
                return Answer(
                    200,
                    {
                        "url": self.gateway_url,
                        "shards": 1,
                        "session_start_limit": {
                            "total": 1000,
                            "remaining": 999,
                            "reset_after": 86400000,
                            "max_concurrency": 1,
                        },
                    },
                )
            case "GET", ["users", "@me"]:
                return Answer(200, self._bot_user())
            case "GET", ["users", "@me", "guilds"]:
                return Answer(
                    200,
                    [
                        {
                            "id": g,
                            "name": "Guild",
                            "icon": None,
                            "owner": False,
                            "permissions": str(BOT_RIGHTS),
                            "features": [],
                        }
                        for g in self.guilds
                    ],
                )
            case "GET", ["users", id] if any(p.id == id for p in self.people):
                return Answer(200, self._user_json(next(p for p in self.people if p.id == id)))
            case "GET", ["applications", "@me"] | ["oauth2", "applications", "@me"]:
                return Answer(200, self._application_json())
            case (("PUT" | "GET"), ["applications", _, "guilds", guild, "commands"]):
                if call.method == "PUT":
                    self.commands[guild] = [
                        {
                            "id": str(900000000000000001 + n),
                            "application_id": self.application,
                            "guild_id": guild,
                            "version": "1",
                            "type": 1,
                            "default_member_permissions": None,
                            **c,
                        }
                        for n, c in enumerate(call.body)
                    ]
                return Answer(200, self.commands.get(guild, []))
            case (("PUT" | "GET"), ["applications", _, "commands"]):
                return Answer(200, [])
            case "POST", ["users", "@me", "channels"]:
                person = next(p for p in self.people if p.id == call.body["recipient_id"])
                channel = self.direct(person)
                self.channels[channel] = "direct"
                return Answer(
                    200,
                    {
                        "id": channel,
                        "type": 1,
                        "flags": 0,
                        "last_message_id": None,
                        "recipients": [self._user_json(person)],
                    },
                )
            case "POST", ["interactions", id, _, "callback"]:
                return self._callback(call, id)
            case _, ["webhooks", _, token, *rest]:
                return self._webhook(call, token, rest)
            case _, ["channels", channel, *rest]:
                return self._channel(call, channel, rest)
            case "GET", ["guilds", guild]:
                return Answer(200, self._guild_json(guild)) if guild in self.guilds else unknown("Guild", 10004)
            case "GET", ["guilds", guild, "channels"]:
                return Answer(200, [self._channel_json(c) for c, g in self.channels.items() if g == guild and c not in self.threads])
            case "GET", ["guilds", guild, "roles"]:
                return Answer(200, self._guild_json(guild)["roles"])
            case "GET", ["guilds", guild, "members", id] if id not in ("@me", self.application):
                person = next((p for p in self.people if p.id == id), None)
                if person is None or person.left or guild not in self.guilds:
                    return unknown("Member", 10007)
                return Answer(200, {**self._bot_member(), "user": self._user_json(person), "roles": person.roles})
            case "GET", ["guilds", guild, "members", _]:
                return Answer(200, self._bot_member())
            case "GET", ["guilds", guild, "threads", "active"]:
                return Answer(200, {"threads": [], "members": []})
        self.unknown.append(f"{call.method} {call.path}")
        return Answer(404, {"message": "404: Not Found", "code": 0})

    def _is_over_limits(self, call: Call) -> bool:
        """Whether what is sent is nothing that Discord takes."""
        if not isinstance(call.body, dict) or not re.search(r"/(callback|messages(/[^/]+)?|webhooks/.*)$", call.path):
            return False
        body = call.body
        if call.path.endswith("callback"):
            body = {} if call.body["type"] in (5, 6) else call.body.get("data") or {}
        broken = Limits(body).broken if body else []
        self.over_limits += [f"{call.method} {call.path[-40:]}: {what}" for what in broken]
        return bool(broken)

    def _callback(self, call: Call, id: str) -> Answer:
        reply = self.replies.get(id)
        if reply is None or self.clock.elapsed() - reply.sent_at > 3.0 * max(1.0, self.clock.speed):
            return unknown("interaction", 10062)
        if reply.kind is not None:
            return Answer(400, {"message": "Interaction has already been acknowledged.", "code": 40060})
        reply.kind = call.body["type"]
        reply.body = dict(call.body.get("data") or {})
        reply.message_id = self.snowflake()
        reply.first.set()
        if call.query.get("with_response") == "true":
            return Answer(200, {"interaction": {"id": id, "type": 2}})
        return Answer(204)

    def _webhook(self, call: Call, token: str, rest: list[str]) -> Answer:
        reply = next((r for r in self.replies.values() if r.token == token), None)
        if reply is None or reply.kind is None:
            return unknown("Webhook", 10015)
        if self.clock.elapsed() - reply.sent_at > 900:
            return Answer(401, {"message": "Invalid Webhook Token", "code": 50027})
        if call.method == "POST":
            reply.followups.append(dict(call.body))
            return Answer(200, self._message_json(self.snowflake(), reply.channel, call.body))
        if call.method == "DELETE":
            reply.body = {}
            return Answer(204)
        if call.method == "PATCH" and reply.kind == 6 and reply.where is not None:
            self._updated(reply.where, {**reply.where.body, **call.body})
        if call.method == "PATCH":
            reply.body = {**reply.body, **call.body}
        return Answer(200, self._message_json(reply.message_id, reply.channel, reply.body))

    def _channel(self, call: Call, channel: str, rest: list[str]) -> Answer:
        if channel not in self.channels:
            return unknown("Channel", 10003)
        if channel in self.forums and call.method == "POST":
            return Answer(400, {"message": "Cannot send messages in a non-text channel", "code": 50008})
        thread = self.threads.get(channel)
        if thread and thread.archived and call.method == "PATCH":
            return Answer(400, {"message": "Thread is archived", "code": 50083})
        if thread and call.method == "POST" and rest == ["messages"]:
            thread.archived = False  # a message opens it again
        match call.method, rest:
            case "GET", []:
                return Answer(200, self._channel_json(channel))
            case "POST", ["messages"]:
                return self._post(call, channel)
            case "GET", ["messages"]:
                found = [m for m in reversed(self.messages) if m.channel == channel and not m.deleted]
                if "before" in call.query:
                    found = [m for m in found if int(m.id) < int(call.query["before"])]
                if "after" in call.query:
                    found = [m for m in found if int(m.id) > int(call.query["after"])]
                return Answer(
                    200, [self._message_json(m.id, channel, m.body) for m in found[: int(call.query.get("limit", 50))]]
                )
            case (("GET" | "PATCH" | "DELETE"), ["messages", id]):
                message = next((m for m in self.messages if m.id == id and not m.deleted), None)
                if message is None:
                    return unknown("Message", 10008)
                if call.method == "DELETE":
                    message.deleted = True
                    return Answer(204)
                if call.method == "PATCH":
                    message.body = {**message.body, **call.body}
                    message.edits.append((self.clock.elapsed(), call.body))
                    message.versions.append((self.clock.elapsed(), message.body))
                return Answer(200, self._message_json(id, channel, message.body))
            case "POST", ["typing"]:
                return Answer(204)
        self.unknown.append(f"{call.method} {call.path}")
        return Answer(404, {"message": "404: Not Found", "code": 0})

    def _post(self, call: Call, channel: str) -> Answer:
        body, nonce = call.body, call.body.get("nonce")
        if nonce is not None and len(str(nonce)) > 25:
            return Answer(400, {"message": "Invalid Form Body", "code": 50035})
        if body.get("enforce_nonce") and nonce is not None:
            same = next(
                (
                    m
                    for m in self.messages
                    if m.nonce == str(nonce) and m.channel == channel and self.clock.elapsed() - m.at < NONCE_MEMORY
                ),
                None,
            )
            if same is not None:
                return (
                    unknown("Message", 10008)
                    if same.deleted
                    else Answer(200, self._message_json(same.id, channel, same.body))
                )
        message = Message(
            self.snowflake(), channel, dict(body), self.clock.elapsed(), str(nonce) if nonce is not None else None
        )
        message.versions.append((message.at, message.body))
        self.messages.append(message)
        return Answer(200, self._message_json(message.id, channel, body))

    # -- JSON -----------------------------------------------------------------------------------

    def _user_json(self, person: Person) -> Json:
        return {
            "id": person.id,
            "username": person.name,
            "discriminator": "0",
            "global_name": person.name.title(),
            "avatar": None,
            "public_flags": 0,
            "bot": False,
            "clan": None,
            "avatar_decoration_data": None,
            **person.odd_user,
        }

    def _bot_user(self) -> Json:
        return {
            "id": self.application,
            "username": "snapshots",
            "discriminator": "0001",
            "global_name": None,
            "avatar": None,
            "bot": True,
            "mfa_enabled": False,
            "verified": True,
            "email": None,
            "flags": 0,
            "public_flags": 0,
            "locale": "en-US",
            **self.bot_user_extra,
        }

    def _bot_member(self) -> Json:
        return {
            "user": self._bot_user(),
            "roles": ["400000000000000009"],
            "nick": None,
            "avatar": None,
            "deaf": False,
            "mute": False,
            "flags": 0,
            "pending": False,
            "joined_at": "2023-01-01T00:00:00.000000+00:00",
            "premium_since": None,
        }

    def _application_json(self) -> Json:
        return {
            "id": self.application,
            "name": "snapshots",
            "icon": None,
            "description": "",
            "bot_public": False,
            "bot_require_code_grant": False,
            "verify_key": "00",
            "flags": 0,
            "team": None,
            "owner": self._user_json(Person("200000000000000999", "owner")),
            "summary": "",
        }

    def _channel_json(self, channel: str) -> Json:
        thread = self.threads.get(channel)
        metadata = {
            "archived": bool(thread and thread.archived),
            "auto_archive_duration": 60,
            "locked": False,
            "archive_timestamp": "2026-01-01T00:00:00+00:00",
        }
        return {
            "id": channel,
            "type": self._kind(channel),
            **({"thread_metadata": metadata} if thread else {}),
            "guild_id": self.channels.get(channel),
            "name": f"ops-{channel[-1]}",
            "position": 0,
            "flags": 0,
            "permission_overwrites": [],
            "nsfw": False,
            "topic": None,
            "rate_limit_per_user": 0,
            "parent_id": thread.parent if thread else None,
            "last_message_id": None,
        }

    def _guild_json(self, guild: str, whole: bool = False) -> Json:
        role = {
            "color": 0,
            "hoist": False,
            "icon": None,
            "unicode_emoji": None,
            "position": 0,
            "managed": False,
            "mentionable": False,
            "flags": 0,
            "colors": {"primary_color": 0, "secondary_color": None, "tertiary_color": None},
        }
        roles = [
            {**role, "id": guild, "name": "@everyone", "permissions": str(BASIC)},
            *(
                {**role, "id": f"40000000000000000{n}", "name": name, "permissions": "0"}
                for n, name in ((1, "take"), (2, "restore"), (3, "view"))
            ),
            {**role, "id": "400000000000000004", "name": "oncall", "permissions": "0", "mentionable": True},
            {**role, "id": ADMIN_ROLE, "name": "admin", "permissions": str(ADMINISTRATOR)},
            {**role, "id": "400000000000000009", "name": "snapshots", "permissions": str(BOT_RIGHTS), "managed": True},
        ]
        body = {
            "id": guild,
            "name": "Guild",
            "icon": None,
            "icon_hash": None,
            "splash": None,
            "discovery_splash": None,
            "owner_id": "200000000000000999",
            "afk_channel_id": None,
            "afk_timeout": 300,
            "verification_level": 0,
            "default_message_notifications": 1,
            "explicit_content_filter": 0,
            "roles": roles,
            "emojis": [],
            "features": [],
            "mfa_level": 0,
            "application_id": None,
            "system_channel_id": None,
            "system_channel_flags": 0,
            "rules_channel_id": None,
            "max_members": 500000,
            "vanity_url_code": None,
            "description": None,
            "banner": None,
            "premium_tier": 0,
            "premium_subscription_count": 0,
            "preferred_locale": "en-US",
            "public_updates_channel_id": None,
            "max_video_channel_users": 25,
            "max_stage_video_channel_users": 50,
            "nsfw_level": 0,
            "nsfw": False,
            "stickers": [],
            "premium_progress_bar_enabled": False,
            "safety_alerts_channel_id": None,
            "incidents_data": None,
            "widget_enabled": False,
        }
        if whole:
            body |= {
                "joined_at": "2023-01-01T00:00:00.000000+00:00",
                "large": False,
                "unavailable": False,
                "member_count": 5,
                "voice_states": [],
                "members": [self._bot_member()],
                "channels": [self._channel_json(c) for c, g in self.channels.items() if g == guild],
                "threads": [],
                "presences": [],
                "stage_instances": [],
                "guild_scheduled_events": [],
                "soundboard_sounds": [],
            }
        return body

    def _message_json(self, id: str, channel: str, body: dict[str, Json]) -> Json:
        rows = body.get("components") or []
        return {
            "id": id,
            "channel_id": channel,
            "author": self._bot_user(),
            "content": body.get("content") or "",
            "type": 0,
            "tts": False,
            "timestamp": "2026-01-01T00:00:00.000000+00:00",
            "edited_timestamp": None,
            "mention_everyone": False,
            "mentions": [],
            "mention_roles": [],
            "attachments": [],
            "embeds": [{"type": "rich", **e} for e in body.get("embeds") or []],
            "pinned": False,
            "components": rows,
            "flags": body.get("flags", 0),
            "nonce": body.get("nonce"),
            "webhook_id": None,
        }

    def _ready_json(self, session: str) -> Json:
        return {
            "v": 10,
            "user": self._bot_user(),
            "user_settings": {},
            "relationships": [],
            "private_channels": [],
            "presences": [],
            "guilds": [{"id": g, "unavailable": True} for g in self.guilds],
            "session_id": session,
            "session_type": "normal",
            "resume_gateway_url": self.gateway_url,
            "shard": [0, 1],
            "application": {"id": self.application, "flags": 0},
            "guild_join_requests": [],
            "geo_ordered_rtc_regions": [],
            "_trace": [],
        }


def unknown(what: str, code: int) -> Answer:
    return Answer(404, {"message": f"Unknown {what}", "code": code})
