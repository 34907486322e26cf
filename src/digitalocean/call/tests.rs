//! Reading answers: paging, false statements, and bodies that are not what they should be.

use jiff::Timestamp;
use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::{
    digitalocean::{error::Delivery, model::Action, mutations, queries},
    operation::ids::{ActionId, DropletId, SnapshotId},
};

fn answer(status: u16, body: &Value) -> HttpAnswer {
    let received_at = Timestamp::from_second(1_800_000_000).unwrap();
    HttpAnswer { status, headers: Vec::new(), body: body.to_string().into_bytes(), received_at }
}

fn action(id: u64) -> Value {
    json!({ "id": id, "status": "completed", "type": "snapshot", "resource_id": 7, "resource_type": "droplet" })
}

/// Performs a call against the given bodies. Returns its result and the pages that were requested.
fn play<T>(call: Call<T>, bodies: &[Value]) -> (Result<T, Error>, Vec<String>) {
    let mut asked = Vec::new();
    let result = call.exchange(|request| {
        let body = &bodies[asked.len()];
        asked.push(request.path_and_query);
        Ok(answer(200, body))
    });
    (result, asked)
}

fn ids(actions: &[Action]) -> Vec<u64> {
    actions.iter().map(|action| action.id.0).collect()
}

fn path_of(error: Error) -> String {
    match error {
        Error::Unreadable { path, .. } => path,
        other => panic!("{other}"),
    }
}

#[test]
fn a_list_is_read_to_its_last_page() {
    let next = |page: u32| json!({ "pages": { "next": format!("https://api.digitalocean.com/v2/x?page={page}") } });
    let bodies = [
        json!({ "actions": [action(1), action(2)], "links": next(2), "meta": { "total": 5 } }),
        json!({ "actions": [action(3), action(4)], "links": next(3), "meta": { "total": 5 } }),
        json!({ "actions": [action(5)], "links": { "pages": {} }, "meta": { "total": 5 } }),
    ];
    let (actions, asked) = play(queries::droplet_actions(DropletId(7)), &bodies);
    assert_eq!(ids(&actions.unwrap()), [1, 2, 3, 4, 5]);
    assert_eq!(asked[0], "/v2/droplets/7/actions?page=1&per_page=200");
    assert_eq!(asked[2], "/v2/droplets/7/actions?page=3&per_page=200");
}

#[test]
fn a_total_that_is_not_reached_asks_for_more_even_without_a_link() {
    let bodies = [
        json!({ "actions": [action(1)], "meta": { "total": 2 } }),
        json!({ "actions": [action(2)], "meta": { "total": 2 } }),
    ];
    assert_eq!(ids(&play(queries::droplet_actions(DropletId(7)), &bodies).0.unwrap()), [1, 2]);
}

#[test]
fn an_empty_page_ends_the_list_whatever_it_promises() {
    let link = json!({ "pages": { "next": "https://api.digitalocean.com/v2/x?page=2" } });
    let bodies = [json!({ "snapshots": [], "links": link, "meta": { "total": 900 } })];
    assert!(play(queries::droplet_snapshots(DropletId(7)), &bodies).0.unwrap().is_empty());
}

#[test]
fn what_two_pages_show_counts_once() {
    let bodies = [
        json!({ "actions": [action(1), action(2)], "meta": { "total": 3 } }),
        json!({ "actions": [action(2), action(3)], "meta": { "total": 3 } }),
    ];
    let (actions, asked) = play(queries::droplet_actions(DropletId(7)), &bodies);
    assert_eq!((ids(&actions.unwrap()), asked.len()), (vec![1, 2, 3], 2));
}

/// Reads a Droplet's Actions in this order, page by page. Returns the ids that were read, and how many pages that took.
fn since(known: u64, order: &[u64]) -> (Vec<u64>, usize) {
    let pages: Vec<_> =
        order.chunks(PER_PAGE).map(|page| page.iter().copied().map(action).collect::<Vec<_>>()).collect();
    let bodies: Vec<_> =
        pages.iter().map(|page| json!({ "actions": page, "meta": { "total": order.len() } })).collect();
    let (actions, asked) = play(queries::droplet_actions_since(DropletId(7), ActionId(known)), &bodies);
    (ids(&actions.unwrap()), asked.len())
}

#[test]
fn the_newest_actions_are_read_until_a_whole_page_is_known() {
    let newest_first: Vec<u64> = (1..=5_000).rev().collect();
    let (read, pages) = since(4_990, &newest_first);
    assert_eq!((read.as_slice(), pages), (&newest_first[..400], 2));
    assert_eq!(since(5_000, &newest_first).1, 1, "nothing is new");
    assert_eq!(since(0, &newest_first), (newest_first, 25));
}

#[test]
fn actions_in_another_order_are_read_to_the_end() {
    let oldest_first: Vec<u64> = (1..=1_000).collect();
    assert_eq!(since(990, &oldest_first), (oldest_first.clone(), 5));
    let mut one_astray: Vec<u64> = (1..=1_000).rev().collect();
    one_astray.swap(0, 1);
    assert_eq!(since(990, &one_astray), (one_astray.clone(), 5));
}

#[test]
fn a_page_with_an_action_that_cannot_be_read_proves_nothing() {
    let body = json!({ "actions": [action(3), "?"], "meta": { "total": 3 } });
    let bodies = [body, json!({ "actions": [action(1)], "meta": { "total": 3 } })];
    let (actions, asked) = play(queries::droplet_actions_since(DropletId(7), ActionId(9)), &bodies);
    assert_eq!((ids(&actions.unwrap()), asked.len()), (vec![3, 1], 2));
}

#[test]
fn a_link_to_another_host_leads_nowhere_but_to_its_page() {
    let bodies = [
        json!({ "actions": [action(1)], "links": { "pages": { "next": "http://evil.example/steal?page=2&x=1" } } }),
        json!({ "actions": [action(2)] }),
    ];
    let (_, asked) = play(queries::droplet_actions(DropletId(7)), &bodies);
    assert_eq!(asked[1], "/v2/droplets/7/actions?page=2&per_page=200");
}

#[test]
fn whatever_stands_around_a_list_it_is_read_to_its_end() {
    let next = |link: Value| json!({ "pages": { "next": link } });
    let odd = [
        (next(json!("https://api.digitalocean.com/v2/x?page=1")), Value::Null),
        (next(json!("/v2/x")), Value::Null),
        (next(json!("::")), Value::Null),
        (next(json!("/v2/x?page=-1")), Value::Null),
        (next(json!("/v2/x?page=99999")), Value::Null),
        (next(json!({ "href": "/v2/x?page=2" })), json!("many")),
        (next(json!("/v2/x?page=2")), json!({ "total": "?" })),
        (json!("?page=2"), json!({ "total": 2 })),
        (json!([]), json!({ "total": "2" })),
        (json!({ "pages": [] }), json!({ "total": 2.0 })),
    ];
    for (links, meta) in odd {
        let first = json!({ "actions": [action(1)], "links": links, "meta": meta });
        let bodies = [first.clone(), json!({ "actions": [action(2)] }), json!({ "actions": [] })];
        let (actions, asked) = play(queries::droplet_actions(DropletId(7)), &bodies);
        assert_eq!(ids(&actions.unwrap()), [1, 2], "{first}");
        assert_eq!(asked[1], "/v2/droplets/7/actions?page=2&per_page=200");
    }
}

#[test]
fn a_full_page_that_says_nothing_of_the_next_one_is_not_the_last() {
    let full: Vec<_> = (1..=200).map(action).collect();
    let bodies = [json!({ "actions": full, "links": 5, "meta": null }), json!({ "actions": [action(201)] })];
    let (actions, asked) = play(queries::droplet_actions(DropletId(7)), &bodies);
    assert_eq!((actions.unwrap().len(), asked.len()), (201, 2));
}

#[test]
fn a_list_with_a_droplet_that_cannot_be_read_proves_nothing() {
    let droplet = |id: u64, status: Value| json!({ "id": id, "name": "web", "status": status });
    let all = |status: Value| json!({ "droplets": [droplet(7, json!("off")), droplet(8, status)] });
    let (whole, _) = play(queries::every_droplet(None), &[all(json!("active"))]);
    assert_eq!(whole.unwrap().len(), 2);
    let (spoilt, _) = play(queries::every_droplet(None), &[all(Value::Null)]);
    assert_eq!(path_of(spoilt.unwrap_err()), "droplets");
    let (lenient, _) = play(queries::droplets(None), &[all(Value::Null)]);
    assert_eq!(lenient.unwrap().len(), 1);
}

/// DigitalOcean's list, of which one item goes away after each of the first pages was read.
#[test]
fn a_list_that_gets_shorter_while_it_is_read_lacks_nothing_that_stays() {
    let droplet = |id: u64| json!({ "id": id, "name": "web", "status": "active" });
    for per_page in 1..4_usize {
        for gone in 0..6_u64 {
            let mut listed: Vec<u64> = (0..12).collect();
            let mut reads = 0;
            let read = queries::every_droplet(None).exchange(|request| {
                let page: usize = request.path_and_query.split(['=', '&']).nth(1).unwrap().parse().unwrap();
                let items: Vec<_> = listed.iter().skip((page - 1) * per_page).take(per_page).map(|id| droplet(*id)).collect();
                let total = listed.len();
                let more = json!({ "pages": { "next": format!("https://api.digitalocean.com/v2/droplets?page={}", page + 1) } });
                let links = if page * per_page < total { more } else { json!({}) };
                if reads < gone {
                    listed.remove(0);
                }
                reads += 1;
                Ok(answer(200, &json!({ "droplets": items, "links": links, "meta": { "total": total } })))
            });
            let read: Vec<u64> = read.unwrap().iter().map(|droplet| droplet.id.0).collect();
            assert!(listed.iter().all(|id| read.contains(id)), "{per_page} a page, {gone} gone: {read:?}");
        }
    }
}

#[test]
fn an_unreadable_page_that_is_read_again_counts_once() {
    let droplet = |id: u64, status: Value| json!({ "id": id, "name": "web", "status": status });
    let page = |status: Value| json!({ "droplets": [droplet(7, status)], "meta": { "total": 2 } });
    let mut call = queries::every_droplet(None);
    assert!(call.absorb(&answer(200, &page(Value::Null))).is_err());
    let Ok(Progress::More) = call.absorb(&answer(200, &page(json!("off")))) else { panic!("one of two is not all") };
}

#[test]
fn a_list_of_all_backups_is_whole_or_unreadable() {
    let backup = |id: u64, name: Value| json!({ "id": id, "name": name });
    let end = json!({ "backups": [], "meta": { "total": 2 } });
    let read = |body: Value| play(queries::every_droplet_backup(DropletId(7)), &[body, end.clone()]).0;
    let two = [backup(1, json!("a")), backup(2, json!("b"))];
    assert_eq!(read(json!({ "backups": two, "meta": { "total": 2 } })).unwrap().len(), 2);
    assert_eq!(read(json!({ "backups": [], "meta": { "total": 0 } })).unwrap().len(), 0);
    for spoilt in [
        json!({ "backups": [two[0], null], "meta": { "total": 2 } }),
        json!({ "backups": [two[0], backup(2, Value::Null)] }),
        json!({ "backups": [two[0]], "meta": { "total": 2 } }),
        json!({ "backups": [], "meta": { "total": 3 } }),
    ] {
        assert_eq!(path_of(read(spoilt.clone()).unwrap_err()), "backups", "{spoilt}");
    }
}

#[test]
fn droplets_that_digitalocean_counts_and_does_not_show_are_not_no_droplets() {
    let read = |body: Value| play(queries::droplets(None), &[body]).0;
    assert!(read(json!({ "droplets": [], "meta": { "total": 0 } })).unwrap().is_empty());
    for unread in [json!({ "droplets": [], "meta": { "total": 3 } }), json!({ "droplets": [null, { "id": "x" }] })] {
        assert_eq!(path_of(read(unread.clone()).unwrap_err()), "droplets", "{unread}");
    }
}

#[test]
fn actions_of_which_none_can_be_read_are_not_no_actions() {
    let odd = json!({ "id": "not a number", "status": 42, "type": 42 });
    let (none, _) = play(queries::droplet_actions(DropletId(7)), &[json!({ "actions": [] })]);
    assert!(none.unwrap().is_empty());
    let (some, _) = play(queries::droplet_actions(DropletId(7)), &[json!({ "actions": [odd.clone(), action(2)] })]);
    assert_eq!(ids(&some.unwrap()), [2]);
    for unread in [json!({ "actions": [odd] }), json!({ "actions": [], "meta": { "total": 900 } })] {
        assert_eq!(path_of(play(queries::droplet_actions(DropletId(7)), &[unread]).0.unwrap_err()), "actions");
    }
}

#[test]
fn items_that_cannot_be_read_are_left_out_and_count_as_shown() {
    let bodies = [
        json!({ "actions": [action(1), { "id": 2, "status": 5, "type": "snapshot" }, null], "meta": { "total": 5 } }),
        json!({ "actions": ["?", action(5)], "meta": { "total": 5 } }),
    ];
    let (actions, asked) = play(queries::droplet_actions(DropletId(7)), &bodies);
    assert_eq!((ids(&actions.unwrap()), asked.len()), (vec![1, 5], 2));
}

#[test]
fn snapshots_of_volumes_and_sizes_without_a_price_do_not_hide_the_others() {
    let bodies = [json!({ "snapshots": [
        { "id": "fbe805e8-866b-11e6-96bf-000f53315a41", "name": "volume", "resource_type": "volume" },
        { "id": "5", "name": "s", "resource_id": "7" },
    ], "meta": { "total": 2 } })];
    let snapshots = play(queries::snapshots(), &bodies).0.unwrap();
    assert_eq!(snapshots.iter().map(|snapshot| snapshot.id).collect::<Vec<_>>(), [SnapshotId(5)]);
    let size = |slug: &str, price: Value| json!({ "slug": slug, "disk": 25.0, "memory": 1024, "vcpus": 1, "price_monthly": price, "available": "yes" });
    let bodies = [json!({ "sizes": [size("gpu", Value::Null), size("small", json!(6)), 5] })];
    let sizes = play(queries::sizes(), &bodies).0.unwrap();
    assert_eq!(sizes.iter().map(|size| (size.slug.as_str(), size.available)).collect::<Vec<_>>(), [("small", true)]);
}

#[test]
fn an_endless_list_ends_in_an_error() {
    let mut asked = 0;
    let result = queries::droplet_actions(DropletId(7)).exchange(|_| {
        asked += 1;
        Ok(answer(200, &json!({ "actions": [action(asked)], "meta": { "total": u32::MAX } })))
    });
    assert_eq!((path_of(result.unwrap_err()).as_str(), asked), ("links.pages.next", u64::from(MOST_PAGES)));
}

#[test]
fn after_an_error_the_same_page_is_asked_for_again() {
    let mut call = queries::droplet_actions(DropletId(7));
    let first = answer(200, &json!({ "actions": [action(1)], "meta": { "total": 2 } }));
    assert!(matches!(call.absorb(&first), Ok(Progress::More)));
    let before = call.request();
    assert!(call.absorb(&answer(502, &json!("oops"))).is_err());
    assert!(call.absorb(&answer(200, &json!({ "actions": { "id": 2 } }))).is_err());
    assert_eq!(call.request(), before);
    let second = answer(200, &json!({ "actions": [action(2)], "meta": { "total": 2 } }));
    match call.absorb(&second) {
        Ok(Progress::Done(actions)) => assert_eq!(ids(&actions), [1, 2]),
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_decides_is_named_where_it_is_missing() {
    let body = json!({ "action": { "id": 1, "status": 5, "type": "snapshot" } });
    let error = play(queries::action(ActionId(1)), &[body]).0.unwrap_err();
    assert_eq!(
        error.to_string(),
        "DigitalOcean's answer is unreadable at `action`: `status`: invalid type: integer `5`, expected a string"
    );
    let error = play(queries::droplet_actions(DropletId(7)), &[json!({ "action": [] })]).0.unwrap_err();
    assert_eq!(path_of(error), "actions");
    let error = play(queries::droplet_actions(DropletId(7)), &[json!({ "actions": null })]).0.unwrap_err();
    assert_eq!(path_of(error), "actions", "not known is not empty");
}

#[test]
fn an_answer_about_something_else_is_unreadable() {
    let other = json!({ "action": action(2) });
    assert_eq!(path_of(play(queries::action(ActionId(1)), &[other]).0.unwrap_err()), "action.id");
    let droplet = json!({ "droplet": { "id": 8, "name": "web-1", "status": "off" } });
    assert_eq!(path_of(play(queries::droplet(DropletId(7)), &[droplet]).0.unwrap_err()), "droplet.id");
}

#[test]
fn a_command_answered_with_another_action_may_have_had_its_effect() {
    for call in [mutations::shutdown(DropletId(7)), mutations::take_snapshot(DropletId(8), "x")] {
        let error = play(call, &[json!({ "action": action(2) })]).0.unwrap_err();
        assert_eq!(error.delivery(), Delivery::Ambiguous);
    }
    assert!(play(mutations::take_snapshot(DropletId(7), "x"), &[json!({ "action": action(2) })]).0.is_ok());
}

#[test]
fn commands_say_what_they_want() {
    let body = |call: Call<Action>| call.request().body.unwrap();
    assert_eq!(body(mutations::shutdown(DropletId(7))), r#"{"type":"shutdown"}"#);
    assert_eq!(body(mutations::power_on(DropletId(7))), r#"{"type":"power_on"}"#);
    assert_eq!(body(mutations::take_snapshot(DropletId(7), "a\"b")), r#"{"name":"a\"b","type":"snapshot"}"#);
    assert_eq!(body(mutations::restore(DropletId(7), SnapshotId(9))), r#"{"image":9,"type":"restore"}"#);
}

#[test]
fn a_removal_is_done_whatever_digitalocean_says_to_it() {
    let call = mutations::delete_snapshot(SnapshotId(9));
    assert_eq!(call.request().path_and_query, "/v2/snapshots/9");
    for body in ["", "null", "{}", "{\"snapshot\":5", "gone"] {
        let gone = |_| Ok(HttpAnswer { body: body.into(), ..answer(204, &Value::Null) });
        assert_eq!(mutations::delete_snapshot(SnapshotId(9)).exchange(gone), Ok(()), "{body}");
    }
    let page =
        |_| Ok(HttpAnswer { body: b"\n<!DOCTYPE html><title>Log in</title>".into(), ..answer(200, &Value::Null) });
    let error = mutations::delete_snapshot(SnapshotId(9)).exchange(page).unwrap_err();
    assert_eq!(error.delivery(), Delivery::Ambiguous, "a proxy's page says nothing of what DigitalOcean did");
}

#[test]
fn a_command_whose_answer_cannot_be_read_may_have_had_its_effect() {
    for body in ["", "<html>", "{}", "[]", r#"{"action":null}"#, r#"{"action":{"id":"a"}}"#, r#"{"droplet":{}}"#] {
        let odd = |_: HttpRequest| Ok(HttpAnswer { body: body.into(), ..answer(201, &Value::Null) });
        let error = mutations::power_on(DropletId(7)).exchange(odd).unwrap_err();
        assert_eq!(error.delivery(), Delivery::Ambiguous, "{body}");
        assert_eq!(
            mutations::create_droplet(&new_droplet()).exchange(odd).unwrap_err().delivery(),
            Delivery::Ambiguous
        );
    }
}

fn new_droplet() -> mutations::CreateDroplet {
    mutations::CreateDroplet {
        name: "web-2".into(),
        region: "nyc3".into(),
        size: "s-1vcpu-1gb".into(),
        image: SnapshotId(9),
        tags: Vec::new(),
        ssh_keys: Vec::new(),
    }
}

#[test]
fn a_new_droplet_comes_with_the_action_that_makes_it() {
    let droplet = json!({ "id": 7, "name": "web-2", "status": "new", "networks": {}, "region": null });
    let links = json!({ "actions": [{ "id": 3, "rel": "multiple_create" }, { "id": 4, "rel": "create" }] });
    let made = json!({ "droplet": droplet, "links": links });
    let (droplet, action) = play(mutations::create_droplet(&new_droplet()), &[made]).0.unwrap();
    assert_eq!((droplet.id, action), (DropletId(7), Some(ActionId(4))));
}

#[test]
fn images_under_a_droplet_are_that_droplets() {
    let body = json!({ "snapshots": [{ "id": 5, "name": "s", "size_gigabytes": null }] });
    let snapshots = play(queries::droplet_snapshots(DropletId(7)), &[body]).0.unwrap();
    assert_eq!((snapshots[0].id, snapshots[0].droplet), (SnapshotId(5), Some(DropletId(7))));
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
        Just(json!("2020-07-21T18:37:44Z")),
    ];
    let name = prop_oneof![
        4 => prop::sample::select(vec![
            "action", "actions", "droplet", "droplets", "snapshot", "snapshots", "links", "pages", "next", "meta", "total",
            "id", "name", "status", "type", "resource_id", "networks", "v4", "region", "message", "request_id",
        ]).prop_map(str::to_owned),
        1 => ".{0,8}",
    ];
    leaf.prop_recursive(5, 48, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::btree_map(name.clone(), inner, 0..6).prop_map(|map| json!(map)),
        ]
    })
}

proptest! {
    #[test]
    fn no_answer_makes_a_call_panic(status in 100u16..1000, body in any_json(), raw: Vec<u8>, use_raw: bool) {
        let mut answer = answer(status, &body);
        if use_raw {
            answer.body = raw;
        }
        let _ = queries::droplets(None).absorb(&answer);
        let _ = queries::droplet(DropletId(7)).absorb(&answer);
        let _ = queries::droplet_actions(DropletId(7)).absorb(&answer);
        let _ = queries::snapshots().absorb(&answer);
        let _ = mutations::shutdown(DropletId(7)).absorb(&answer);
        let _ = mutations::delete_snapshot(SnapshotId(7)).absorb(&answer);
    }

    #[test]
    fn among_any_items_the_good_ones_survive(odd in prop::collection::vec(any_json(), 0..8), places in prop::collection::vec(0usize..8, 5)) {
        let good: Vec<u64> = (1_000_001..=1_000_005).collect();
        let mut items = odd;
        for (id, place) in good.iter().zip(places) {
            items.insert(place.min(items.len()), action(*id));
        }
        let actions = play(queries::droplet_actions(DropletId(7)), &[json!({ "actions": items })]).0.unwrap();
        let mut read: Vec<u64> = ids(&actions).into_iter().filter(|id| good.contains(id)).collect();
        read.sort_unstable();
        prop_assert_eq!(read, good);
    }

    #[test]
    fn no_new_action_is_missed_however_many_are_known(count in 1u64..900, known in 0u64..900) {
        let newest_first: Vec<u64> = (1..=count).rev().collect();
        let (read, _) = since(known, &newest_first);
        prop_assert!((known + 1..=count).all(|id| read.contains(&id)));
    }

    #[test]
    fn every_call_ends(bodies in prop::collection::vec(any_json(), 1..4)) {
        let mut asked = 0;
        let _ = queries::droplet_actions(DropletId(7)).exchange(|_| {
            asked += 1;
            Ok(answer(200, &bodies[asked % bodies.len()]))
        });
        prop_assert!(asked <= MOST_PAGES as usize);
    }
}
