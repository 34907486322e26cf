//! A death: at which request it comes, and what becomes of that request.

use std::fmt;

use snapshot_bot::sandbox::{
    digitalocean::{self, fault::Pattern, gate::Stage as Before},
    discord::{
        self,
        fault::Route,
        gate::{Gate, Point},
    },
};

use crate::stage::Stage;

/// Who gets the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Service {
    Discord,
    DigitalOcean,
}

/// What becomes of the request at which the bot dies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It is lost.
    Lost,
    /// It is carried out before the bot starts again.
    Carried,
    /// It was carried out, and the answer is lost.
    Unanswered,
    /// It is carried out when the bot is back, but still within `SETTLE_TIME`.
    Late,
}

impl Fate {
    pub const ALL: [Self; 4] = [Self::Lost, Self::Carried, Self::Unanswered, Self::Late];
}

/// One death.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Cut {
    pub service: Service,
    /// How many of its requests come first, since the bot's latest start.
    pub number: usize,
    pub fate: Fate,
}

impl fmt::Debug for Cut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} #{} {:?}", self.service, self.number, self.fate)
    }
}

/// A gate that waits for its request.
pub enum Trap {
    Discord(Gate),
    DigitalOcean(digitalocean::gate::Waiting),
}

/// A request that stands still.
pub enum Held {
    Discord(discord::gate::Held, String),
    DigitalOcean(digitalocean::gate::Held),
}

impl Trap {
    pub fn set(stage: &Stage, cut: Cut) -> Self {
        let is_done = cut.fate == Fate::Unanswered;
        match cut.service {
            Service::Discord => {
                let point = if is_done { Point::BeforeAnswer } else { Point::BeforeExecution };
                Self::Discord(stage.discord.world().hold(Route::any(), point, cut.number))
            }
            Service::DigitalOcean => {
                let point = if is_done { Before::BeforeAnswer } else { Before::BeforeExecution };
                Self::DigitalOcean(stage.digitalocean.gate().hold(point, Pattern::any(), cut.number))
            }
        }
    }

    /// The request, when it comes.
    pub async fn caught(self, stage: &Stage) -> Held {
        let held = match self {
            Self::Discord(mut gate) => gate.arrival().await.map(|held| {
                let exchange = stage.discord.world().journal()[held.number].clone();
                Held::Discord(held, format!("{} {}", exchange.method, exchange.path))
            }),
            Self::DigitalOcean(waiting) => waiting.caught().await.map(Held::DigitalOcean),
        };
        held.expect("the sandbox is there for longer than the bot")
    }
}

impl Held {
    /// The request, for people.
    pub fn label(&self) -> String {
        match self {
            Self::Discord(_, label) => label.clone(),
            Self::DigitalOcean(held) => {
                let body = String::from_utf8_lossy(&held.request.body);
                format!("{} {} {body}", held.request.method, held.request.path)
            }
        }
    }

    /// Lets its fate come about; what is late is given back.
    pub fn meet(self, fate: Fate) -> Option<Self> {
        match fate {
            Fate::Lost | Fate::Unanswered => self.cut(),
            Fate::Carried => self.release(),
            // An edit that is late by the length of a restart cannot be told from one that somebody made after it.
            Fate::Late if self.is_edit() => self.release(),
            Fate::Late => return Some(self),
        }
        None
    }

    fn is_edit(&self) -> bool {
        self.label().starts_with("PATCH")
    }

    /// Lets it be carried out.
    pub fn release(self) {
        match self {
            Self::Discord(held, _) => held.release(),
            Self::DigitalOcean(held) => held.release(),
        }
    }

    fn cut(self) {
        match self {
            Self::Discord(held, _) => held.cut(),
            Self::DigitalOcean(held) => held.cut(),
        }
    }
}
