//! How the world behaves without faults: power, Snapshots, scopes, limits, pages, time.

use serde_json::{Value, json};

use super::{Bench, seconds};
use crate::digitalocean::{
    action::ActionKind,
    droplet::{Blueprint, Status},
    http_types::{Method, Request},
    limits::Limits,
    scopes::Scopes,
    settings::{PowerAfterRestore, Settings},
    world::TOKEN,
};

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
    bench.world.start_foreign_action(second, ActionKind::Backup).unwrap();
    let path = "/v2/droplets/actions?tag_name=prod";
    assert_eq!(bench.ask(Method::Post, path, &json!({"type": "shutdown"})).status, 422);
    assert!(bench.world.actions_of(bench.droplet).is_empty());
    bench.wait(10);
    let answer = bench.ask(Method::Post, path, &json!({"type": "shutdown"}));
    assert_eq!(answer.json()["actions"].as_array().unwrap().len(), 2);
    assert_eq!(bench.ask(Method::Post, path, &json!({"type": "restore", "image": 1})).status, 422);
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

#[test]
fn backups_vanish_when_they_are_disabled_and_a_kept_one_stays() {
    let mut bench = Bench::new();
    Bench::refused(&bench.act(&json!({"type": "disable_backups"})), 422, "Backups are not enabled for this Droplet.");
    bench.act(&json!({"type": "enable_backups", "backup_policy": {"plan": "weekly", "weekday": "MON", "hour": 8}}));
    bench.wait(10);
    let path = format!("/v2/droplets/{}/backups", bench.droplet);
    let policy = bench.get(&format!("{path}/policy"))["policy"]["backup_policy"].clone();
    assert_eq!((&policy["plan"], &policy["weekday"], &policy["hour"]), (&json!("weekly"), &json!("MON"), &json!(8)));
    let kept = bench.world.add_backup(bench.droplet, "kept", 2.0);
    bench.world.add_backup(bench.droplet, "lost", 2.0);
    let convert = bench.ask(Method::Post, &format!("/v2/images/{kept}/actions"), &json!({"type": "convert"}));
    let action = convert.json()["action"]["id"].as_u64().unwrap();
    bench.begin("disable_backups");
    bench.wait(10);
    assert_eq!(bench.action_status(action), "completed");
    assert_eq!(bench.get(&path)["meta"]["total"], 0);
    let snapshots = bench.get("/v2/snapshots")["snapshots"].clone();
    assert_eq!((&snapshots[0]["name"], &snapshots[1]), (&json!("kept"), &Value::Null));
}

#[test]
fn backups_vanish_with_their_droplet() {
    let mut bench = Bench::new();
    let backup = bench.world.add_backup(bench.droplet, "nightly", 2.0);
    bench.world.destroy(bench.droplet);
    assert_eq!(bench.ask(Method::Get, &format!("/v2/images/{backup}"), &Value::Null).status, 404);
}
