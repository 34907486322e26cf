//! One keystroke in an account with 1,000 Droplets and 10,000 Snapshots, from the text to the 25 choices.
//!
//! The list is read once from a server on loopback that answers from memory; after that no request is sent.

use std::{hint::black_box, sync::Arc};

use axum::{Json, Router, extract::Query, routing::get};
use criterion::{Criterion, criterion_group, criterion_main};
use secrecy::SecretString;
use serde_json::{Value, json};
use snapshot_bot::{
    clock::Clock,
    digitalocean::client::{Client, Settings},
    inventory::Inventory,
};
use tokio::{net::TcpListener, runtime::Runtime, task::JoinSet};
use tokio_util::sync::CancellationToken;

const DROPLETS: u64 = 1_000;
const SNAPSHOTS: u64 = 10_000;

#[derive(serde::Deserialize)]
struct Page {
    page: u64,
    per_page: u64,
}

impl Page {
    fn of(&self, field: &str, total: u64, item: impl Fn(u64) -> Value) -> Json<Value> {
        let first = (self.page - 1) * self.per_page;
        let items: Vec<_> = (first..total.min(first + self.per_page)).map(item).collect();
        Json(json!({ field: items, "meta": { "total": total } }))
    }
}

fn droplet(id: u64) -> Value {
    let kind = ["web", "db", "worker", "minecraft", "cache"][usize::try_from(id % 5).unwrap_or_default()];
    json!({ "id": id + 1, "name": format!("{kind}-{id:04}"), "status": "active", "disk": 25, "region": { "slug": "nyc3" } })
}

fn snapshot(id: u64) -> Value {
    let of = droplet(id % DROPLETS);
    let name = format!("{}-20261122-1740-{id:08}", of["name"].as_str().unwrap_or_default());
    json!({ "id": id + 1, "name": name, "resource_id": of["id"], "resource_type": "droplet", "size_gigabytes": 12.4,
        "created_at": "2026-11-22T17:40:00Z" })
}

async fn filled_inventory(tasks: &mut JoinSet<()>) -> Arc<Inventory> {
    let vendor = Router::new()
        .route("/v2/droplets", get(|page: Query<Page>| async move { page.of("droplets", DROPLETS, droplet) }))
        .route("/v2/snapshots", get(|page: Query<Page>| async move { page.of("snapshots", SNAPSHOTS, snapshot) }));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback");
    let url = format!("http://{}", listener.local_addr().expect("bound"));
    tasks.spawn(async move { axum::serve(listener, vendor).await.expect("serves") });
    let settings = Settings::new(url.parse().expect("a URL"), SecretString::from("token"));
    let clock = Clock::wall();
    // The list stays fresh for the whole bench.
    let began = clock.now();
    let client = Client::new(&settings, Arc::new(move || began)).expect("a client");
    let inventory = Arc::new(Inventory::new(client, None));
    tasks.spawn(Arc::clone(&inventory).run(CancellationToken::new()));
    assert_eq!(inventory.find_droplets("", 25).await.len(), 25);
    assert_eq!(inventory.find_snapshots("", 25).await.len(), 25);
    inventory
}

fn autocomplete(criterion: &mut Criterion) {
    let runtime = Runtime::new().expect("a runtime");
    let mut tasks = runtime.block_on(async { JoinSet::new() });
    let inventory = runtime.block_on(filled_inventory(&mut tasks));
    for text in ["", "w", "web", "web-0420", "no such name"] {
        criterion.bench_function(&format!("droplets, {text:?}"), |bencher| {
            bencher.to_async(&runtime).iter(|| async { black_box(inventory.find_droplets(text, 25).await) });
        });
        criterion.bench_function(&format!("snapshots, {text:?}"), |bencher| {
            bencher.to_async(&runtime).iter(|| async { black_box(inventory.find_snapshots(text, 25).await) });
        });
    }
}

criterion_group!(benches, autocomplete);
criterion_main!(benches);
