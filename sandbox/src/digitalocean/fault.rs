//! What can go wrong at DigitalOcean: with a request, or with the Action that it starts.
//!
//! Faults are plain data for serde, so that a switch on a page or a command line can ask for them too.

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    corrupt::Malformation,
    http_types::{Method, Request},
    image::SizeShown,
};
pub use crate::control::pattern::Pattern;
use crate::control::{self, fault::Faults, pattern::Seen};

/// A fault of this service.
pub type Fault = control::fault::Fault<Effect>;

impl Pattern {
    /// Selects a method and a path.
    pub fn of(method: Method, path: &str) -> Self {
        Self { method: Some(method.as_str().to_owned()), ..Self::at(path) }
    }

    /// Selects the POST that starts an Action of this type (`create` for a new Droplet).
    pub fn action(kind: &str) -> Self {
        Self { about: Some(kind.to_owned()), ..Self::any() }
    }

    /// This pattern, only on the paths of this Droplet.
    #[must_use]
    pub fn droplet(self, id: u64) -> Self {
        Self { path: Some(format!("/v2/droplets/{id}/**")), ..self }
    }
}

/// Describes a request in the form that patterns match.
pub(super) fn seen<T>(request: &Request, look: impl FnOnce(&Seen<'_>) -> T) -> T {
    let (path, body, about) = (request.segments(), String::from_utf8_lossy(&request.body), action_of(request));
    look(&Seen { method: request.method.as_str(), path: &path, body: &body, about: about.as_deref() })
}

/// The type of the Action that a request starts.
pub(super) fn action_of(request: &Request) -> Option<String> {
    if request.method != Method::Post {
        return None;
    }
    match request.segments().as_slice() {
        ["v2", "droplets"] => Some("create".to_owned()),
        ["v2", "droplets", .., "actions"] => {
            let body: Value = serde_json::from_slice(&request.body).ok()?;
            Some(body.get("type")?.as_str()?.to_owned())
        }
        _ => None,
    }
}

/// An effect on a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Disturbance {
    /// It is refused and not executed.
    Refuse {
        /// The status.
        status: u16,
        /// The error's id.
        id: String,
        /// The error's text.
        message: String,
    },
    /// 503: DigitalOcean is down.
    Down,
    /// It is executed later, even if the client has gone.
    ExecuteLate {
        /// The delay.
        after: SignedDuration,
    },
    /// It is executed, but answered later.
    AnswerLate {
        /// The delay.
        after: SignedDuration,
    },
    /// The connection breaks before it is executed.
    CutBefore,
    /// The connection breaks after it is executed.
    CutAfter,
    /// 429.
    Throttle {
        /// The seconds that the answer names, if any.
        retry_after: Option<u64>,
    },
    /// It is executed, but the answer is malformed.
    Malform {
        /// How it is malformed.
        how: Malformation,
    },
    /// It is executed, but the answer is about another Droplet.
    Lie,
}

/// An effect on an Action that a request starts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Quirk {
    /// It stays in progress, and the Droplet has a pending event.
    NeverFinish,
    /// It ends errored, without effect; a restore leaves a corrupt disk.
    Err,
    /// A shutdown that leaves its Droplet on, or takes effect later than people wait.
    ShutdownHangs {
        /// The progress that the Action itself shows.
        action: HungAction,
        /// When the Droplet goes off after all, counted from the Action's start; never if absent.
        off_after: Option<SignedDuration>,
    },
    /// The Snapshot is listed without its size.
    Sizeless {
        /// How a missing size is rendered.
        shown: SizeShown,
        /// How long after it is listed; forever if absent.
        until: Option<SignedDuration>,
    },
    /// The Snapshot is listed this long after the Action completed; never if absent.
    ListedLate {
        /// The delay.
        after: Option<SignedDuration>,
    },
}

/// The progress that the Action of a hung shutdown shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HungAction {
    /// In progress until the Droplet goes off.
    InProgress,
    /// Completed as usual.
    Completes,
    /// The Action ends errored.
    Errs,
}

/// What a fault affects: the request, or the Action that it starts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Effect {
    /// To the request.
    Request(Disturbance),
    /// To the Action.
    Action(Quirk),
}

impl control::fault::Effect for Effect {
    /// A quirk is reserved for a request that starts an Action which can have it.
    fn concerns(&self, action: Option<&str>) -> bool {
        match self {
            Self::Request(_) => true,
            Self::Action(Quirk::NeverFinish | Quirk::Err) => action.is_some(),
            Self::Action(Quirk::ShutdownHangs { .. }) => action == Some("shutdown"),
            Self::Action(Quirk::Sizeless { .. } | Quirk::ListedLate { .. }) => action == Some("snapshot"),
        }
    }

    fn joins(&self, other: &Self) -> bool {
        matches!((self, other), (Self::Request(_), Self::Action(_)) | (Self::Action(_), Self::Request(_)))
    }
}

impl From<Disturbance> for Effect {
    fn from(disturbance: Disturbance) -> Self {
        Self::Request(disturbance)
    }
}

impl From<Quirk> for Effect {
    fn from(quirk: Quirk) -> Self {
        Self::Action(quirk)
    }
}

/// The effects on one request.
#[derive(Debug, Default)]
pub(super) struct Met {
    pub(super) disturbance: Option<Disturbance>,
    pub(super) quirk: Option<Quirk>,
}

/// Applies the active faults to a request.
pub(super) fn meet(faults: &mut Faults<Effect>, request: &Request) -> Met {
    let mut met = Met::default();
    if faults.list().is_empty() {
        return met;
    }
    for effect in seen(request, |seen| faults.meet(seen)) {
        match effect {
            Effect::Request(disturbance) => met.disturbance = Some(disturbance),
            Effect::Action(quirk) => met.quirk = Some(quirk),
        }
    }
    met
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_fault_can_be_asked_for_in_json() {
        let fault: Fault = serde_json::from_value(json!({
            "on": {"method": "POST", "about": "snapshot"},
            "times": 1,
            "effect": {"kind": "execute_late", "after": "PT5S"},
        }))
        .unwrap();
        let late = Disturbance::ExecuteLate { after: SignedDuration::from_secs(5) };
        assert_eq!(fault.effect, Effect::Request(late));
        let quirk: Effect = serde_json::from_value(json!({"kind": "never_finish"})).unwrap();
        assert_eq!(quirk, Effect::Action(Quirk::NeverFinish));
    }
}
