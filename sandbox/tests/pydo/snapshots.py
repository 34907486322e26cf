"""Drives the simulated DigitalOcean with DigitalOcean's own client, which nobody here wrote.

Usage: snapshots.py [ENDPOINT [TOKEN]]   (or DIGITALOCEAN_API_URL and DIGITALOCEAN_TOKEN)

Needs `pip install -r requirements.txt` and an account with at least two Droplets, the first of which is idle. Lists Droplets page by page,
takes a Snapshot and follows its Action, lists Snapshots and deletes the new one. Exits 0 only if all of it went well.
"""

import os
import sys
import time

from azure.core.exceptions import HttpResponseError
from azure.core.pipeline.policies import SansIOHTTPPolicy
from pydo import Client

DEADLINE = 60.0


class LoopbackWithoutTls(SansIOHTTPPolicy):
    """azure-core sends bearer tokens over https only unless it is told otherwise; the sandbox is plain http on loopback."""

    def on_request(self, request):
        request.context.options["enforce_https"] = False


def connect(endpoint, token):
    return Client(token=token, endpoint=endpoint, per_call_policies=[LoopbackWithoutTls()])


def pages(fetch, key, per_page):
    """Everything that a paged list holds, followed by `links.pages.next` as pydo's manual shows it."""
    page, found = 1, []
    while True:
        answer = fetch(per_page=per_page, page=page)
        found.extend(answer[key])
        if "next" not in answer.get("links", {}).get("pages", {}):
            assert len(found) == answer["meta"]["total"], "a page was lost"
            return found
        page += 1


def wait(what, look):
    """Looks again until there is something."""
    began = time.monotonic()
    while time.monotonic() - began < DEADLINE:
        found = look()
        if found:
            return found
        time.sleep(0.05)
    raise SystemExit(f"gave up waiting for {what}")


def refused(status, call):
    """The call must be refused with this status."""
    try:
        call()
    except HttpResponseError as error:
        assert error.status_code == status, error
    else:
        raise SystemExit(f"expected a refusal with {status}")


def main():
    endpoint = sys.argv[1] if len(sys.argv) > 1 else os.environ["DIGITALOCEAN_API_URL"]
    token = sys.argv[2] if len(sys.argv) > 2 else os.environ["DIGITALOCEAN_TOKEN"]
    client = connect(endpoint, token)

    droplets = pages(client.droplets.list, "droplets", 2)
    assert len({droplet["id"] for droplet in droplets}) == len(droplets) >= 2
    print(f"droplets: {len(droplets)}")

    droplet = droplets[0]["id"]
    name = f"pydo-{droplet}"
    begun = client.droplet_actions.post(droplet, body={"type": "snapshot", "name": name})["action"]
    assert (begun["status"], begun["type"]) == ("in-progress", "snapshot"), begun
    refused(422, lambda: client.droplet_actions.post(droplet, body={"type": "reboot"}))

    def ended():
        action = client.actions.get(begun["id"])["action"]
        return action if action["status"] != "in-progress" else None

    action = wait("the snapshot's Action", ended)
    assert action["status"] == "completed" and action["completed_at"], action
    print(f"action: {action['status']}")

    def listed():
        snapshots = pages(lambda **page: client.snapshots.list(resource_type="droplet", **page), "snapshots", 1)
        return next((snapshot for snapshot in snapshots if snapshot["name"] == name), None)

    snapshot = wait("the Snapshot in the list", listed)
    assert snapshot["created_at"] == action["started_at"], snapshot
    assert snapshot["size_gigabytes"] > 0 and snapshot["resource_id"] == str(droplet), snapshot
    under = client.droplets.list_snapshots(droplet)["snapshots"]
    assert int(snapshot["id"]) in [other["id"] for other in under], under
    print(f"snapshot: {snapshot['size_gigabytes']} GB")

    client.snapshots.delete(snapshot["id"])
    assert listed() is None
    # pydo hands a documented 404's body back instead of raising it.
    assert client.snapshots.get(snapshot["id"])["id"] == "not_found"
    refused(401, lambda: connect(endpoint, "wrong").account.get())
    print("done")


if __name__ == "__main__":
    main()
