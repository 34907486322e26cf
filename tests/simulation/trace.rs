//! What happened in a run, line by line, and a digest of it: two runs of one seed must agree in both.

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

    /// Notes an event.
    pub(crate) fn note(&mut self, now: Timestamp, line: String) {
        (now.as_millisecond(), &line).hash(&mut self.digest);
        self.lines.push((now, line));
    }

    /// How many events were noted.
    pub(crate) fn len(&self) -> usize {
        self.lines.len()
    }

    /// A number that two runs share only if they went alike.
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
