//! Faults, selected by name: which requests they affect, how often, and with what effect.
//!
//! Each service's own `fault` module lists the possible effects.

use serde::{Deserialize, Serialize};

use super::pattern::{Pattern, Seen};

/// What a fault does to a request that matches.
pub trait Effect: Clone {
    /// Whether it can happen at all to a request about this.
    fn concerns(&self, _about: Option<&str>) -> bool {
        true
    }

    /// Whether it can happen in addition to the other effect.
    fn joins(&self, _other: &Self) -> bool {
        false
    }
}

/// A fault with its conditions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault<E> {
    /// The name by which it can be ended; may be empty.
    #[serde(default)]
    pub name: String,
    /// Which requests it affects.
    #[serde(default)]
    pub on: Pattern,
    /// How many matching requests pass first, whatever other faults affect them.
    #[serde(default)]
    pub skip: u32,
    /// How many requests it affects after that; unlimited if absent.
    #[serde(default)]
    pub times: Option<u32>,
    /// The effect on a request.
    pub effect: E,
}

impl<E> Fault<E> {
    /// A fault that lasts until it is cleared.
    pub fn always(on: Pattern, effect: impl Into<E>) -> Self {
        Self { name: String::new(), on, skip: 0, times: None, effect: effect.into() }
    }

    /// A fault that happens once.
    pub fn once(on: Pattern, effect: impl Into<E>) -> Self {
        Self::always(on, effect).times(1)
    }

    /// This fault with a name by which it can be ended.
    #[must_use]
    pub fn named(mut self, name: &str) -> Self {
        name.clone_into(&mut self.name);
        self
    }

    /// This fault after this many matching requests.
    #[must_use]
    pub fn after(mut self, skip: u32) -> Self {
        self.skip = skip;
        self
    }

    /// This fault, this many times.
    #[must_use]
    pub fn times(mut self, times: u32) -> Self {
        self.times = Some(times);
        self
    }
}

/// The active faults, oldest first.
#[derive(Clone, Debug)]
pub(crate) struct Faults<E>(Vec<Fault<E>>);

impl<E> Default for Faults<E> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<E: Effect> Faults<E> {
    pub(crate) fn add(&mut self, fault: Fault<E>) {
        self.0.push(fault);
    }

    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    pub(crate) fn end(&mut self, name: &str) {
        self.0.retain(|fault| fault.name != name);
    }

    pub(crate) fn list(&self) -> &[Fault<E>] {
        &self.0
    }

    /// The effects on a request: those of the first matching fault, and of others that can be combined with it.
    pub(crate) fn meet(&mut self, request: &Seen<'_>) -> Vec<E> {
        let mut met: Vec<E> = Vec::new();
        for fault in &mut self.0 {
            if !fault.effect.concerns(request.about) || !fault.on.matches(request) {
                continue;
            }
            if fault.skip > 0 {
                fault.skip -= 1;
                continue;
            }
            if fault.times == Some(0) || !met.iter().all(|other| fault.effect.joins(other)) {
                continue;
            }
            fault.times = fault.times.map(|times| times - 1);
            met.push(fault.effect.clone());
        }
        self.0.retain(|fault| fault.times != Some(0));
        met
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Faults with different letters can be combined.
    impl Effect for char {
        fn joins(&self, other: &Self) -> bool {
            self != other
        }
    }

    #[test]
    fn a_fault_skips_then_happens_as_often_as_was_asked_then_is_gone() {
        let mut faults = Faults::<char>::default();
        faults.add(Fault::always(Pattern::any(), 'a').after(1).times(2));
        let request = Seen { method: "GET", path: &["gateway"], body: "", about: None };
        let met: Vec<usize> = (0..4).map(|_| faults.meet(&request).len()).collect();
        assert_eq!(met, [0, 1, 1, 0]);
        assert!(faults.list().is_empty());
    }

    #[test]
    fn of_what_cannot_join_only_the_first_happens_and_the_rest_is_kept() {
        let mut faults = Faults::<char>::default();
        for letter in ['a', 'a', 'b'] {
            faults.add(Fault::once(Pattern::any(), letter));
        }
        let request = Seen { method: "GET", path: &[], body: "", about: None };
        assert_eq!([faults.meet(&request), faults.meet(&request)], [vec!['a', 'b'], vec!['a']]);
    }
}
