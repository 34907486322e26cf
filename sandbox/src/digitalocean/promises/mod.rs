//! What the simulated world promises, with a test for each promise, because other tests rely on it. This file is their common setup.

mod behaviour;
mod faults;
mod nonsense;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::{
    droplet::Blueprint,
    http_types::{Answer, Method, Request},
    settings::{Durations, Settings},
    world::{TOKEN, World},
};

/// A world with one running Droplet, in which every Action takes ten seconds, and its clock.
pub(super) struct Bench {
    pub(super) world: World,
    pub(super) droplet: u64,
    pub(super) now: Timestamp,
}

pub(super) fn seconds(seconds: i64) -> SignedDuration {
    SignedDuration::from_secs(seconds)
}

impl Bench {
    pub(super) fn new() -> Self {
        Self::with(Settings { off_lag: seconds(0), listing_delay: seconds(0), ..Settings::default() })
    }

    pub(super) fn with(settings: Settings) -> Self {
        let now = Timestamp::from_second(1_790_000_000).unwrap();
        let mut world = World::new(Settings { durations: Durations::all(seconds(10)), ..settings }, now);
        let droplet = world.add_droplet(&Blueprint::named("web-1").tag("prod"));
        Self { world, droplet, now }
    }

    pub(super) fn ask(&mut self, method: Method, path: &str, body: &Value) -> Answer {
        let request = Request::new(method, path).bearer(TOKEN);
        let request = if body.is_null() { request } else { request.json(body) };
        self.world.handle(&request, self.now)
    }

    pub(super) fn get(&mut self, path: &str) -> Value {
        let answer = self.ask(Method::Get, path, &Value::Null);
        assert_eq!(answer.status, 200, "{path}: {}", answer.json());
        answer.json()
    }

    pub(super) fn act(&mut self, body: &Value) -> Answer {
        let path = format!("/v2/droplets/{}/actions", self.droplet);
        self.ask(Method::Post, &path, body)
    }

    /// Starts an Action that must be accepted.
    pub(super) fn begin(&mut self, kind: &str) -> u64 {
        let answer = self.act(&json!({"type": kind, "name": "snap"}));
        assert_eq!(answer.status, 201, "{kind}: {}", answer.json());
        answer.json()["action"]["id"].as_u64().unwrap()
    }

    pub(super) fn wait(&mut self, by: i64) {
        self.now += seconds(by);
        self.world.advance(self.now);
    }

    pub(super) fn status(&mut self) -> Value {
        let path = format!("/v2/droplets/{}", self.droplet);
        self.get(&path)["droplet"]["status"].clone()
    }

    pub(super) fn action_status(&mut self, id: u64) -> Value {
        self.get(&format!("/v2/actions/{id}"))["action"]["status"].clone()
    }

    pub(super) fn refused(answer: &Answer, status: u16, message: &str) {
        assert_eq!(answer.status, status, "{}", answer.json());
        assert_eq!(answer.json()["message"], message);
    }
}
