//! How many requests are sent when many operations look.

use std::{sync::Arc, time::Duration};

use crate::vendor::{Arrived, Reply, Vendor, ok};
use futures_util::future::join_all;
use jiff::{SignedDuration, Timestamp};
use secrecy::SecretString;
use serde_json::{Value, json};
use snapshot_bot::{
    clock::Clock,
    digitalocean::{
        budget::{Admission, Priority},
        client::{Client, Settings},
        model::ActionStatus,
        watcher::{Look, Seen, SharedLook, Watcher},
    },
    operation::ids::{ActionId, DropletId},
};

fn action(id: u64) -> Value {
    json!({ "id": id, "status": "in-progress", "type": "snapshot", "resource_id": id, "resource_type": "droplet" })
}

fn droplet(id: u64) -> Value {
    json!({ "id": id, "name": format!("web-{id}"), "status": "active" })
}

/// An account whose lists show the items 1 to 300; any other exists only when read individually.
async fn account() -> (Vendor, Watcher, Clock) {
    let (vendor, watcher, clock, _) = account_with(Lists::Shown).await;
    (vendor, watcher, clock)
}

#[derive(Clone, Copy, PartialEq)]
enum Lists {
    Shown,
    Forbidden,
}

async fn account_with(lists: Lists) -> (Vendor, Watcher, Clock, Client) {
    let vendor = Vendor::start(move |arrived: &Arrived| {
        let path = arrived.line.trim_start_matches("GET /v2/");
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let page: u64 =
            query.split('&').find_map(|pair| pair.strip_prefix("page=")).map_or(1, |page| page.parse().unwrap());
        let shown = (page - 1) * 200 + 1..=(page * 200).min(300);
        match path.split_once('/') {
            None if lists == Lists::Forbidden => {
                Reply::Answer(403, Vec::new(), json!({ "id": "forbidden", "message": "no lists" }).to_string())
            }
            None if path == "actions" => ok(&json!({ "actions": shown.map(action).collect::<Vec<_>>() })),
            None => ok(&json!({ "droplets": shown.map(droplet).collect::<Vec<_>>() })),
            Some(("actions", id)) => ok(&json!({ "action": action(id.parse().unwrap()) })),
            Some((_, id)) => ok(&json!({ "droplet": droplet(id.parse().unwrap()) })),
        }
    })
    .await;
    let clock = Clock::wall();
    let now = clock.clone();
    let settings = Settings::new(vendor.url.clone(), SecretString::from("token"));
    let client = Client::new(&settings, Arc::new(move || now.now())).unwrap();
    (vendor, Watcher::new(client.clone(), Duration::from_secs(5)), clock, client)
}

const ANY: Look = Look { priority: Priority::Poll, since: Timestamp::MIN, patience: None };

trait Shows<T> {
    fn seen(self) -> Seen<T>;
}

impl<T> Shows<T> for SharedLook<T> {
    fn seen(self) -> Seen<T> {
        match self {
            SharedLook::Seen(seen) => seen,
            SharedLook::Later(moment) => panic!("nothing is seen before {moment}"),
        }
    }
}

async fn look_at(watcher: &Watcher, ids: impl IntoIterator<Item = u64>) {
    for seen in join_all(ids.into_iter().map(|id| watcher.action(ActionId(id), ANY))).await {
        assert_eq!(seen.unwrap().seen().value.status, ActionStatus::InProgress);
    }
}

#[tokio::test]
async fn a_few_are_looked_at_one_by_one() {
    let (vendor, watcher, _) = account().await;
    look_at(&watcher, 1..=2).await;
    let lines = vendor.lines();
    assert_eq!(lines.len(), 2);
    assert!(lines.iter().all(|line| line.starts_with("GET /v2/actions/")), "{lines:?}");
}

#[tokio::test]
async fn many_share_one_sweep_and_a_fresh_one_is_a_look() {
    let (vendor, watcher, clock) = account().await;
    look_at(&watcher, 1..=6).await;
    clock.advance(SignedDuration::from_secs(5));
    let before = vendor.lines().len();
    look_at(&watcher, 1..=100).await;
    assert_eq!(vendor.lines()[before..], ["GET /v2/actions?page=1&per_page=200"]);
    look_at(&watcher, 1..=100).await;
    assert_eq!(vendor.lines().len(), before + 1, "younger than the interval");
    clock.advance(SignedDuration::from_secs(5));
    look_at(&watcher, 1..=300).await;
    assert_eq!(vendor.lines().len(), before + 3, "two pages");
}

#[tokio::test]
async fn what_a_sweep_does_not_show_is_looked_at_by_itself() {
    let (vendor, watcher, clock) = account().await;
    look_at(&watcher, 1..=6).await;
    clock.advance(SignedDuration::from_secs(5));
    let before = vendor.lines().len();
    look_at(&watcher, (1..=40).chain([900])).await;
    let lines = &vendor.lines()[before..];
    assert_eq!(
        lines,
        ["GET /v2/actions?page=1&per_page=200", "GET /v2/actions?page=2&per_page=200", "GET /v2/actions/900"]
    );
    clock.advance(SignedDuration::from_secs(9));
    look_at(&watcher, [900]).await;
    assert_eq!(vendor.lines().len(), before + 4, "no list is read for it again");
}

#[tokio::test]
async fn one_page_that_shows_two_is_cheaper_than_two_looks() {
    let (vendor, watcher, clock) = account().await;
    look_at(&watcher, 1..=6).await;
    clock.advance(SignedDuration::from_secs(20));
    let before = vendor.lines().len();
    look_at(&watcher, [1]).await;
    look_at(&watcher, [2]).await;
    assert_eq!(vendor.lines()[before..], ["GET /v2/actions/1", "GET /v2/actions?page=1&per_page=200"]);
}

#[tokio::test]
async fn only_pages_that_showed_something_of_ours_are_read_again() {
    let (vendor, watcher, clock) = account().await;
    look_at(&watcher, 291..=296).await;
    clock.advance(SignedDuration::from_secs(9));
    let before = vendor.lines().len();
    look_at(&watcher, 291..=296).await;
    assert_eq!(vendor.lines()[before..], ["GET /v2/actions?page=2&per_page=200"]);
}

#[tokio::test]
async fn what_is_off_and_what_is_merely_watched_share_a_sweep_and_the_better_rank_lets_it_go() {
    let (vendor, watcher, clock, client) = account_with(Lists::Shown).await;
    join_all((1..=6).map(|id| watcher.droplet(DropletId(id), ANY))).await;
    clock.advance(SignedDuration::from_secs(5));
    while matches!(client.try_admit(Priority::Watch), Admission::Now(_)) {}
    let before = vendor.lines().len();
    let look = |id, priority| watcher.droplet(DropletId(id), Look { priority, ..ANY });
    let merely_on = join_all((1..=5).map(|id| look(id, Priority::Watch)));
    let (merely_on, off) = tokio::join!(merely_on, async {
        tokio::task::yield_now().await;
        assert_eq!(vendor.lines().len(), before, "those that are watched wait");
        look(6, Priority::Off).await
    });
    assert!(merely_on.into_iter().chain([off]).all(|seen| seen.is_ok()));
    assert_eq!(vendor.lines()[before..], ["GET /v2/droplets?page=1&per_page=200"]);
}

#[tokio::test]
async fn nobody_is_shown_an_older_reading_after_a_newer_one() {
    let (vendor, watcher, clock) = account().await;
    join_all((1..=40).map(|id| watcher.droplet(DropletId(id), ANY))).await;
    clock.advance(SignedDuration::from_secs(1));
    let newer = Look { since: clock.now(), ..ANY };
    let seen = watcher.droplet(DropletId(30), newer).await.unwrap().seen();
    let before = vendor.lines().len();
    assert!(watcher.droplet(DropletId(30), ANY).await.unwrap().seen().at >= seen.at);
    watcher.droplet(DropletId(31), ANY).await.unwrap();
    assert_eq!(vendor.lines()[before..], ["GET /v2/droplets/30"], "the others are still remembered");
}

#[tokio::test]
async fn a_list_that_cannot_be_had_keeps_nobody_from_looking_at_the_thing_itself() {
    let (vendor, watcher, _, _) = account_with(Lists::Forbidden).await;
    look_at(&watcher, 1..=8).await;
    assert_eq!(vendor.lines().iter().filter(|line| line.starts_with("GET /v2/actions/")).count(), 8);
}

#[tokio::test]
async fn a_reading_from_before_the_requesters_own_request_will_not_do() {
    let (vendor, watcher, clock) = account().await;
    let looks = (1..=40).map(|id| watcher.droplet(DropletId(id), ANY));
    join_all(looks).await;
    let before = vendor.lines().len();
    let since = clock.now() + SignedDuration::from_millis(1);
    clock.advance(SignedDuration::from_millis(2));
    let seen = watcher.droplet(DropletId(3), Look { since, ..ANY }).await.unwrap().seen();
    assert!(seen.at >= since);
    assert_eq!(vendor.lines()[before..], ["GET /v2/droplets/3"]);
}

#[tokio::test]
async fn bringing_power_back_waits_for_no_sweep() {
    let (vendor, watcher, clock) = account().await;
    join_all((1..=40).map(|id| watcher.droplet(DropletId(id), ANY))).await;
    clock.advance(SignedDuration::from_secs(5));
    let before = vendor.lines().len();
    let look = Look { priority: Priority::PowerOn, ..ANY };
    watcher.droplet(DropletId(3), look).await.unwrap();
    assert_eq!(vendor.lines()[before..], ["GET /v2/droplets/3"]);
}

#[tokio::test]
async fn who_can_wait_is_served_by_the_next_sweep_and_costs_no_request_of_their_own() {
    let (vendor, watcher, clock) = account().await;
    let began = clock.now();
    let patient = Look { patience: Some(SignedDuration::ZERO), ..ANY };
    join_all((1..=100).map(|id| watcher.droplet(DropletId(id), patient))).await;
    let before = vendor.lines().len();
    clock.advance(SignedDuration::from_secs(5));
    let SharedLook::Later(next) = watcher.droplet(DropletId(7), patient).await.unwrap() else {
        panic!("it is asked for")
    };
    assert!(next.duration_since(began) >= SignedDuration::from_secs(9), "a crowd of a hundred: every ten seconds");
    assert_eq!(vendor.lines().len(), before);
    clock.advance(next.duration_since(clock.now()) + SignedDuration::from_millis(1));
    let all = join_all((1..=100).map(|id| watcher.droplet(DropletId(id), patient))).await;
    assert!(all.into_iter().all(|seen| seen.unwrap().seen().at >= next));
    assert_eq!(vendor.lines()[before..], ["GET /v2/droplets?page=1&per_page=200"]);
}

#[tokio::test]
async fn a_single_look_is_put_off_where_the_last_one_is_young_and_requests_are_scarce() {
    let (vendor, watcher, clock) = account().await;
    let patient = Look { patience: Some(SignedDuration::from_secs(15)), ..ANY };
    let first = watcher.droplet(DropletId(7), patient).await.unwrap().seen();
    clock.advance(SignedDuration::from_secs(5));
    let again = watcher.droplet(DropletId(7), patient).await.unwrap();
    assert_eq!(again, SharedLook::Later(first.at + SignedDuration::from_secs(15)));
    assert_eq!(vendor.lines().len(), 1);
}
