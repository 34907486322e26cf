//! The settings of a simulated Discord: the bot's identity, addresses, time limits and rate limits.
//!
//! Provided by tests, the demo and the `sandbox` command; the defaults are Discord's own numbers.

use std::{fmt, net::SocketAddr, sync::Arc, time::Duration};

use jiff::Timestamp;

/// A source of the current time that is passed in, so that a test can move time.
#[derive(Clone)]
pub struct Now(Arc<dyn Fn() -> Timestamp + Send + Sync>);

impl Now {
    /// Calls this function for the time.
    pub fn new(now: impl Fn() -> Timestamp + Send + Sync + 'static) -> Self {
        Self(Arc::new(now))
    }

    /// The machine's own clock.
    #[expect(clippy::disallowed_methods, reason = "the sandbox imports nothing of ours, so not the Clock either")]
    pub fn wall() -> Self {
        Self::new(Timestamp::now)
    }

    /// The current time.
    pub fn get(&self) -> Timestamp {
        (self.0)()
    }
}

impl fmt::Debug for Now {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Now({})", self.get())
    }
}

/// How many requests the bot may send; the numbers that Discord documents or is known for.
#[derive(Clone, Debug)]
pub struct RateLimits {
    /// Whether limits are enforced at all; headers are sent in either case.
    pub enforced: bool,
    /// Requests per second over all routes, except interaction endpoints.
    pub global_per_second: u32,
    /// Messages created in one Channel, and edited in one Channel, in five seconds.
    pub messages_per_five_seconds: u32,
    /// Requests per second to any other route and top-level resource.
    pub others_per_second: u32,
}

impl Default for RateLimits {
    fn default() -> Self {
        Self { enforced: true, global_per_second: 50, messages_per_five_seconds: 5, others_per_second: 50 }
    }
}

/// The settings of a simulated Discord.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The address on which REST (TLS) listens; loopback only.
    pub rest: SocketAddr,
    /// The address on which the gateway (plain `ws://`) listens; loopback only.
    pub gateway: SocketAddr,
    /// The only token that is accepted.
    pub token: String,
    /// The bot's user name.
    pub bot_name: String,
    /// The source of the current time.
    pub now: Now,
    /// How long the first response to an Interaction may take.
    pub acknowledge_within: Duration,
    /// How long an Interaction's token can be used for follow-ups.
    pub token_life: Duration,
    /// How long a nonce is remembered.
    pub nonce_memory: Duration,
    /// The heartbeat interval that hello announces to the bot.
    pub heartbeat_interval: Duration,
    /// How many application commands may be created a day in one scope.
    pub command_creates_a_day: usize,
    /// How many edits an hour of Messages older than an hour are allowed.
    pub old_edits_an_hour: usize,
    /// Rate limits.
    pub rate_limits: RateLimits,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            rest: SocketAddr::from(([127, 0, 0, 1], 0)),
            gateway: SocketAddr::from(([127, 0, 0, 1], 0)),
            token: "MTIwMDAwMDAwMDAwMDAwMDAwMQ.Gsandb.a-token-that-is-good-nowhere-else".to_owned(),
            bot_name: "snapshot-bot".to_owned(),
            now: Now::wall(),
            acknowledge_within: Duration::from_secs(3),
            token_life: Duration::from_mins(15),
            nonce_memory: Duration::from_mins(5),
            heartbeat_interval: Duration::from_millis(41_250),
            command_creates_a_day: 200,
            old_edits_an_hour: 30,
            rate_limits: RateLimits::default(),
        }
    }
}
