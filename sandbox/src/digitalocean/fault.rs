//! Faults, asked for by name: which requests they meet, how often, and what happens then.
//!
//! They are plain data that serde reads, so that a page's switch or a command line can ask for them too.

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    exchange::{Method, Request},
    image::SizeShown,
    mangle::Malformation,
};

/// Which requests a fault or a gate meets; what is left out matches everything.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Pattern {
    /// Only this method.
    pub method: Option<Method>,
    /// Only this path, in which `*` stands for one segment and a last `**` for any number of them.
    pub path: Option<String>,
    /// Only a POST that begins an Action of this type (`create` is a new Droplet).
    pub action: Option<String>,
    /// Only this Droplet's paths.
    pub droplet: Option<u64>,
}

impl Pattern {
    /// Everything.
    pub fn any() -> Self {
        Self::default()
    }

    /// A method and a path.
    pub fn of(method: Method, path: &str) -> Self {
        Self { method: Some(method), path: Some(path.to_owned()), ..Self::default() }
    }

    /// The POST that begins an Action of this type.
    pub fn action(kind: &str) -> Self {
        Self { action: Some(kind.to_owned()), ..Self::default() }
    }

    /// The same, for this Droplet alone.
    #[must_use]
    pub fn droplet(mut self, id: u64) -> Self {
        self.droplet = Some(id);
        self
    }

    /// Whether it meets this request.
    pub fn matches(&self, request: &Request) -> bool {
        self.method.is_none_or(|method| method == request.method)
            && self.path.as_ref().is_none_or(|path| path_matches(path, &request.path))
            && self.droplet.is_none_or(|id| droplet_of(request) == Some(id))
            && self.action.as_ref().is_none_or(|kind| action_of(request).as_deref() == Some(kind))
    }
}

fn path_matches(pattern: &str, path: &str) -> bool {
    let mut wanted = pattern.split('/').filter(|segment| !segment.is_empty());
    let mut given = path.split('/').filter(|segment| !segment.is_empty());
    loop {
        match (wanted.next(), given.next()) {
            (Some("**"), _) | (None, None) => return true,
            (Some("*"), Some(_)) => {}
            (Some(one), Some(other)) if one == other => {}
            (Some(_) | None, _) => return false,
        }
    }
}

fn droplet_of(request: &Request) -> Option<u64> {
    match request.segments().as_slice() {
        ["v2", "droplets", id, ..] => id.parse().ok(),
        _ => None,
    }
}

/// The type of the Action that a request begins.
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

/// What happens to a request.
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
    /// It is executed later, even if nobody listens any more.
    ExecuteLate {
        /// How much later.
        after: SignedDuration,
    },
    /// It is executed, and answered later.
    AnswerLate {
        /// How much later.
        after: SignedDuration,
    },
    /// The connection breaks, and it is not executed.
    CutBefore,
    /// It is executed, and the connection breaks.
    CutAfter,
    /// 429.
    Throttle {
        /// Seconds, if the answer says any.
        retry_after: Option<u64>,
    },
    /// It is executed, and the answer is broken.
    Malform {
        /// How.
        how: Malformation,
    },
    /// It is executed, and the answer tells of another Droplet.
    Lie,
}

/// What happens to an Action that a request begins.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Quirk {
    /// It stays in-progress, and the Droplet has a pending event.
    NeverFinish,
    /// It ends errored, without effect; a restore leaves an unsound disk.
    Err,
    /// A shutdown whose Droplet stays on, or goes off later than people wait.
    ShutdownHangs {
        /// What the Action itself says.
        action: HungAction,
        /// When the Droplet goes off after all, counted from the Action's start.
        off_after: Option<SignedDuration>,
    },
    /// The Snapshot is listed without its size.
    Sizeless {
        /// How that looks.
        shown: SizeShown,
        /// For how long after it is listed; for ever if there is none.
        until: Option<SignedDuration>,
    },
    /// The Snapshot is listed this long after the Action completed; never if there is none.
    ListedLate {
        /// How long.
        after: Option<SignedDuration>,
    },
}

/// What the Action of a hung shutdown says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HungAction {
    /// In progress, until the Droplet goes off.
    InProgress,
    /// Completed as usual.
    Completes,
    /// Errored.
    Errs,
}

/// What a fault does: something to the request, or something to the Action it begins.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Effect {
    /// To the request.
    Request(Disturbance),
    /// To the Action.
    Action(Quirk),
}

/// A fault.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// What it is called by who wants to end it; may be empty.
    #[serde(default)]
    pub name: String,
    /// Which requests it meets.
    #[serde(default)]
    pub on: Pattern,
    /// How many matching requests are let through first, whatever else those meet.
    #[serde(default)]
    pub skip: u32,
    /// How many it meets then; for ever if there is none.
    #[serde(default)]
    pub times: Option<u32>,
    /// What happens.
    pub effect: Effect,
}

impl Fault {
    /// A quirk is kept for a request that begins an Action which can have it.
    fn concerns(&self, action: Option<&str>) -> bool {
        match &self.effect {
            Effect::Request(_) => true,
            Effect::Action(Quirk::NeverFinish | Quirk::Err) => action.is_some(),
            Effect::Action(Quirk::ShutdownHangs { .. }) => action == Some("shutdown"),
            Effect::Action(Quirk::Sizeless { .. } | Quirk::ListedLate { .. }) => action == Some("snapshot"),
        }
    }

    /// A fault that lasts until it is cleared.
    pub fn always(on: Pattern, effect: impl Into<Effect>) -> Self {
        Self { name: String::new(), on, skip: 0, times: None, effect: effect.into() }
    }

    /// A fault that happens once.
    pub fn once(on: Pattern, effect: impl Into<Effect>) -> Self {
        Self { times: Some(1), ..Self::always(on, effect) }
    }

    /// The same, with a name by which it can be ended.
    #[must_use]
    pub fn named(mut self, name: &str) -> Self {
        name.clone_into(&mut self.name);
        self
    }

    /// The same, after so many matching requests.
    #[must_use]
    pub fn after(mut self, skip: u32) -> Self {
        self.skip = skip;
        self
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

/// What a request meets.
#[derive(Debug, Default)]
pub(super) struct Met {
    pub(super) disturbance: Option<Disturbance>,
    pub(super) quirk: Option<Quirk>,
}

/// The faults that are in force: of each sort, the first that matches is met.
#[derive(Clone, Debug, Default)]
pub(super) struct Faults(Vec<Fault>);

impl Faults {
    pub(super) fn add(&mut self, fault: Fault) {
        self.0.push(fault);
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    pub(super) fn end(&mut self, name: &str) {
        self.0.retain(|fault| fault.name != name);
    }

    pub(super) fn list(&self) -> &[Fault] {
        &self.0
    }

    pub(super) fn meet(&mut self, request: &Request) -> Met {
        let mut met = Met::default();
        if self.0.is_empty() {
            return met;
        }
        let action = action_of(request);
        for fault in &mut self.0 {
            if !fault.concerns(action.as_deref()) || !fault.on.matches(request) {
                continue;
            }
            if fault.skip > 0 {
                fault.skip -= 1;
                continue;
            }
            let taken = match fault.effect {
                Effect::Request(_) => met.disturbance.is_some(),
                Effect::Action(_) => met.quirk.is_some(),
            };
            if taken || fault.times == Some(0) {
                continue;
            }
            fault.times = fault.times.map(|times| times - 1);
            match fault.effect.clone() {
                Effect::Request(disturbance) => met.disturbance = Some(disturbance),
                Effect::Action(quirk) => met.quirk = Some(quirk),
            }
        }
        self.0.retain(|fault| fault.times != Some(0));
        met
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_star_is_one_segment_and_two_are_any_number() {
        assert!(path_matches("/v2/droplets/*/actions", "/v2/droplets/7/actions"));
        assert!(!path_matches("/v2/droplets/*", "/v2/droplets/7/actions"));
        assert!(path_matches("/v2/**", "/v2/droplets/7/actions"));
        assert!(path_matches("/v2/droplets/**", "/v2/droplets"));
        assert!(!path_matches("/v2/droplets", "/v2"));
    }

    #[test]
    fn a_fault_skips_then_happens_then_is_gone() {
        let mut faults = Faults::default();
        faults.add(Fault::once(Pattern::any(), Disturbance::Down).after(1));
        let request = Request::new(Method::Get, "/v2/account");
        let met: Vec<bool> = (0..3).map(|_| faults.meet(&request).disturbance.is_some()).collect();
        assert_eq!(met, [false, true, false]);
        assert!(faults.list().is_empty());
    }

    #[test]
    fn a_fault_can_be_asked_for_in_json() {
        let fault: Fault = serde_json::from_value(json!({
            "on": {"method": "POST", "action": "snapshot"},
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
