//! One turn of the worker: claim what is due, look at a running Action, store the result. It uses in-memory SQLite and a simulated
//! DigitalOcean in the same thread, without a socket, so only the bot's own work is measured.

use std::sync::Arc;

use criterion::{Criterion, criterion_group, criterion_main};
use jiff::{SignedDuration, Timestamp};
use secrecy::SecretString;
use snapshot_bot::{
    clock::Clock,
    digitalocean::{
        call::Call,
        http_types::{HttpAnswer, HttpRequest, Method, TransportError},
    },
    operation::{
        NewOperation, Requester, Rules, Target, TypicalDurations,
        effect::{Answer, Effect},
        ids::{ChannelId, DropletId, GuildId, InteractionId, OperationId, UserId},
        kinds::{Downtime, IfHung, Kind, Take},
    },
    store::{self, Store},
    worker::{Worker, translate},
};
use snapshot_bot_sandbox::digitalocean::{
    droplet::Blueprint,
    http_types as simulated,
    settings::{Durations, Settings},
    world::{TOKEN, World},
};
use tokio::runtime::Runtime;

/// A take whose Snapshot never completes, so that it can be looked at forever.
struct EndlessTake {
    worker: Worker,
    world: World,
    operation: OperationId,
    rules: Rules,
    now: Timestamp,
}

impl EndlessTake {
    async fn new() -> Self {
        let now: Timestamp = "2026-11-22T12:00:00Z".parse().expect("a moment");
        let durations =
            Durations { snapshot: SignedDuration::from_hours(100_000), ..Durations::all(SignedDuration::from_secs(1)) };
        let mut world = World::new(Settings { durations, ..Settings::default() }, now);
        let droplet = world.add_droplet(&Blueprint::named("web-1"));
        let settings = store::Settings { url: SecretString::from("sqlite::memory:"), notify_channel: None };
        let store = Arc::new(Store::open(&settings, Clock::wall()).await.expect("a store"));
        let request = NewOperation {
            id: OperationId::from_random(1),
            kind: Kind::Take(Take { power: Downtime::PowerOff, if_hung: IfHung::Ask }),
            requester: Requester { user: UserId(1), guild: GuildId(2), channel: ChannelId(3) },
            asked_at: now,
            target: Target { droplet: Some(DropletId(droplet)), name: "web-1".to_owned(), region: None, disk_gb: None },
            snapshot_name: None,
            typical: TypicalDurations::default(),
        };
        let operation = store.create(request, InteractionId(1)).await.expect("created").id;
        let second = SignedDuration::from_secs(1);
        let rules = Rules {
            shutdown_timeout: SignedDuration::from_mins(2),
            decision_timeout: SignedDuration::from_mins(10),
            settle_time: SignedDuration::from_secs(30),
            poll_interval: second,
            droplet_tag: None,
            are_requests_scarce: false,
        };
        let mut take = Self { worker: Worker::new(store), world, operation, rules, now };
        for _ in 0..100 {
            Box::pin(take.turn()).await;
        }
        take
    }

    /// Advances the clock by a minute, the longest pause between two looks, and lets the worker look.
    async fn turn(&mut self) {
        self.now += SignedDuration::from_mins(1);
        let claimed = self.worker.claim(self.operation, &self.rules, self.now).await.expect("a readable store");
        let Some(claimed) = claimed else { return };
        let begun = Box::pin(self.worker.begin(claimed, &self.rules, self.now));
        let claimed = begun.await.expect("a commit");
        let call = match claimed.effect() {
            Effect::Look(look) => translate::look(look),
            Effect::Send(command) => translate::command(command),
            Effect::Sleep(_) | Effect::Rest => return,
        };
        let answer = self.exchange(call);
        self.worker.finish(claimed, answer, &self.rules, self.now).await.expect("a commit");
    }

    fn exchange(&mut self, call: Call<Answer>) -> Answer {
        let (world, now) = (&mut self.world, self.now);
        let answer = call.exchange(|request: HttpRequest| -> Result<HttpAnswer, TransportError> {
            let method = match request.method {
                Method::Get => simulated::Method::Get,
                Method::Post => simulated::Method::Post,
                Method::Delete => simulated::Method::Delete,
            };
            let mut simulated = simulated::Request::new(method, &request.path_and_query).bearer(TOKEN);
            simulated.body = request.body.unwrap_or_default().into_bytes();
            let answer = world.handle(&simulated, now);
            let headers = answer.headers.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
            Ok(HttpAnswer { status: answer.status, headers, body: answer.body, received_at: now })
        });
        answer.unwrap_or_else(|error| Answer::Trouble(translate::trouble(&error, now)))
    }
}

fn turn(criterion: &mut Criterion) {
    let runtime = Runtime::new().expect("a runtime");
    let mut take = runtime.block_on(EndlessTake::new());
    criterion.bench_function("one look at a running Action", |bencher| {
        bencher.iter(|| runtime.block_on(take.turn()));
    });
}

criterion_group!(benches, turn);
criterion_main!(benches);
