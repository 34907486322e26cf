//! What the simulated world promises, each promise a test: it is what other tests lean on.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::{
    action::{Kind, Progress},
    droplet::{Blueprint, Status},
    exchange::{Answer, Delivery, Method, Request},
    fault::{Disturbance, Fault, HungAction, Pattern, Quirk},
    image::SizeShown,
    limits::Limits,
    mangle::Malformation,
    scopes::Scopes,
    settings::{Durations, PowerAfterRestore, Settings},
    world::{TOKEN, World},
};

/// A world with one running Droplet, in which every Action takes ten seconds, and its clock.
struct Bench {
    world: World,
    droplet: u64,
    now: Timestamp,
}

fn seconds(seconds: i64) -> SignedDuration {
    SignedDuration::from_secs(seconds)
}

impl Bench {
    fn new() -> Self {
        Self::with(Settings { off_lag: seconds(0), listing_delay: seconds(0), ..Settings::default() })
    }

    fn with(settings: Settings) -> Self {
        let now = Timestamp::from_second(1_790_000_000).unwrap();
        let mut world = World::new(Settings { durations: Durations::all(seconds(10)), ..settings }, now);
        let droplet = world.add_droplet(&Blueprint::named("web-1").tag("prod"));
        Self { world, droplet, now }
    }

    fn ask(&mut self, method: Method, path: &str, body: &Value) -> Answer {
        let request = Request::new(method, path).bearer(TOKEN);
        let request = if body.is_null() { request } else { request.json(body) };
        self.world.handle(&request, self.now)
    }

    fn get(&mut self, path: &str) -> Value {
        let answer = self.ask(Method::Get, path, &Value::Null);
        assert_eq!(answer.status, 200, "{path}: {}", answer.json());
        answer.json()
    }

    fn act(&mut self, body: &Value) -> Answer {
        let path = format!("/v2/droplets/{}/actions", self.droplet);
        self.ask(Method::Post, &path, body)
    }

    /// Begins an Action that must begin.
    fn begin(&mut self, kind: &str) -> u64 {
        let answer = self.act(&json!({"type": kind, "name": "snap"}));
        assert_eq!(answer.status, 201, "{kind}: {}", answer.json());
        answer.json()["action"]["id"].as_u64().unwrap()
    }

    fn wait(&mut self, by: i64) {
        self.now += seconds(by);
        self.world.advance(self.now);
    }

    fn status(&mut self) -> Value {
        let path = format!("/v2/droplets/{}", self.droplet);
        self.get(&path)["droplet"]["status"].clone()
    }

    fn action_status(&mut self, id: u64) -> Value {
        self.get(&format!("/v2/actions/{id}"))["action"]["status"].clone()
    }

    fn refused(answer: &Answer, status: u16, message: &str) {
        assert_eq!(answer.status, status, "{}", answer.json());
        assert_eq!(answer.json()["message"], message);
    }
}

#[test]
fn an_action_runs_for_its_time_and_the_droplet_is_off_after_a_shutdown() {
    let mut bench = Bench::new();
    let action = bench.begin("shutdown");
    bench.wait(9);
    assert_eq!((bench.action_status(action), bench.status()), (json!("in-progress"), json!("active")));
    bench.wait(1);
    assert_eq!((bench.action_status(action), bench.status()), (json!("completed"), json!("off")));
}

#[test]
fn an_action_may_be_completed_while_the_droplet_still_reads_active() {
    let mut bench = Bench::with(Settings { off_lag: seconds(5), ..Settings::default() });
    let action = bench.begin("shutdown");
    bench.wait(12);
    assert_eq!((bench.action_status(action), bench.status()), (json!("completed"), json!("active")));
    bench.wait(3);
    assert_eq!(bench.status(), "off");
}

#[test]
fn only_one_event_is_pending_at_a_time() {
    let mut bench = Bench::new();
    bench.begin("snapshot");
    Bench::refused(&bench.act(&json!({"type": "shutdown"})), 422, "Droplet already has a pending event.");
    let path = format!("/v2/droplets/{}", bench.droplet);
    assert_eq!(bench.get(&path)["droplet"]["locked"], true);
    bench.wait(10);
    assert_eq!(bench.get(&path)["droplet"]["locked"], false);
    bench.begin("shutdown");
}

#[test]
fn power_that_is_so_already_is_refused() {
    let mut bench = Bench::new();
    Bench::refused(&bench.act(&json!({"type": "power_on"})), 422, "Droplet is already powered on");
    bench.world.turn_off(bench.droplet);
    for kind in ["shutdown", "power_off"] {
        Bench::refused(&bench.act(&json!({"type": kind})), 422, "Droplet is already powered off");
    }
    assert!(bench.world.rejections().is_empty());
}

#[test]
fn a_snapshot_is_listed_late_with_its_actions_start_as_its_own() {
    let mut bench = Bench::with(Settings { listing_delay: seconds(30), ..Settings::default() });
    let action = bench.begin("snapshot");
    bench.wait(39);
    assert_eq!(bench.get("/v2/snapshots")["meta"]["total"], 0);
    bench.wait(1);
    let listed = bench.get("/v2/snapshots?resource_type=droplet")["snapshots"][0].clone();
    let started = bench.get(&format!("/v2/actions/{action}"))["action"]["started_at"].clone();
    assert_eq!(listed["created_at"], started);
    assert_eq!((&listed["name"], &listed["size_gigabytes"]), (&json!("snap"), &json!(2.36)));
    assert!(listed["id"].is_string());
    let under = bench.get(&format!("/v2/droplets/{}/snapshots", bench.droplet))["snapshots"][0]["id"].clone();
    assert_eq!(under.to_string(), listed["id"].as_str().unwrap());
}

#[test]
fn a_deleted_snapshot_is_gone_everywhere() {
    let mut bench = Bench::new();
    let id = bench.world.add_snapshot(bench.droplet, "old", 1.0);
    let path = format!("/v2/snapshots/{id}");
    assert_eq!(bench.ask(Method::Delete, &path, &Value::Null).status, 204);
    assert_eq!(bench.ask(Method::Delete, &path, &Value::Null).status, 404);
    let droplet = bench.get(&format!("/v2/droplets/{}", bench.droplet));
    assert_eq!(droplet["droplet"]["snapshot_ids"], json!([]));
}

#[test]
fn a_restore_writes_the_disk_and_only_from_the_droplets_own_images() {
    let mut bench = Bench::with(Settings { power_after_restore: PowerAfterRestore::Off, ..Settings::default() });
    let own = bench.world.add_snapshot(bench.droplet, "own", 1.0);
    let other = bench.world.add_droplet(&Blueprint::named("other"));
    let foreign = bench.world.add_backup(other, "foreign", 1.0);
    let refused = bench.act(&json!({"type": "restore", "image": foreign}));
    Bench::refused(&refused, 422, "You specified an invalid image for Droplet creation.");
    assert_eq!(bench.act(&json!({"type": "restore", "image": own})).status, 201);
    bench.wait(10);
    let droplet = bench.world.droplet(bench.droplet).unwrap();
    assert_eq!((droplet.disk.image, droplet.disk.generation, droplet.disk.sound), (own, 1, true));
    assert_eq!(droplet.status, Status::Off);
}

#[test]
fn a_restore_that_errs_leaves_an_unsound_disk() {
    let mut bench = Bench::new();
    let own = bench.world.add_snapshot(bench.droplet, "own", 1.0);
    bench.world.add_fault(Fault::once(Pattern::action("restore"), Quirk::Err));
    let answer = bench.act(&json!({"type": "restore", "image": own}));
    bench.wait(10);
    assert_eq!(bench.action_status(answer.json()["action"]["id"].as_u64().unwrap()), "errored");
    assert!(!bench.world.droplet(bench.droplet).unwrap().disk.sound);
}

#[test]
fn the_way_under_the_droplet_forgets_when_an_action_completed() {
    let mut bench = Bench::new();
    let action = bench.begin("shutdown");
    bench.wait(10);
    let under = bench.get(&format!("/v2/droplets/{}/actions/{action}", bench.droplet));
    assert_eq!((&under["action"]["status"], &under["action"]["completed_at"]), (&json!("completed"), &Value::Null));
    assert!(bench.get(&format!("/v2/actions/{action}"))["action"]["completed_at"].is_string());
}

#[test]
fn an_unknown_or_missing_token_is_refused() {
    let mut bench = Bench::new();
    let request = Request::new(Method::Get, "/v2/account");
    Bench::refused(&bench.world.handle(&request, bench.now), 401, "Unable to authenticate you");
    bench.world.revoke_token(TOKEN);
    assert_eq!(bench.ask(Method::Get, "/v2/account", &Value::Null).status, 401);
}

#[test]
fn a_scope_that_is_missing_is_refused_or_hides_its_fields() {
    let mut bench = Bench::new();
    bench.world.add_token(TOKEN, Scopes::only(["droplet:read", "droplet:update"]));
    let droplet = bench.get(&format!("/v2/droplets/{}", bench.droplet))["droplet"].clone();
    for hidden in ["tags", "image", "snapshot_ids", "backup_ids", "volume_ids"] {
        assert!(droplet.get(hidden).is_none(), "{hidden}");
    }
    for body in [json!({"type": "snapshot", "name": "a"}), json!({"type": "restore", "image": 1})] {
        let answer = bench.act(&body);
        assert_eq!((answer.status, &answer.json()["id"]), (403, &json!("forbidden")));
    }
    assert_eq!(bench.act(&json!({"type": "shutdown"})).status, 201);
    for path in ["/v2/actions", "/v2/snapshots", "/v2/droplets?tag_name=prod", "/v2/account"] {
        assert_eq!(bench.ask(Method::Get, path, &Value::Null).status, 403, "{path}");
    }
}

#[test]
fn a_burst_is_told_when_to_come_back_and_an_hour_is_not() {
    let limits = Limits { hourly: 3, burst: 2, keys: 10 };
    let mut bench = Bench::with(Settings { limits, ..Settings::default() });
    bench.get("/v2/account");
    bench.get("/v2/account");
    let burst = bench.ask(Method::Get, "/v2/account", &Value::Null);
    assert_eq!(
        (burst.status, burst.header("retry-after"), burst.header("ratelimit-remaining")),
        (429, Some("60"), Some("0"))
    );
    bench.wait(60);
    bench.get("/v2/account");
    let hour = bench.ask(Method::Get, "/v2/account", &Value::Null);
    assert_eq!((hour.status, hour.header("retry-after")), (429, None));
    let reset = (bench.now - seconds(60) + seconds(3_600)).as_second().to_string();
    assert_eq!(hour.header("ratelimit-reset"), Some(reset.as_str()));
}

#[test]
fn every_answer_carries_limits_and_a_request_id() {
    let mut bench = Bench::new();
    for path in ["/v2/account", "/v2/nothing", "/v2/droplets/1"] {
        let answer = bench.ask(Method::Get, path, &Value::Null);
        for header in ["x-request-id", "ratelimit-limit", "ratelimit-remaining", "ratelimit-reset"] {
            assert!(answer.header(header).is_some(), "{path}: {header}");
        }
        if answer.status != 200 {
            assert_eq!(answer.json()["request_id"].as_str(), answer.header("x-request-id"));
        }
    }
}

#[test]
fn pages_hold_everything_once() {
    let mut bench = Bench::new();
    bench.world.add_droplets(&Blueprint::named("game"), 44);
    let mut seen = Vec::new();
    for page in 1..=3 {
        let body = bench.get(&format!("/v2/droplets?page={page}"));
        assert_eq!(body["meta"]["total"], 45);
        seen.extend(body["droplets"].as_array().unwrap().iter().map(|droplet| droplet["id"].clone()));
    }
    let mut once = seen.clone();
    once.dedup();
    assert_eq!((seen.len(), once.len()), (45, 45));
    assert_eq!(bench.get("/v2/droplets?page=4")["droplets"], json!([]));
    assert_eq!(bench.get("/v2/droplets?name=GAME-7")["meta"]["total"], 1);
    assert_eq!(bench.get("/v2/droplets?tag_name=prod")["meta"]["total"], 1);
}

#[test]
fn a_new_droplet_needs_a_fitting_image_and_becomes_active() {
    let mut bench = Bench::new();
    let big = bench.world.add_droplet(&Blueprint::named("big").size("s-2vcpu-4gb"));
    let image = bench.world.add_snapshot(big, "big", 9.0);
    let order = |size: &str, region: &str, name: &str| json!({"name": name, "size": size, "region": region, "image": image, "tags": ["op:1"]});
    for (size, region, name) in [
        ("s-1vcpu-1gb", "nyc3", "web-2"),
        ("s-2vcpu-4gb", "fra1", "web-2"),
        ("s-2vcpu-4gb", "nyc3", "web_2"),
        ("nothing", "nyc3", "web-2"),
    ] {
        assert_eq!(
            bench.ask(Method::Post, "/v2/droplets", &order(size, region, name)).status,
            422,
            "{size} {region} {name}"
        );
    }
    let created = bench.ask(Method::Post, "/v2/droplets", &order("s-2vcpu-4gb", "nyc3", "web-2"));
    assert_eq!((created.status, &created.json()["droplet"]["status"]), (202, &json!("new")));
    let action = created.json()["links"]["actions"][0]["id"].as_u64().unwrap();
    bench.wait(10);
    assert_eq!(bench.action_status(action), "completed");
    let found = bench.get("/v2/droplets?tag_name=op%3A1")["droplets"][0].clone();
    assert_eq!((&found["status"], &found["image"]["id"]), (&json!("active"), &json!(image)));
    assert!(found["networks"]["v4"][0]["ip_address"].is_string());
}

#[test]
fn nonsense_is_refused_and_remembered_as_such() {
    let mut bench = Bench::new();
    let nonsense =
        [json!({"type": "explode"}), json!({}), json!({"type": "restore"}), json!({"type": "snapshot", "name": 7})];
    for body in &nonsense {
        assert_eq!(bench.act(body).status, 422, "{body}");
    }
    assert_eq!(bench.ask(Method::Get, "/v2/droplets?per_page=500", &Value::Null).status, 422);
    assert_eq!(bench.ask(Method::Get, "/v3/droplets", &Value::Null).status, 404);
    let request = Request { body: b"{".to_vec(), ..Request::new(Method::Post, "/v2/tags").bearer(TOKEN) };
    assert_eq!(bench.world.handle(&request, bench.now).status, 400);
    assert_eq!(bench.world.rejections().len(), 7);
}

#[test]
fn by_tag_is_all_or_nothing() {
    let mut bench = Bench::new();
    let second = bench.world.add_droplet(&Blueprint::named("web-2").tag("prod"));
    bench.world.start_foreign_action(second, Kind::Backup).unwrap();
    let path = "/v2/droplets/actions?tag_name=prod";
    assert_eq!(bench.ask(Method::Post, path, &json!({"type": "shutdown"})).status, 422);
    assert!(bench.world.actions_of(bench.droplet).is_empty());
    bench.wait(10);
    let answer = bench.ask(Method::Post, path, &json!({"type": "shutdown"}));
    assert_eq!(answer.json()["actions"].as_array().unwrap().len(), 2);
    assert_eq!(bench.ask(Method::Post, path, &json!({"type": "restore", "image": 1})).status, 422);
}

#[test]
fn a_cut_before_executes_nothing_and_a_cut_after_does() {
    let mut bench = Bench::new();
    bench.world.add_fault(Fault::once(Pattern::action("shutdown"), Disturbance::CutBefore));
    bench.world.add_fault(Fault::once(Pattern::action("shutdown"), Disturbance::CutAfter).after(1));
    assert_eq!(bench.act(&json!({"type": "shutdown"})).delivery, Delivery::Cut);
    assert!(bench.world.actions_of(bench.droplet).is_empty());
    assert_eq!(bench.act(&json!({"type": "shutdown"})).delivery, Delivery::Cut);
    assert_eq!(bench.world.actions_of(bench.droplet).len(), 1);
    assert!(bench.world.faults().is_empty());
}

#[test]
fn a_postponed_request_is_executed_even_if_nobody_listens() {
    let mut bench = Bench::new();
    let late = Disturbance::ExecuteLate { after: seconds(20) };
    bench.world.add_fault(Fault::once(Pattern::action("snapshot"), late));
    let answer = bench.act(&json!({"type": "snapshot", "name": "late"}));
    let Delivery::Postponed { ticket, until } = answer.delivery else { panic!("{answer:?}") };
    assert_eq!(until, bench.now + seconds(20));
    bench.wait(19);
    assert!(bench.world.actions_of(bench.droplet).is_empty());
    bench.wait(1);
    assert_eq!(bench.world.actions_of(bench.droplet)[0].started_at, bench.now);
    assert_eq!(bench.world.take_postponed(ticket, bench.now).unwrap().status, 201);
}

#[test]
fn a_hung_shutdown_may_take_effect_late_but_never_outlives_a_boot() {
    for (action, off_after) in [(HungAction::InProgress, None), (HungAction::Completes, Some(seconds(60)))] {
        let mut bench = Bench::new();
        let hang = Quirk::ShutdownHangs { action, off_after };
        bench.world.add_fault(Fault::once(Pattern::action("shutdown"), hang));
        let id = bench.begin("shutdown");
        bench.wait(59);
        let ended = if action == HungAction::Completes { "completed" } else { "in-progress" };
        assert_eq!((bench.action_status(id), bench.status()), (json!(ended), json!("active")));
        bench.wait(1);
        assert_eq!(bench.status(), if off_after.is_some() { "off" } else { "active" });
    }
    let mut bench = Bench::new();
    let hang = Quirk::ShutdownHangs { action: HungAction::Errs, off_after: Some(seconds(60)) };
    bench.world.add_fault(Fault::once(Pattern::action("shutdown"), hang));
    bench.begin("shutdown");
    bench.wait(10);
    bench.begin("power_cycle");
    bench.wait(90);
    assert_eq!(bench.status(), "active");
}

#[test]
fn an_action_that_never_finishes_blocks_its_droplet_until_an_operator_ends_it() {
    let mut bench = Bench::new();
    bench.world.add_fault(Fault::once(Pattern::action("snapshot"), Quirk::NeverFinish));
    let id = bench.begin("snapshot");
    bench.wait(100_000);
    assert_eq!(bench.action_status(id), "in-progress");
    bench.world.finish_action(id, Progress::Completed);
    assert_eq!(bench.world.snapshots_of(bench.droplet).len(), 1);
    assert_eq!(bench.world.droplet(bench.droplet).unwrap().pending, None);
}

#[test]
fn a_snapshot_may_be_listed_without_its_size_for_a_while() {
    let mut bench = Bench::new();
    let sizeless = Quirk::Sizeless { shown: SizeShown::Absent, until: Some(seconds(5)) };
    bench.world.add_fault(Fault::once(Pattern::action("snapshot"), sizeless));
    bench.begin("snapshot");
    bench.wait(14);
    assert!(bench.get("/v2/snapshots")["snapshots"][0].get("size_gigabytes").is_none());
    bench.wait(3);
    assert_eq!(bench.get("/v2/snapshots")["snapshots"][0]["size_gigabytes"], 2.36);
}

#[test]
fn faults_answer_as_they_were_asked_to() {
    let mut bench = Bench::new();
    let refuse = Disturbance::Refuse { status: 418, id: "teapot".into(), message: "short and stout".into() };
    let mut meet = |disturbance: Disturbance| {
        bench.world.add_fault(Fault::once(Pattern::any(), disturbance));
        bench.ask(Method::Get, "/v2/droplets", &Value::Null)
    };
    Bench::refused(&meet(refuse), 418, "short and stout");
    assert_eq!(meet(Disturbance::Down).status, 503);
    assert_eq!(meet(Disturbance::Throttle { retry_after: Some(7) }).header("retry-after"), Some("7"));
    assert_eq!(meet(Disturbance::Throttle { retry_after: None }).header("retry-after"), None);
    assert_eq!(meet(Disturbance::AnswerLate { after: seconds(3) }).delivery, Delivery::Late(seconds(3)));
    for how in [Malformation::Truncated, Malformation::Html, Malformation::Empty] {
        assert_eq!(meet(Disturbance::Malform { how }).json(), Value::Null);
    }
    let nulls = meet(Disturbance::Malform { how: Malformation::Nulls }).json();
    assert_eq!(nulls["droplets"][0]["name"], Value::Null);
    assert_eq!(meet(Disturbance::Malform { how: Malformation::NoFields }).json(), json!({}));
    let droplet = bench.droplet;
    bench.world.add_fault(Fault::once(Pattern::action("shutdown").droplet(droplet), Disturbance::Lie));
    assert_ne!(bench.act(&json!({"type": "shutdown"})).json()["action"]["resource_id"], droplet);
    assert!(bench.world.rejections().is_empty());
}

#[test]
fn a_destroyed_droplet_leaves_its_snapshots_and_ends_its_action() {
    let mut bench = Bench::new();
    bench.world.add_snapshot(bench.droplet, "kept", 1.0);
    let action = bench.begin("snapshot");
    bench.world.destroy(bench.droplet);
    assert_eq!(bench.action_status(action), "errored");
    assert_eq!(bench.get("/v2/snapshots")["meta"]["total"], 1);
    assert_eq!(bench.act(&json!({"type": "power_on"})).status, 404);
}

#[test]
fn the_law_finds_who_was_left_off() {
    let mut bench = Bench::new();
    let off = bench.world.add_droplet(&Blueprint::named("off").status(Status::Off));
    bench.world.turn_off(bench.droplet);
    let left: Vec<u64> = bench.world.left_off().iter().map(|droplet| droplet.id).collect();
    assert_eq!(left, [bench.droplet]);
    assert!(!left.contains(&off));
    bench.world.turn_on(bench.droplet);
    assert!(bench.world.left_off().is_empty());
}

#[test]
fn the_next_event_is_known_beforehand_and_time_never_runs_back() {
    let mut bench = Bench::new();
    assert_eq!(bench.world.next_due(), None);
    bench.begin("shutdown");
    assert_eq!(bench.world.next_due(), Some(bench.now + seconds(10)));
    bench.wait(10);
    bench.world.advance(bench.now - seconds(100));
    assert_eq!((bench.world.now(), bench.world.next_due()), (bench.now, None));
}

#[test]
fn equal_histories_give_equal_answers() {
    let play = || {
        let mut bench = Bench::new();
        bench.begin("shutdown");
        bench.wait(10);
        bench.begin("snapshot");
        bench.wait(15);
        bench.ask(Method::Get, "/v2/snapshots", &Value::Null)
    };
    assert_eq!(play(), play());
}

#[test]
fn escaped_paths_mean_the_same() {
    let mut bench = Bench::new();
    bench.world.set_tags(bench.droplet, &["env:prod"]);
    assert_eq!(bench.get("/v2/tags/env%3Aprod")["tag"]["name"], "env:prod");
    assert_eq!(bench.ask(Method::Get, "/v2/tags%2Fenv%3Aprod", &Value::Null).status, 404);
}
