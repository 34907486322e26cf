//! A death: at which request it comes, and what happens to that request.

use std::fmt;

use snapshot_bot_sandbox::{
    control::gate::{self, Point, Waiting},
    digitalocean::{fault::Pattern, http_types::Method},
};

use crate::stage::Stage;

/// The service that receives the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Service {
    Discord,
    DigitalOcean,
}

/// A kind of request. Those that change something are counted separately from looks, whose number differs from run to run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Kind {
    pub(super) service: Service,
    pub(super) method: Method,
}

impl Kind {
    /// What can happen to such a request. Looks change nothing, so a late one is like a lost one.
    pub(super) fn transits(self, everything: bool) -> &'static [Transit] {
        match self.method {
            Method::Get if !everything => &[Transit::Lost, Transit::Unanswered],
            // An edit that is late by the length of a restart looks like one that was made after it.
            Method::Patch => &[Transit::Lost, Transit::Carried, Transit::Unanswered],
            Method::Get | Method::Post | Method::Put | Method::Delete => {
                &[Transit::Lost, Transit::Carried, Transit::Unanswered, Transit::Late]
            }
        }
    }
}

/// What happens to the request at which the bot dies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Transit {
    /// It is lost.
    Lost,
    /// It is carried out before the bot starts again.
    Carried,
    /// It was carried out, and the answer is lost.
    Unanswered,
    /// It is carried out after the bot is back, but still within `SETTLE_TIME`.
    Late,
}

/// One death.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Cut {
    pub(super) kind: Kind,
    /// How many similar requests come first, since the bot's latest start.
    pub(super) number: usize,
    pub(super) transit: Transit,
}

impl fmt::Debug for Cut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} {} #{} {:?}", self.kind.service, self.kind.method, self.number, self.transit)
    }
}

/// A gate that waits for its request.
pub(super) struct Trap {
    service: Service,
    waiting: Waiting,
}

/// A held request.
pub(super) struct Held {
    held: gate::Held,
    label: String,
}

impl Trap {
    pub(super) fn set(stage: &Stage, cut: Cut) -> Self {
        let point = if cut.transit == Transit::Unanswered { Point::BeforeAnswer } else { Point::BeforeExecution };
        let Kind { service, method } = cut.kind;
        let gate = match service {
            Service::Discord => stage.discord.gate(),
            Service::DigitalOcean => stage.digitalocean.gate(),
        };
        Self { service, waiting: gate.hold(point, Pattern::of(method, "/**"), cut.number) }
    }

    /// The request, once it comes.
    pub(super) async fn caught(self, stage: &Stage) -> Held {
        let held = self.waiting.caught().await.expect("the sandbox is there for longer than the bot");
        let label = match self.service {
            Service::Discord => {
                let world = stage.discord.world();
                let request = &world.journal()[held.number].request;
                format!("{} {}", request.method, request.path)
            }
            Service::DigitalOcean => {
                let request = &stage.digitalocean.journal()[held.number].request;
                format!("{} {} {}", request.method, request.path, String::from_utf8_lossy(&request.body))
            }
        };
        Held { held, label }
    }
}

impl Held {
    /// A description of the request.
    pub(super) fn label(&self) -> String {
        self.label.clone()
    }

    /// Applies the transit. Returns the request if it is late.
    pub(super) fn meet(self, transit: Transit) -> Option<Self> {
        match transit {
            Transit::Lost | Transit::Unanswered => self.cut(),
            Transit::Carried => self.release(),
            Transit::Late => return Some(self),
        }
        None
    }

    /// Lets the request be carried out.
    pub(super) fn release(self) {
        self.held.release();
    }

    fn cut(self) {
        self.held.cut();
    }
}
