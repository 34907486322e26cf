"""What both vendors share: a journal of calls, faults that meddle with them, and cut connections."""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from .clock import Clock

Json = Any


class Cut(Exception):
    """The connection ends without an answer."""


@dataclass
class Answer:
    status: int
    body: Json = None
    headers: dict[str, str] = field(default_factory=dict)
    html: str | None = None


@dataclass
class Call:
    number: int
    at: float
    service: str
    method: str
    path: str
    query: dict[str, str]
    body: Json
    token: str
    status: int | None = None
    answer: Json = None

    @property
    def action(self) -> str | None:
        """The type of the Droplet Action that this call asks for."""
        if self.method == "POST" and self.path.endswith("/actions") and isinstance(self.body, dict):
            return self.body.get("type")
        return None

    def is_(self, method: str, path: str) -> bool:
        return self.method == method and re.fullmatch(path, self.path) is not None

    def __str__(self) -> str:
        query = "?" + "&".join(f"{k}={v}" for k, v in self.query.items()) if self.query else ""
        body = "" if self.body is None else " " + json.dumps(self.body, ensure_ascii=False)[:300]
        return f"{self.at:7.2f}s {self.service} {self.method} {self.path}{query}{body} -> {self.status or 'cut'}"


Run = Callable[[], Awaitable[Answer]]
Effect = Callable[[Call, Run], Awaitable[Answer]]
When = Callable[[Call], bool]


@dataclass
class Fault:
    when: When
    effect: Effect
    times: int | None = None
    skip: int = 0

    def takes(self, call: Call) -> bool:
        if self.times == 0 or not self.when(call):
            return False
        if self.skip > 0:
            self.skip -= 1
            return False
        if self.times is not None:
            self.times -= 1
        return True


def answering(status: int, body: Json = None, **headers: str) -> Effect:
    named = {name.replace("_", "-"): value for name, value in headers.items()}

    async def effect(_: Call, __: Run) -> Answer:
        return Answer(status, body, named)

    return effect


def refuse_json(status: int, message: Json, headers: dict[str, str]) -> Answer:
    return Answer(status, {"id": "error", "message": message}, headers)


def page(status: int, title: str = "Attention Required! | Cloudflare") -> Effect:
    """A proxy's page, of any status, in place of the vendor's JSON."""

    async def effect(_: Call, __: Run) -> Answer:
        return Answer(
            status, html=f"<!DOCTYPE html><html><head><title>{title}</title></head><body>{title}</body></html>"
        )

    return effect


async def cut_before(_: Call, __: Run) -> Answer:
    raise Cut


async def cut_after(_: Call, run: Run) -> Answer:
    await run()
    raise Cut


def rewriting(change: Callable[[Json], None]) -> Effect:
    async def effect(_: Call, run: Run) -> Answer:
        answer = await run()
        answer.body = json.loads(json.dumps(answer.body))
        change(answer.body)
        return answer

    return effect


def each_object(key: str, change: Callable[[dict[str, Json]], None]) -> Callable[[Json], None]:
    """Applies `change` to `{key: {...}}` and to every item of `{key + "s": [...]}`."""

    def visit(body: Json) -> None:
        if isinstance(body, dict):
            if isinstance(body.get(key), dict):
                change(body[key])
            for item in body.get(key + "s") or []:
                if isinstance(item, dict):
                    change(item)

    return visit


class Service:
    """An HTTP server whose every call is written down, and may be meddled with."""

    name = "?"

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.calls: list[Call] = []
        self.faults: list[Fault] = []
        self.unknown: list[str] = []
        self.before_call: Callable[[Call], None] = lambda call: None
        self.after_call: Callable[[Call], None] = lambda call: None

    def fault(self, when: When, effect: Effect, times: int | None = None, skip: int = 0) -> Fault:
        fault = Fault(when, effect, times, skip)
        self.faults.append(fault)
        return fault

    def heal(self) -> None:
        self.faults.clear()

    def posts(self, action: str) -> list[Call]:
        return [call for call in self.calls if call.action == action]

    async def answer(self, call: Call) -> Answer:
        raise NotImplementedError

    async def handle(self, request: web.Request) -> web.StreamResponse:
        raw = await request.read()
        try:
            body = json.loads(raw) if raw else None
        except ValueError:
            body = raw.decode(errors="replace")
        token = request.headers.get("authorization", "").split(" ")[-1]
        call = Call(
            len(self.calls),
            self.clock.elapsed(),
            self.name,
            request.method,
            request.path,
            dict(request.query),
            body,
            token,
        )
        self.calls.append(call)
        try:
            self.before_call(call)
            answer = await self._meddled(call)
            self.after_call(call)
        except Cut:
            if request.transport is not None:
                request.transport.abort()
            return web.Response(status=500)
        call.status, call.answer = answer.status, answer.body
        headers = {"Date": self.clock.http_date(), **answer.headers}
        if answer.html is not None:
            return web.Response(status=answer.status, text=answer.html, content_type="text/html", headers=headers)
        if answer.body is None:
            return web.Response(status=answer.status, headers=headers)
        return web.json_response(answer.body, status=answer.status, headers=headers)

    async def _meddled(self, call: Call) -> Answer:
        for fault in self.faults:
            if fault.takes(call):
                return await fault.effect(call, lambda: self.answer(call))
        return await self.answer(call)
