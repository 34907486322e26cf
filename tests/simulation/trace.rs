//! The events of a run, line by line, and their digest: two runs of one seed must have equal ones.

use std::{
    collections::hash_map::DefaultHasher,
    fmt,
    hash::{Hash, Hasher},
};

use jiff::Timestamp;

/// The event log of a run.
#[derive(Debug)]
pub(crate) struct Trace {
    began: Timestamp,
    lines: Vec<(Timestamp, String)>,
    digest: DefaultHasher,
}

impl Trace {
    pub(crate) fn new(began: Timestamp) -> Self {
        // Not the randomly keyed hasher of maps: a digest is compared between processes.
        Self { began, lines: Vec::new(), digest: DefaultHasher::new() }
    }

    /// Records an event.
    pub(crate) fn note(&mut self, now: Timestamp, line: String) {
        (now.as_millisecond(), &line).hash(&mut self.digest);
        self.lines.push((now, line));
    }

    /// The number of recorded events.
    pub(crate) fn len(&self) -> usize {
        self.lines.len()
    }

    /// A number that is equal for two runs only if all their events are.
    pub(crate) fn digest(&self) -> u64 {
        self.digest.finish()
    }
}

impl fmt::Display for Trace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, line) in &self.lines {
            let millis = at.duration_since(self.began).as_millis();
            writeln!(f, "{:>7}.{:03} s  {line}", millis / 1_000, millis % 1_000)?;
        }
        Ok(())
    }
}
