//! Rows that a newer version has written, read and written again by this one.

use serde_json::Value;
use snapshot_bot::{
    operation::{Outcome, ids::InteractionId},
    store::Loaded,
};
use sqlx::Row;

use crate::memory::{Memory, at, ended, load, owing, request};

async fn state(memory: &Memory) -> Value {
    let pool = memory.back_door().await;
    let row = sqlx::query("SELECT state FROM operations").fetch_one(&pool).await.unwrap();
    pool.close().await;
    serde_json::from_str(row.get("state")).unwrap()
}

/// Stores a state as a newer version would, with unknown fields.
async fn enrich(memory: &Memory) {
    let mut state = state(memory).await;
    state["mood"] = serde_json::json!({"since": 1, "words": ["calm"]});
    state["steps"][1]["colour"] = "blue".into();
    state["power"]["rank"] = 7.into();
    let text = state.to_string();
    memory.tamper(&format!("UPDATE operations SET state = '{text}'")).await;
}

contract! {
    async fn fields_of_a_newer_version_outlive_what_this_one_writes(memory: &Memory) {
        let store = memory.open().await;
        let operation = store.create(request(1, 10), InteractionId(1)).await.unwrap();
        enrich(memory).await;
        let loaded = load(&store, operation.id).await;
        assert_eq!(loaded.operation, operation);
        store.commit(&loaded, &owing(&operation, at(3)), Some(at(3))).await.unwrap();
        let loaded = load(&store, operation.id).await;
        let after = ended(loaded.operation.clone(), Outcome::Completed, at(9));
        store.commit(&loaded, &after, None).await.unwrap();
        let written = state(memory).await;
        assert_eq!(written["mood"], serde_json::json!({"since": 1, "words": ["calm"]}));
        assert_eq!((&written["steps"][1]["colour"], &written["power"]["rank"]), (&"blue".into(), &7.into()));
        assert_eq!(load(&store, operation.id).await.operation, after);
    }

    async fn they_outlive_owed_power_that_is_handed_over(memory: &Memory) {
        let store = memory.open().await;
        let operation = store.create(request(1, 10), InteractionId(1)).await.unwrap();
        let loaded = load(&store, operation.id).await;
        let after = ended(owing(&operation, at(3)), Outcome::Completed, at(9));
        store.commit(&loaded, &after, Some(at(30))).await.unwrap();
        enrich(memory).await;
        store.create(request(2, 10), InteractionId(2)).await.unwrap();
        let pool = memory.back_door().await;
        let row = sqlx::query("SELECT state FROM operations WHERE kind = 'take' AND is_open = 0").fetch_one(&pool).await.unwrap();
        pool.close().await;
        let written: Value = serde_json::from_str(row.get("state")).unwrap();
        assert_eq!(written["power"]["rank"], 7);
    }

    async fn what_was_never_unknown_is_written_as_ever(memory: &Memory) {
        let store = memory.open().await;
        let operation = store.create(request(1, 10), InteractionId(1)).await.unwrap();
        let loaded = load(&store, operation.id).await;
        assert_eq!(loaded, Loaded::committed(operation.clone(), loaded.version));
        store.commit(&loaded, &operation, None).await.unwrap();
        assert_eq!(state(memory).await, serde_json::to_value(&operation).unwrap());
    }
}
