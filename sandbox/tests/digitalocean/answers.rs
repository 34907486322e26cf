//! Every route of the simulated API, and every kind of refusal, checked against the specification.
//!
//! The specification is read from `SPEC_DIR`; without it these tests are skipped.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use snapshot_bot_sandbox::digitalocean::{
    droplet::{Blueprint, Status},
    fault::{Disturbance, Fault, Pattern},
    http_types::{Answer, Method, Request},
    limits::Limits,
    scopes::Scopes,
    settings::Settings,
    world::{TOKEN, World},
};

use super::contract::Contract;

/// The number of routes in the sandbox. Each must be called, so a new one must be added below.
const ROUTES: usize = 36;

const HOUR: SignedDuration = SignedDuration::from_hours(1);

/// A world whose answers are each checked against the specification.
struct Hearing {
    contract: Contract,
    world: World,
    now: Timestamp,
    heard: BTreeSet<String>,
}

impl Hearing {
    fn ask(&mut self, method: Method, path: &str, body: &Value, status: u16) -> Value {
        let request = Request::new(method, path).bearer(TOKEN);
        let request = if body.is_null() { request } else { request.json(body) };
        let answer = self.world.handle(&request, self.now);
        assert_eq!(answer.status, status, "{method} {path}: {}", answer.json());
        self.heard.insert(self.contract.hold(&request, &answer));
        answer.json()
    }

    fn get(&mut self, path: &str) -> Value {
        self.ask(Method::Get, path, &Value::Null, 200)
    }

    fn post(&mut self, path: &str, body: &Value, status: u16) -> Value {
        self.ask(Method::Post, path, body, status)
    }

    fn delete(&mut self, path: &str, status: u16) {
        self.ask(Method::Delete, path, &Value::Null, status);
    }

    fn wait(&mut self) {
        self.now += HOUR;
    }
}

#[test]
fn every_answer_is_one_that_the_specification_allows() {
    let Some(contract) = Contract::read() else { return };
    let now = Timestamp::from_second(1_790_000_000).unwrap();
    let mut world = World::new(Settings::default(), now);
    let droplet = world.add_droplet(&Blueprint::named("web-1").tag("env:prod").volume("data", 100).backups());
    let others = world.add_droplets(&Blueprint::named("game").tag("env:prod").status(Status::Off), 44);
    let snapshot = world.add_snapshot(droplet, "before", 12.4);
    let backup = world.add_backup(droplet, "nightly", 12.4);
    let kept = world.add_backup(droplet, "weekly", 12.4);
    let mut hearing = Hearing { contract, world, now, heard: BTreeSet::new() };
    let path = format!("/v2/droplets/{droplet}");
    let actions = format!("{path}/actions");

    for path in
        ["/v2/account", "/v2/account/keys", "/v2/regions", "/v2/sizes?per_page=2&page=2", "/v2/images", "/v2/tags"]
    {
        hearing.get(path);
    }
    let key = hearing.get("/v2/account/keys")["ssh_keys"][0].clone();
    hearing.get(&format!("/v2/account/keys/{}", key["fingerprint"].as_str().unwrap()));
    let volume = hearing.get("/v2/volumes?region=nyc3")["volumes"][0]["id"].clone();
    hearing.get(&format!("/v2/volumes/{}", volume.as_str().unwrap()));
    hearing.get("/v2/images/ubuntu-24-04-x64");
    hearing.get(&format!("/v2/images/{snapshot}"));
    for page in 1..=3 {
        hearing.get(&format!("/v2/droplets?page={page}"));
    }
    hearing.get("/v2/droplets?tag_name=env:prod&per_page=200");
    hearing.get(&path);
    hearing.get(&format!("{path}/backups"));
    hearing.get(&format!("{path}/backups/policy"));
    hearing.get("/v2/droplets/backups/policies");
    hearing.get("/v2/droplets/backups/supported_policies");
    let image_actions = format!("/v2/images/{kept}/actions");
    let action = hearing.post(&image_actions, &json!({"type": "convert"}), 201)["action"]["id"].clone();
    hearing.wait();
    hearing.get(&image_actions);
    hearing.get(&format!("{image_actions}/{action}"));

    hearing.post(&actions, &json!({"type": "snapshot", "name": "now"}), 201);
    hearing.post(&actions, &json!({"type": "shutdown"}), 422);
    hearing.get("/v2/actions");
    hearing.wait();
    for body in [
        json!({"type": "shutdown"}),
        json!({"type": "power_on"}),
        json!({"type": "reboot"}),
        json!({"type": "power_cycle"}),
        json!({"type": "power_off"}),
        json!({"type": "restore", "image": snapshot}),
        json!({"type": "restore", "image": backup}),
        json!({"type": "rebuild", "image": "ubuntu-24-04-x64"}),
        json!({"type": "rename", "name": "web-9"}),
        json!({"type": "resize", "size": "s-1vcpu-2gb"}),
        json!({"type": "disable_backups"}),
        json!({"type": "enable_backups"}),
        json!({"type": "change_backup_policy", "backup_policy": {"plan": "weekly", "weekday": "MON", "hour": 4}}),
        json!({"type": "password_reset"}),
        json!({"type": "enable_ipv6"}),
    ] {
        let action = hearing.post(&actions, &body, 201)["action"]["id"].clone();
        hearing.wait();
        hearing.get(&format!("{actions}/{action}"));
        hearing.get(&format!("/v2/actions/{action}"));
    }
    hearing.get(&actions);
    hearing.get(&format!("{path}/snapshots"));
    hearing.get("/v2/snapshots?resource_type=droplet&per_page=1");
    hearing.get(&format!("/v2/snapshots/{snapshot}"));
    hearing.post("/v2/droplets/actions?tag_name=env:prod", &json!({"type": "power_on"}), 201);

    let order = json!({"name": "web-2", "region": "nyc3", "size": "s-1vcpu-2gb", "image": snapshot, "tags": ["op:1"], "ssh_keys": [key["id"]]});
    let made = hearing.post("/v2/droplets", &order, 202)["droplet"]["id"].clone();
    hearing.post(
        "/v2/droplets",
        &json!({"names": ["a", "b"], "size": "s-1vcpu-1gb", "image": "ubuntu-24-04-x64"}),
        202,
    );
    hearing.wait();
    hearing.post("/v2/tags", &json!({"name": "later"}), 201);
    let resources = json!({"resources": [{"resource_id": made.to_string(), "resource_type": "droplet"}]});
    hearing.post("/v2/tags/later/resources", &resources, 204);
    hearing.get("/v2/tags/later");
    hearing.ask(Method::Delete, "/v2/tags/later/resources", &resources, 204);
    hearing.delete(&format!("/v2/droplets/{made}"), 204);
    hearing.delete(&format!("/v2/snapshots/{snapshot}"), 204);
    hearing.delete(&format!("/v2/images/{kept}"), 204);
    hearing.ask(Method::Get, &format!("/v2/images/{backup}"), &Value::Null, 404);

    hearing.delete(&format!("/v2/snapshots/{snapshot}"), 404);
    hearing.ask(Method::Get, "/v2/droplets/1", &Value::Null, 404);
    hearing.post(&actions, &json!({"type": "explode"}), 422);
    hearing.post("/v2/tags", &json!({"name": "not a tag"}), 422);
    hearing.delete(&format!("/v2/snapshots/{}", hearing.world.settings().first_id), 400);
    // Answers to a token with few scopes are not checked: the specification requires the very fields that are then withheld.
    hearing.world.add_token(TOKEN, Scopes::only(["account:read"]));
    hearing.post(&format!("/v2/droplets/{}/actions", others[0]), &json!({"type": "power_on"}), 403);
    hearing.world.settings_mut().limits = Limits { hourly: 1, burst: 1, keys: 1 };
    hearing.ask(Method::Get, "/v2/account", &Value::Null, 429);
    hearing.world.add_fault(Fault::once(Pattern::any(), Disturbance::Down));
    hearing.ask(Method::Get, "/v2/account", &Value::Null, 503);
    hearing.world.revoke_token(TOKEN);
    hearing.ask(Method::Get, "/v2/account", &Value::Null, 401);
    let served = hearing.heard.iter().filter(|heard| heard.contains(" 20")).count();
    assert_eq!(served, ROUTES, "routes that were heard: {:#?}", hearing.heard);
}

#[test]
fn a_wrong_answer_does_not_pass_the_specification() {
    let Some(contract) = Contract::read() else { return };
    let mut world = World::new(Settings::default(), Timestamp::UNIX_EPOCH);
    world.add_droplet(&Blueprint::named("web-1"));
    let request = Request::new(Method::Get, "/v2/droplets").bearer(TOKEN);
    let right = world.handle(&request, Timestamp::UNIX_EPOCH);
    contract.hold(&request, &right);
    for (pointer, wrong) in
        [("/droplets/0/status", json!("asleep")), ("/droplets/0/id", json!("7")), ("/meta", json!({}))]
    {
        let mut body = right.json();
        *body.pointer_mut(pointer).unwrap() = wrong;
        let answer = Answer { body: body.to_string().into_bytes(), ..right.clone() };
        let held = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| contract.hold(&request, &answer)));
        assert!(held.is_err(), "{pointer}");
    }
}
