//! Bodies as DigitalOcean sends them, whole and with holes.

use serde_json::json;

use super::*;

fn read<T: serde::de::DeserializeOwned>(wire: serde_json::Value) -> T {
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
    assert_eq!(droplet.tags, ["web", "env:prod"]);
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
    assert_eq!((bare.status, bare.tags.len(), bare.public_ipv4), (DropletStatus::Off, 0, None));
}

#[test]
fn words_that_are_new_are_kept_as_they_are() {
    assert_eq!(DropletStatus::from("resting".to_owned()), DropletStatus::Other("resting".to_owned()));
    assert_eq!(ActionStatus::from("in-progress".to_owned()), ActionStatus::InProgress);
    assert_eq!(ActionStatus::from("queued".to_owned()), ActionStatus::Other("queued".to_owned()));
}

#[test]
fn an_action_on_an_image_belongs_to_no_droplet() {
    let of = |kind: serde_json::Value| -> Action {
        read(json!({ "id": 1, "status": "errored", "type": "transfer", "resource_id": 7, "resource_type": kind,
            "started_at": "2020-11-14T16:29:21Z", "completed_at": null }))
    };
    assert_eq!(of(json!("image")).droplet, None);
    assert_eq!(of(json!("droplet")).droplet, Some(DropletId(7)));
    assert_eq!(of(serde_json::Value::Null).droplet, Some(DropletId(7)));
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
