//! What a person who types is offered, and how many requests that costs.

use std::sync::{Arc, Mutex};

use jiff::SignedDuration;
use secrecy::SecretString;
use serde_json::{Value, json};
use snapshot_bot::{
    clock::Clock,
    digitalocean::client::{Client, Settings},
    inventory::{DropletLocation, Inventory, Made, Origin, TagFilter, Unresolved},
    operation::ids::{DropletId, SnapshotId},
};
use tokio::{sync::watch, task::JoinSet};
use tokio_util::sync::CancellationToken;

use crate::vendor::{Arrived, Reply, Vendor};

/// What exists at the vendor. A test changes it freely.
#[derive(Default)]
pub(crate) struct Account {
    pub(crate) droplets: Vec<Value>,
    pub(crate) snapshots: Vec<Value>,
    pub(crate) backups: Vec<Value>,
    pub(crate) down: bool,
    knows_no_filters: bool,
    /// The hourly limit that the answers name.
    pub(crate) limit: Option<u64>,
    /// The gate, and the ending of the paths whose answers wait for it.
    pub(crate) held: Option<(&'static str, watch::Receiver<bool>)>,
}

pub(crate) fn droplet(id: u64, name: &str, tags: &[&str]) -> Value {
    json!({ "id": id, "name": name, "status": "active", "disk": 25, "region": { "slug": "nyc3" }, "tags": tags })
}

pub(crate) fn snapshot(id: u64, name: &str, of: u64, day: u8) -> Value {
    json!({ "id": id.to_string(), "name": name, "resource_id": of.to_string(), "resource_type": "droplet",
        "created_at": format!("2020-07-{day:02}T12:00:00Z"), "size_gigabytes": 2.34 })
}

impl Account {
    fn answer(&self, arrived: &Arrived) -> Reply {
        if self.down {
            return refusal(403, "forbidden");
        }
        let url = url::Url::parse(&format!("http://x{}", arrived.line.trim_start_matches("GET "))).unwrap();
        let reply = match self.body(&url) {
            Some(body) => {
                let limit = self.limit.map(|limit| ("ratelimit-limit", limit.to_string()));
                Reply::Answer(200, limit.into_iter().collect(), body.to_string())
            }
            None => refusal(404, "not_found"),
        };
        match &self.held {
            Some((end, gate)) if url.path().ends_with(end) => Reply::After(gate.clone(), Box::new(reply)),
            Some(_) | None => reply,
        }
    }

    fn body(&self, url: &url::Url) -> Option<Value> {
        let asked = |name: &str| url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned());
        let (tag, name) = (asked("tag_name"), asked("name"));
        let fits = |droplet: &&Value| {
            self.knows_no_filters
                || droplet["gpu"] != true
                    && tag.as_ref().is_none_or(|tag| droplet["tags"].as_array().unwrap().contains(&json!(tag)))
                    && name.as_ref().is_none_or(|name| droplet["name"] == *name)
        };
        let parts: Vec<_> = url.path().split('/').skip(2).collect();
        let with_id = |things: &[Value], id: &str| things.iter().find(|thing| said(&thing["id"]) == id).cloned();
        let of = |things: &[Value], id: &str| {
            things.iter().filter(|thing| said(&thing["resource_id"]) == id).cloned().collect::<Vec<_>>()
        };
        Some(match parts.as_slice() {
            ["snapshots"] => json!({ "snapshots": self.snapshots }),
            ["snapshots", id] => json!({ "snapshot": with_id(&self.snapshots, id)? }),
            ["droplets"] => json!({ "droplets": self.droplets.iter().filter(fits).collect::<Vec<_>>() }),
            ["droplets", id] => json!({ "droplet": with_id(&self.droplets, id)? }),
            ["droplets", id, "backups"] => json!({ "backups": of(&self.backups, id) }),
            ["droplets", id, "snapshots"] => json!({ "snapshots": of(&self.snapshots, id) }),
            _ => return None,
        })
    }
}

fn refusal(status: u16, id: &str) -> Reply {
    Reply::Answer(status, Vec::new(), json!({ "id": id, "message": "no" }).to_string())
}

/// An id, as a number or as text.
fn said(id: &Value) -> String {
    id.as_str().map_or_else(|| id.to_string(), str::to_owned)
}

/// An inventory, and the account that it reads.
pub(crate) struct TestInventory {
    pub(crate) account: Arc<Mutex<Account>>,
    pub(crate) vendor: Vendor,
    clock: Clock,
    pub(crate) inventory: Arc<Inventory>,
    _running: JoinSet<()>,
}

impl TestInventory {
    pub(crate) async fn new(tag: Option<&str>, droplets: Vec<Value>, snapshots: Vec<Value>) -> Self {
        let account = Arc::new(Mutex::new(Account { droplets, snapshots, ..Account::default() }));
        let world = Arc::clone(&account);
        let vendor = Vendor::start(move |arrived| world.lock().unwrap().answer(arrived)).await;
        let clock = Clock::wall();
        let now = clock.clone();
        let settings = Settings::new(vendor.url.clone(), SecretString::from("token"));
        let client = Client::new(&settings, Arc::new(move || now.now())).unwrap();
        // According to our history, the bot took everything with such a name.
        let made: Made =
            Arc::new(|names| Box::pin(async { names.into_iter().filter(|name| name.starts_with("ours-")).collect() }));
        let tagged = tag.map(|tag| TagFilter { tag: tag.to_owned(), made });
        let inventory = Arc::new(Inventory::new(client, tagged));
        let mut running = JoinSet::new();
        running.spawn(Arc::clone(&inventory).run(CancellationToken::new()));
        Self { account, vendor, clock, inventory, _running: running }
    }

    pub(crate) async fn typing(&self, text: &str) -> Vec<String> {
        self.inventory.find_droplets(text, 25).await.into_iter().map(|choice| choice.label).collect()
    }

    pub(crate) async fn typing_snapshot(&self, text: &str) -> Vec<u64> {
        let found = self.inventory.find_snapshots(text, 25).await;
        found.into_iter().map(|snapshot| snapshot.id.0).collect()
    }

    /// The suggestions for a restore of this Droplet: ids, with a mark on backups.
    pub(crate) async fn typing_restore(&self, of: u64, text: &str) -> Vec<(u64, Origin)> {
        let found = self.inventory.find_restorable(DropletId(of), text, 25).await;
        found.into_iter().map(|(image, origin)| (image.id.0, origin)).collect()
    }

    /// Lets answers to paths with this ending wait until the gate is opened.
    pub(crate) fn hold(&self, end: &'static str) -> watch::Sender<bool> {
        let (open, gate) = watch::channel(false);
        self.account.lock().unwrap().held = Some((end, gate));
        open
    }

    pub(crate) async fn resolve(&self, text: &str) -> Result<u64, Unresolved> {
        self.inventory.resolve_droplet(text).await.map(|droplet| droplet.id.0)
    }

    pub(crate) fn requests(&self) -> usize {
        self.vendor.lines().len()
    }

    /// Waits until the vendor has received `count` requests in all.
    pub(crate) async fn asked(&self, count: usize) {
        while self.requests() < count {
            tokio::task::yield_now().await;
        }
    }

    /// Types until these are the suggestions.
    async fn offers_soon(&self, text: &str, labels: &[&str]) {
        while self.typing(text).await != labels {
            tokio::task::yield_now().await;
        }
    }

    pub(crate) fn wait(&self, seconds: i64) {
        self.clock.advance(SignedDuration::from_secs(seconds));
    }
}

pub(crate) fn names(names: &[&str]) -> Vec<Value> {
    (1..).zip(names).map(|(id, name)| droplet(id, name, &[])).collect()
}

#[tokio::test]
async fn no_request_leaves_before_somebody_types_and_one_serves_all_keys() {
    let test = TestInventory::new(None, names(&["web-1", "web-10", "db", "old-web-1"]), Vec::new()).await;
    assert_eq!(test.requests(), 0);
    let label = |name: &str| format!("{name} · nyc3 · 25 GB");
    for text in ["w", "we", "web", "web-1"] {
        assert_eq!(test.typing(text).await, ["web-1", "web-10", "old-web-1"].map(label), "{text}");
    }
    assert_eq!(test.typing("").await, ["db", "old-web-1", "web-1", "web-10"].map(label));
    assert_eq!(test.requests(), 1);
}

#[tokio::test]
async fn keys_typed_at_once_into_an_empty_cache_share_one_reading() {
    let test = TestInventory::new(None, names(&["web-1"]), Vec::new()).await;
    let (one, two, three) = tokio::join!(test.typing("w"), test.typing("we"), test.typing("web"));
    assert_eq!([one.len(), two.len(), three.len()], [1, 1, 1]);
    assert_eq!(test.requests(), 1);
}

#[tokio::test]
async fn after_a_minute_the_old_list_answers_and_the_new_one_follows() {
    let test = TestInventory::new(None, names(&["web-1"]), Vec::new()).await;
    test.typing("web").await;
    test.account.lock().unwrap().droplets = names(&["web-2"]);
    test.wait(59);
    assert_eq!(test.typing("web").await, ["web-1 · nyc3 · 25 GB"]);
    assert_eq!(test.requests(), 1);
    test.wait(1);
    assert_eq!(test.typing("web").await, ["web-1 · nyc3 · 25 GB"]);
    test.offers_soon("web", &["web-2 · nyc3 · 25 GB"]).await;
    assert_eq!(test.requests(), 2);
}

#[tokio::test]
async fn a_text_that_matches_nothing_looks_again_every_five_seconds_at_most() {
    let test = TestInventory::new(None, names(&["web-1"]), Vec::new()).await;
    assert!(test.typing("db").await.is_empty());
    test.account.lock().unwrap().droplets = names(&["db-1"]);
    test.wait(4);
    assert!(test.typing("db").await.is_empty());
    assert_eq!(test.requests(), 1);
    test.wait(1);
    test.offers_soon("db", &["db-1 · nyc3 · 25 GB"]).await;
    assert_eq!(test.requests(), 2);
}

#[tokio::test]
async fn after_an_operation_a_list_in_use_is_read_again_and_an_unused_one_is_not() {
    let test = TestInventory::new(None, names(&["web-1"]), vec![snapshot(5, "s", 1, 1)]).await;
    test.inventory.invalidate();
    test.typing("web").await;
    test.wait(6);
    test.inventory.invalidate();
    test.asked(2).await;
    assert!(test.vendor.lines().iter().all(|line| line.contains("/droplets")), "nobody asked for Snapshots");
    test.wait(601);
    test.inventory.invalidate();
    assert_eq!(test.typing_snapshot("s").await, [5]);
    assert_eq!(test.requests(), 3, "ten minutes later nobody is typing any more");
}

#[tokio::test]
async fn a_value_may_be_an_id_or_a_name_that_only_one_has() {
    let test = TestInventory::new(None, names(&["web-1", "Web-1", "db", "twin", "twin", "3"]), Vec::new()).await;
    assert_eq!(test.resolve("1").await, Ok(1));
    assert_eq!(test.resolve("3").await, Ok(3), "an id goes before a name");
    assert_eq!(test.resolve("web-1").await, Ok(1));
    assert_eq!(test.resolve("Web-1").await, Ok(2));
    assert_eq!(test.resolve(" DB ").await, Ok(3));
    assert!(matches!(test.resolve("WEB-1").await, Err(Unresolved::Ambiguous { .. })));
    let Err(Unresolved::Ambiguous { name, labels }) = test.resolve("twin").await else { panic!("two are called so") };
    assert_eq!((name.as_str(), labels.len()), ("twin", 2));
}

#[tokio::test]
async fn an_unknown_name_is_answered_with_the_nearest() {
    let test = TestInventory::new(None, names(&["web-1", "web-2", "database", "mail"]), Vec::new()).await;
    let nearest = |result| match result {
        Err(Unresolved::NotFound { nearest }) => nearest,
        other => panic!("{other:?}"),
    };
    assert_eq!(nearest(test.resolve("wbe-1").await), ["web-1", "web-2"]);
    assert_eq!(nearest(test.resolve("data").await), ["database"]);
    assert_eq!(nearest(test.resolve("zzz").await), [""; 0]);
    assert_eq!(nearest(test.resolve("").await), [""; 0]);
    assert_eq!(nearest(test.resolve("999").await), [""; 0]);
}

#[tokio::test]
async fn a_droplet_that_was_made_just_now_is_found() {
    let test = TestInventory::new(None, names(&["web-1"]), Vec::new()).await;
    test.typing("web").await;
    test.account.lock().unwrap().droplets = names(&["web-1", "web-2"]);
    test.wait(5);
    assert_eq!(test.resolve("web-2").await, Ok(2));
}

#[tokio::test]
async fn without_its_tag_a_droplet_is_neither_offered_nor_taken() {
    let droplets = vec![droplet(1, "web-1", &["bot", "x"]), droplet(2, "web-2", &["x"])];
    let snapshots = vec![
        snapshot(5, "a", 1, 1),
        snapshot(6, "b", 2, 1),
        snapshot(7, "c", 99, 1),
        snapshot(8, "ours-of-one-that-is-gone", 99, 1),
    ];
    let test = TestInventory::new(Some("bot"), droplets, snapshots).await;
    assert_eq!(test.typing("web").await, ["web-1 · nyc3 · 25 GB"]);
    assert_eq!(test.typing_snapshot("").await, [8, 5], "what we took ourselves outlives its Droplet");
    assert_eq!(test.inventory.resolve_snapshot("8").await.unwrap().id, SnapshotId(8));
    for foreign in ["6", "7"] {
        let refusal = test.inventory.resolve_snapshot(foreign).await;
        assert!(matches!(refusal, Err(Unresolved::NotFound { .. })), "{foreign}: {refusal:?}");
    }
    let refusal = Err(Unresolved::NotTagged { name: "web-2".to_owned(), tag: "bot".to_owned() });
    assert_eq!(test.resolve("2").await, refusal);
    assert_eq!(test.resolve("web-2").await, refusal);
    assert!(matches!(test.resolve("web-3").await, Err(Unresolved::NotFound { .. })));
}

#[tokio::test]
async fn a_list_that_was_not_filtered_by_tag_is_filtered_here() {
    let droplets = vec![droplet(1, "web-1", &["bot"]), droplet(2, "web-2", &["x"])];
    let test = TestInventory::new(Some("bot"), droplets, Vec::new()).await;
    test.account.lock().unwrap().knows_no_filters = true;
    assert_eq!(test.typing("web").await, ["web-1 · nyc3 · 25 GB"]);
}

#[tokio::test]
async fn snapshots_of_the_chosen_droplet_come_newest_first() {
    let snapshots = vec![snapshot(5, "old", 1, 1), snapshot(6, "newest", 1, 9), snapshot(7, "other", 2, 5)];
    let test = TestInventory::new(None, names(&["web-1", "web-2"]), snapshots).await;
    let own = |ids: &[u64]| ids.iter().map(|id| (*id, Origin::Snapshot)).collect::<Vec<_>>();
    assert_eq!(test.typing_restore(1, "").await, own(&[6, 5]));
    assert_eq!(test.typing_snapshot("").await, [6, 7, 5]);
    assert_eq!(test.typing_restore(1, "ol").await, own(&[5]));
    let inspection = test.inventory.inspect(DropletId(1)).await.unwrap();
    let resolve = async |text| test.inventory.resolve_restorable(&inspection, text).await;
    assert_eq!(resolve("old").await.unwrap().id, SnapshotId(5));
    assert_eq!(resolve("7").await, Err(Unresolved::OfAnotherDroplet { name: "other".to_owned() }));
    assert!(matches!(resolve("nweest").await, Err(Unresolved::NotFound { nearest }) if nearest == ["newest"]));
}

#[tokio::test]
async fn what_a_list_lacks_is_called_gone_only_when_it_is() {
    let mut hidden = droplet(3, "gpu-1", &[]);
    hidden["gpu"] = json!(true);
    let snapshots = vec![snapshot(5, "a", 1, 1), snapshot(6, "b", 3, 1), snapshot(7, "c", 99, 1)];
    let test = TestInventory::new(None, vec![droplet(1, "web-1", &[]), hidden], snapshots).await;
    let listing = test.inventory.listing(None).await.unwrap();
    let look = async || test.inventory.locate(&listing, [1, 3, 99].map(DropletId)).await;
    let there = |name: &str| DropletLocation::There(name.to_owned());
    let known = [(1, there("web-1")), (3, there("gpu-1")), (99, DropletLocation::Gone)];
    assert_eq!(look().await, known.map(|(id, found)| (DropletId(id), found)).into());
    let asked = test.requests();
    assert_eq!(look().await.len(), 3);
    assert_eq!(test.requests(), asked, "what was looked at is remembered");
    test.account.lock().unwrap().down = true;
    let unknown = test.inventory.locate(&listing, [DropletId(98)]).await;
    assert_eq!(unknown[&DropletId(98)], DropletLocation::Unlisted);
}

#[tokio::test]
async fn when_digitalocean_cannot_be_asked_that_is_said_and_not_asked_at_every_key() {
    let test = TestInventory::new(None, names(&["web-1"]), Vec::new()).await;
    test.account.lock().unwrap().down = true;
    assert!(test.typing("web").await.is_empty());
    assert!(test.typing("web").await.is_empty());
    assert!(matches!(test.resolve("web-1").await, Err(Unresolved::Forbidden { .. })));
    assert_eq!(test.requests(), 1);
    test.account.lock().unwrap().down = false;
    test.wait(5);
    assert_eq!(test.resolve("web-1").await, Ok(1));
    test.account.lock().unwrap().down = true;
    test.wait(61);
    assert_eq!(test.typing("web").await.len(), 1, "an old list is better than none");
}
