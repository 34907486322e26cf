//! Reading answers about Backups: the specification's own examples, and their possible irregularities.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::*;
use crate::digitalocean::{error::Error, http_types::HttpAnswer};

fn told<T: 'static>(call: Call<T>, body: &Value) -> Result<T, Error> {
    let received_at = Timestamp::from_second(1_800_000_000).unwrap();
    let answer = HttpAnswer { status: 200, headers: Vec::new(), body: body.to_string().into_bytes(), received_at };
    call.exchange(|_| Ok(answer.clone()))
}

fn weekly() -> Value {
    json!({
        "droplet_id": 444_909_706, "backup_enabled": true,
        "backup_policy": { "plan": "weekly", "weekday": "SUN", "hour": 20, "window_length_hours": 4, "retention_period_days": 28 },
        "next_backup_window": { "start": "2024-09-15T20:00:00Z", "end": "2024-09-16T00:00:00Z" },
    })
}

#[test]
fn a_policy_is_read_with_its_window() {
    let record = told(policy(DropletId(444_909_706)), &json!({ "policy": weekly() })).unwrap();
    assert!(record.enabled);
    assert_eq!(record.next_window.unwrap().start, "2024-09-15T20:00:00Z".parse().unwrap());
    let policy = record.policy.unwrap();
    assert_eq!((policy.plan.as_str(), policy.weekday.as_deref(), policy.hour), ("weekly", Some("SUN"), Some(20)));
    assert_eq!((policy.window_hours, policy.retention_days), (Some(4), Some(28)));
}

#[test]
fn a_plan_that_nobody_knew_and_an_odd_window_do_no_harm() {
    let record = json!({ "policy": {
        "droplet_id": "7", "backup_enabled": true, "next_backup_window": "",
        "backup_policy": { "plan": "usage_based", "hour": "soon" },
    } });
    let record = told(policy(DropletId(7)), &record).unwrap();
    let policy = record.policy.unwrap();
    assert_eq!((policy.plan.as_str(), policy.hour, record.next_window), ("usage_based", None, None));
}

#[test]
fn an_answer_about_another_droplet_is_none() {
    told(policy(DropletId(7)), &json!({ "policy": weekly() })).unwrap_err();
}

#[test]
fn the_policies_of_all_droplets_are_listed_by_their_ids_and_an_odd_one_is_left_out() {
    let body = json!({
        "policies": { "444909706": weekly(), "7": { "droplet_id": 7, "backup_enabled": false }, "8": "none" },
        "links": {}, "meta": { "total": 3 },
    });
    let records = told(policies(), &body).unwrap();
    let read: Vec<_> = records.iter().map(|record| (record.droplet.0, record.enabled)).collect();
    assert_eq!(read, [(444_909_706, true), (7, false)]);
}

#[test]
fn supported_policies_say_their_hours_and_days() {
    let body = json!({ "supported_policies": [
        { "name": "weekly", "possible_window_starts": [0, 4.0, "8"], "possible_days": ["SUN", 5], "retention_period_days": 28 },
        { "name": 5 },
    ] });
    let [weekly] = &told(supported_policies(), &body).unwrap()[..] else { panic!("one of them can be read") };
    assert_eq!((&weekly.hours[..], &weekly.days[..]), (&[0, 4, 8][..], &["SUN".to_owned()][..]));
}

#[test]
fn a_conversions_action_is_read_bare_or_under_its_name() {
    let action =
        json!({ "id": 9, "status": "in-progress", "type": "convert", "resource_id": 5, "resource_type": "image" });
    for body in [json!({ "action": action }), action] {
        let action = told(convert(SnapshotId(5)), &body).unwrap();
        assert_eq!((action.id.0, action.droplet), (9, None), "it is the image's, no Droplet's");
    }
}

#[test]
fn an_image_says_what_it_is() {
    let body = json!({ "image": { "id": 5, "name": "web-1 2026-11-20", "type": "backup", "size_gigabytes": 2.5 } });
    let image = told(image(SnapshotId(5)), &body).unwrap();
    assert_eq!((image.kind.as_str(), image.snapshot.size_gigabytes), ("backup", Some(2.5)));
    told(super::image(SnapshotId(6)), &body).unwrap_err();
}
