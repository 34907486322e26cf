//! Bodies as DigitalOcean sends them, complete and with missing fields.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

/// Any JSON, mostly of the forms that occurred in real answers.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
        prop::sample::select(vec!["", "false", "25", "2020-07-21T18:37:44Z", "active", "web"]).prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map("(slug|v4|start|ip_address|[a-z]{0,6})", inner, 0..4)
                .prop_map(|map| json!(map)),
        ]
    })
}

/// The object with some of its fields replaced or removed.
fn mangled(mut object: Value, changes: Vec<(usize, Option<Value>)>, deciding: &[&str]) -> Value {
    let fields = object.as_object_mut().unwrap();
    let open: Vec<_> = fields.keys().filter(|name| !deciding.contains(&name.as_str())).cloned().collect();
    for (place, value) in changes {
        let name = &open[place % open.len()];
        match value {
            Some(value) => fields.insert(name.clone(), value),
            None => fields.remove(name),
        };
    }
    object
}

fn changes() -> impl Strategy<Value = Vec<(usize, Option<Value>)>> {
    prop::collection::vec((any::<usize>(), prop::option::weighted(0.9, any_json())), 0..12)
}

fn whole_droplet() -> Value {
    json!({
        "id": 7, "name": "web-1", "disk": 25, "locked": false, "status": "off", "created_at": "2020-07-21T18:37:44Z",
        "next_backup_window": { "start": "2019-12-04T00:00:00Z", "end": "2019-12-04T23:00:00Z" },
        "volume_ids": ["89bcc42f"], "size": { "price_monthly": 5 }, "size_slug": "s-1vcpu-1gb", "tags": ["web"],
        "networks": { "v4": [{ "ip_address": "192.241.165.154", "type": "public" }] }, "region": { "slug": "nyc3" }
    })
}

fn whole_action() -> Value {
    json!({
        "id": 9, "status": "in-progress", "type": "snapshot", "started_at": "2020-11-14T16:29:21Z", "completed_at": null,
        "resource_id": 7, "resource_type": "droplet", "region": { "slug": "nyc3" }, "region_slug": "nyc3"
    })
}

fn whole_snapshot() -> Value {
    json!({
        "id": "6372321", "name": "web-1-7f3kq2xa", "created_at": "2020-07-30T15:03:40Z", "regions": ["nyc3"],
        "min_disk_size": 25, "size_gigabytes": 2.34, "resource_id": "7", "resource_type": "droplet", "tags": null
    })
}

fn read<T: serde::de::DeserializeOwned>(wire: Value) -> T {
    serde_json::from_value(wire).unwrap()
}

#[test]
fn a_droplet_is_read_as_it_comes() {
    let droplet: Droplet = read(json!({
        "id": 3_164_444, "name": "web-1", "memory": 1024, "vcpus": 1, "disk": 25, "locked": false, "status": "active",
        "kernel": null, "created_at": "2020-07-21T18:37:44Z", "features": ["backups"], "backup_ids": [53_893_572],
        "next_backup_window": { "start": "2019-12-04T00:00:00Z", "end": "2019-12-04T23:00:00Z" },
        "snapshot_ids": [67_512_819], "image": { "id": 63_663_980 }, "volume_ids": ["89bcc42f-85cf-11e6-a004-000f53315871"],
        "size": { "slug": "s-1vcpu-1gb", "price_monthly": 5, "disk": 25 }, "size_slug": "s-1vcpu-1gb",
        "networks": { "v4": [
            { "ip_address": "10.128.192.124", "netmask": "255.255.0.0", "type": "private" },
            { "ip_address": "192.241.165.154", "netmask": "255.255.255.0", "gateway": "192.241.165.1", "type": "public" }
        ], "v6": [] },
        "region": { "name": "New York 3", "slug": "nyc3" }, "tags": ["web", "env:prod"], "something_new": [1]
    }));
    assert_eq!((droplet.id, droplet.status, droplet.locked), (DropletId(3_164_444), DropletStatus::Active, false));
    assert_eq!(
        (droplet.region.as_deref(), droplet.disk_gb, droplet.price_monthly),
        (Some("nyc3"), Some(25), Some(5.0))
    );
    assert_eq!(droplet.public_ipv4, Some(Ipv4Addr::new(192, 241, 165, 154)));
    assert_eq!(droplet.tags.unwrap(), ["web", "env:prod"]);
    assert_eq!(droplet.next_backup_window.unwrap().start.to_string(), "2019-12-04T00:00:00Z");
}

#[test]
fn what_a_token_may_not_see_or_is_null_is_simply_not_known() {
    let bare: Droplet = read(json!({ "id": 7, "name": "web-1", "status": "off" }));
    let nulls: Droplet = read(json!({
        "id": "7", "name": "web-1", "status": "off", "locked": null, "region": null, "disk": null, "size": null,
        "size_slug": null, "tags": null, "volume_ids": null, "networks": null, "next_backup_window": null,
        "created_at": null
    }));
    let holes: Droplet = read(json!({
        "id": 7, "name": "web-1", "status": "off", "region": {}, "networks": { "v4": null }, "size": {},
        "next_backup_window": { "start": null }
    }));
    assert_eq!(bare, nulls);
    assert_eq!(bare, holes);
    assert_eq!((bare.status, bare.tags, bare.public_ipv4), (DropletStatus::Off, None, None));
}

#[test]
fn words_that_are_new_are_kept_as_they_are() {
    assert_eq!(DropletStatus::from("resting".to_owned()), DropletStatus::Other("resting".to_owned()));
    assert_eq!(ActionStatus::from("in-progress".to_owned()), ActionStatus::InProgress);
    assert_eq!(ActionStatus::from("queued".to_owned()), ActionStatus::Other("queued".to_owned()));
}

#[test]
fn an_action_on_an_image_belongs_to_no_droplet() {
    let of = |kind: Value| -> Action {
        read(json!({ "id": 1, "status": "errored", "type": "transfer", "resource_id": 7, "resource_type": kind,
            "started_at": "2020-11-14T16:29:21Z", "completed_at": null }))
    };
    assert_eq!(of(json!("image")).droplet, None);
    assert_eq!(of(json!("droplet")).droplet, Some(DropletId(7)));
    assert_eq!(of(Value::Null).droplet, Some(DropletId(7)));
    assert_eq!((of(json!("droplet")).status, of(json!("droplet")).completed_at), (ActionStatus::Errored, None));
}

#[test]
fn snapshot_ids_are_read_as_text_and_as_numbers() {
    let listed: Snapshot = read(json!({
        "id": "6372321", "name": "web-1", "created_at": "2020-07-30T15:03:40Z", "regions": ["nyc3"], "min_disk_size": 25,
        "size_gigabytes": 2.34, "resource_id": "200776916", "resource_type": "droplet", "tags": null
    }));
    let under_droplet: Snapshot = read(json!({ "id": 6_372_321, "name": "web-1", "type": "snapshot" }));
    assert_eq!((listed.id, listed.droplet), (SnapshotId(6_372_321), Some(DropletId(200_776_916))));
    assert_eq!((under_droplet.id, under_droplet.size_gigabytes), (SnapshotId(6_372_321), None));
    assert!(serde_json::from_value::<Snapshot>(json!({ "id": "fbe805e8-866b", "name": "volume" })).is_err());
}

#[test]
fn of_snapshots_that_began_in_the_same_second_the_later_one_is_newer() {
    let of = |id: u64, created_at: Value| {
        let mut snapshot = whole_snapshot();
        (snapshot["id"], snapshot["created_at"]) = (json!(id), created_at);
        read::<Snapshot>(snapshot)
    };
    let second = json!("2020-07-30T15:03:40Z");
    let mut listed =
        [of(2, second.clone()), of(9, Value::Null), of(3, second), of(1, json!("2020-07-30T15:03:41Z"))].to_vec();
    listed.sort_by(Snapshot::newest_first);
    let ids: Vec<u64> = listed.iter().map(|snapshot| snapshot.id.0).collect();
    assert_eq!(ids, [1, 3, 2, 9], "without a time it is last");
}

#[test]
fn what_was_seen_to_come_in_other_forms_is_read_all_the_same() {
    let odd = |name: &str, value: Value| {
        let mut droplet = whole_droplet();
        droplet[name] = value;
        let droplet: Droplet = read(droplet);
        assert_eq!((droplet.id, &droplet.status), (DropletId(7), &DropletStatus::Off), "{name}");
        droplet
    };
    assert_eq!(odd("created_at", json!("")).created_at, None);
    assert_eq!(odd("disk", json!(25.0)).disk_gb, Some(25));
    assert_eq!(odd("next_backup_window", json!("")).next_backup_window, None);
    assert_eq!(odd("next_backup_window", json!({ "start": "", "end": "" })).next_backup_window, None);
    assert_eq!(odd("tags", json!("web")).tags, None);
    assert_eq!(odd("tags", json!([])).tags, Some(Vec::new()));
    assert_eq!(odd("region", json!("nyc3")).region, None);
    assert_eq!(odd("region", json!(["nyc3"])).region, None);
    assert_eq!(odd("networks", json!([])).public_ipv4, None);
    assert!(!odd("locked", json!("false")).locked);
    assert_eq!(odd("size", json!({ "price_monthly": null })).price_monthly, None);
    assert_eq!(odd("name", json!(5)).name, "7");
    let mut action = whole_action();
    action["completed_at"] = json!("");
    assert_eq!(read::<Action>(action).completed_at, None);
}

#[test]
fn a_key_that_stands_there_twice_and_a_huge_number_are_read() {
    let droplet: Droplet =
        serde_json::from_str(r#"{"id":7,"disk":1e999,"status":"active","status":"off","memory":9e9999}"#).unwrap();
    assert_eq!((droplet.id, droplet.status, droplet.disk_gb), (DropletId(7), DropletStatus::Off, None));
}

#[test]
fn without_what_decides_nothing_is_read() {
    for deciding in ["id", "status"] {
        let mut droplet = whole_droplet();
        droplet[deciding] = json!([5]);
        assert!(serde_json::from_value::<Droplet>(droplet).unwrap_err().to_string().contains(deciding));
    }
    for deciding in ["id", "status", "type"] {
        let mut action = whole_action();
        action[deciding] = Value::Null;
        assert!(serde_json::from_value::<Action>(action).unwrap_err().to_string().contains(deciding));
    }
    for deciding in ["id", "name"] {
        let mut snapshot = whole_snapshot();
        snapshot.as_object_mut().unwrap().remove(deciding);
        assert!(serde_json::from_value::<Snapshot>(snapshot).unwrap_err().to_string().contains(deciding));
    }
}

proptest! {
    #[test]
    fn whatever_the_other_fields_are_what_decides_is_read(changes in changes()) {
        let droplet: Droplet = read(mangled(whole_droplet(), changes.clone(), &["id", "status"]));
        prop_assert_eq!((droplet.id, droplet.status), (DropletId(7), DropletStatus::Off));
        let action: Action = read(mangled(whole_action(), changes.clone(), &["id", "status", "type"]));
        prop_assert_eq!((action.id, action.status, action.kind.as_str()), (ActionId(9), ActionStatus::InProgress, "snapshot"));
        let snapshot: Snapshot = read(mangled(whole_snapshot(), changes, &["id", "name"]));
        prop_assert_eq!((snapshot.id, snapshot.name.as_str()), (SnapshotId(6_372_321), "web-1-7f3kq2xa"));
    }
}
