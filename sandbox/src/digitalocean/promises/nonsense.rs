//! Random requests: none of them may break the world.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::Bench;
use crate::digitalocean::{
    http_types::{Method, Request},
    world::TOKEN,
};

/// Requests that are almost valid, which finds more problems than random noise would.
fn nearly_right() -> impl Strategy<Value = Request> {
    let method = prop::sample::select(vec![Method::Get, Method::Post, Method::Put, Method::Patch, Method::Delete]);
    let words = [
        "v2",
        "droplets",
        "actions",
        "snapshots",
        "images",
        "tags",
        "account",
        "keys",
        "resources",
        "1001",
        "%41",
        "é",
    ];
    let word = prop_oneof![4 => prop::sample::select(words.to_vec()).prop_map(str::to_owned), 1 => ".{0,6}"];
    let path = prop::collection::vec(word, 0..5);
    let query = prop_oneof![Just(String::new()), "(page|per_page|tag_name|name|resource_type)=[-0-9a-z%]{0,20}"];
    let kind =
        prop::sample::select(vec!["shutdown", "snapshot", "restore", "rebuild", "resize", "rename", "create", ""]);
    let value = prop_oneof![
        Just(json!(null)),
        Just(json!(1001)),
        Just(json!(-1.5)),
        ".{0,8}".prop_map(Value::from),
        Just(json!([{}]))
    ];
    let keys = prop::sample::select(vec!["name", "names", "image", "size", "resources", "tags", "ssh_keys"]);
    let body = (kind, prop::collection::vec((keys, value), 0..4)).prop_map(|(kind, fields)| {
        let mut body: serde_json::Map<_, _> = fields.into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
        body.insert("type".to_owned(), Value::from(kind));
        Value::Object(body)
    });
    (method, path, query, body).prop_map(|(method, path, query, body)| {
        Request::new(method, &format!("/v2/{}?{query}", path.join("/"))).bearer(TOKEN).json(&body)
    })
}

proptest! {
    #[test]
    fn whatever_is_asked_the_answer_is_a_proper_one(requests in prop::collection::vec(nearly_right(), 1..20)) {
        let mut bench = Bench::new();
        for request in requests {
            let answer = bench.world.handle(&request, bench.now);
            prop_assert!(matches!(answer.status, 200..=202 | 204 | 400 | 404 | 422 | 429), "{}", answer.status);
            prop_assert_eq!(answer.body.is_empty(), answer.status == 204);
            prop_assert!(answer.status < 400 || answer.json()["message"].is_string());
            bench.wait(7);
        }
    }
}
