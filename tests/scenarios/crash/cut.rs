//! A death: at which request it comes, and what becomes of that request.

use std::fmt;

use snapshot_bot_sandbox::{
    control::gate::{self, Point, Waiting},
    digitalocean::{fault::Pattern, http_types::Method},
};

use crate::stage::Stage;

/// Who gets the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Service {
    Discord,
    DigitalOcean,
}

/// Requests of one kind: those that change something are counted apart from the looks, whose number differs from run to run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Kind {
    pub(super) service: Service,
    pub(super) method: Method,
}

impl Kind {
    /// What can become of such a request. Looks change nothing, so that a late one is like a lost one.
    pub(super) fn transits(self, everything: bool) -> &'static [Transit] {
        match self.method {
            Method::Get if !everything => &[Transit::Lost, Transit::Unanswered],
            // An edit that is late by the length of a restart cannot be told from one that somebody made after it.
            Method::Patch => &[Transit::Lost, Transit::Carried, Transit::Unanswered],
            Method::Get | Method::Post | Method::Put | Method::Delete => {
                &[Transit::Lost, Transit::Carried, Transit::Unanswered, Transit::Late]
            }
        }
    }
}

/// What becomes of the request at which the bot dies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Transit {
    /// It is lost.
    Lost,
    /// It is carried out before the bot starts again.
    Carried,
    /// It was carried out, and the answer is lost.
    Unanswered,
    /// It is carried out when the bot is back, but still within `SETTLE_TIME`.
    Late,
}

/// One death.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Cut {
    pub(super) kind: Kind,
    /// How many like it come first, since the bot's latest start.
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

/// A request that stands still.
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

    /// The request, when it comes.
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
    /// The request, for people.
    pub(super) fn label(&self) -> String {
        self.label.clone()
    }

    /// Lets its transit come about; what is late is given back.
    pub(super) fn meet(self, transit: Transit) -> Option<Self> {
        match transit {
            Transit::Lost | Transit::Unanswered => self.cut(),
            Transit::Carried => self.release(),
            Transit::Late => return Some(self),
        }
        None
    }

    /// Lets it be carried out.
    pub(super) fn release(self) {
        self.held.release();
    }

    fn cut(self) {
        self.held.cut();
    }
}
