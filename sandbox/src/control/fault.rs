//! Faults, asked for by name: which requests they meet, how often, and what happens then.
//!
//! Each service says in its own `fault` what can happen to a request there.

use serde::{Deserialize, Serialize};

use super::pattern::{Pattern, Seen};

/// What a fault does to a request that meets it.
pub trait Effect: Clone {
    /// Whether it can happen to a request about this at all.
    fn concerns(&self, _about: Option<&str>) -> bool {
        true
    }

    /// Whether it can happen to a request that has met the other.
    fn joins(&self, _other: &Self) -> bool {
        false
    }
}

/// A fault.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault<E> {
    /// By what name it can be ended; may be empty.
    #[serde(default)]
    pub name: String,
    /// Which requests it meets.
    #[serde(default)]
    pub on: Pattern,
    /// How many matching requests are let through first, whatever else those meet.
    #[serde(default)]
    pub skip: u32,
    /// How many it meets then; without a limit if there is none.
    #[serde(default)]
    pub times: Option<u32>,
    /// What happens.
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

    /// The same, with a name by which it can be ended.
    #[must_use]
    pub fn named(mut self, name: &str) -> Self {
        name.clone_into(&mut self.name);
        self
    }

    /// The same, after this many matching requests.
    #[must_use]
    pub fn after(mut self, skip: u32) -> Self {
        self.skip = skip;
        self
    }

    /// The same, this many times.
    #[must_use]
    pub fn times(mut self, times: u32) -> Self {
        self.times = Some(times);
        self
    }
}

/// The faults that are in force, oldest first.
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

    /// What a request meets: the first fault that matches, with those that join it.
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

    /// Faults of one letter join each other if the letters differ.
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
