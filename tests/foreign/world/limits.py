"""Discord's limits on what is sent, as documented: what it would answer 400 to."""

from __future__ import annotations

from typing import Any

Body = dict[str, Any]


def length(text: object) -> int:
    """As Discord counts: in UTF-16 code units."""
    return len(str(text or "").encode("utf-16-le")) // 2


class Limits:
    """Reads one message, form or list of suggestions, and keeps what is wrong with it in `broken`."""

    def __init__(self, body: Body) -> None:
        self.broken: list[str] = []
        self._within("content", body.get("content"), 2000)
        self._embeds(body.get("embeds") or [])
        self._rows(body.get("components") or [])
        self._mentions(body.get("allowed_mentions") or {})
        choices = body.get("choices")
        self._check(len(choices or []) <= 25, f"{len(choices or [])} choices")
        for choice in choices or []:
            self._within("choice", choice["name"], 100, 1)
            self._within("choice value", choice["value"], 100, 1)
        if body.get("title") is not None:
            self._within("form title", body["title"], 45, 1)
        says_something = any(body.get(key) for key in ("content", "embeds", "components", "title", "attachments"))
        self._check(says_something or choices is not None, "empty")

    def _check(self, holds: bool, what: str) -> None:
        if not holds:
            self.broken.append(what)

    def _within(self, what: str, text: object, most: int, least: int = 0) -> None:
        self._check(least <= length(text) <= most, f"{what}: {length(text)} not in {least}..{most}: {str(text)[:80]!r}")

    def _embeds(self, embeds: list[Body]) -> None:
        self._check(len(embeds) <= 10, f"{len(embeds)} embeds")
        total = 0
        for embed in embeds:
            footer = (embed.get("footer") or {}).get("text")
            for what, text, most in (
                ("title", embed.get("title"), 256),
                ("description", embed.get("description"), 4096),
                ("footer", footer, 2048),
            ):
                self._within(what, text, most)
                total += length(text)
            for field in embed.get("fields") or []:
                self._within("field", field.get("name"), 256, 1)
                self._within("field value", field.get("value"), 1024, 1)
                total += length(field.get("name")) + length(field.get("value"))
        self._check(total <= 6000, f"embeds of {total} in all")

    def _rows(self, rows: list[Body]) -> None:
        self._check(len(rows) <= 5, f"{len(rows)} rows")
        ids: list[str] = []
        for row in rows:
            items = row.get("components") or []
            self._check(1 <= len(items) <= 5, f"a row of {len(items)}")
            for item in items:
                if item.get("custom_id") is not None:
                    self._within("custom_id", item["custom_id"], 100, 1)
                    ids.append(item["custom_id"])
                match item["type"]:
                    case 2:
                        self._within("label", item.get("label"), 80, 1)
                        self._within("url", item.get("url"), 512)
                    case 3:
                        self._menu(item)
                    case 4:
                        self._within("input label", item.get("label"), 45, 1)
                        self._within("input value", item.get("value"), 4000)
                        self._within("input placeholder", item.get("placeholder"), 100)
        self._check(len(set(ids)) == len(ids), f"doubled custom ids {ids}")

    def _menu(self, menu: Body) -> None:
        options = menu.get("options") or []
        self._check(1 <= len(options) <= 25, f"{len(options)} options")
        self._within("menu placeholder", menu.get("placeholder"), 150)
        self._check(len({o["value"] for o in options}) == len(options), "doubled option values")
        for option in options:
            self._within("option label", option.get("label"), 100, 1)
            self._within("option value", option.get("value"), 100, 1)
            if option.get("description") is not None:
                self._within("option description", option["description"], 100, 1)
        least, most = menu.get("min_values", 1), menu.get("max_values", 1)
        self._check(1 <= most <= len(options) and least <= most, f"{least} to {most} of {len(options)} options")

    def _mentions(self, mentions: Body) -> None:
        for whom in ("users", "roles"):
            named = [str(id) for id in mentions.get(whom) or []]
            self._check(len(named) <= 100 and len(set(named)) == len(named), f"{whom} in allowed_mentions: {named}")
