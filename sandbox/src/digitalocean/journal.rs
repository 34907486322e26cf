//! What went over the wire, in the order in which it came: for tests that count requests and hold them against the specification.

use std::collections::VecDeque;

use jiff::Timestamp;

use super::exchange::{Answer, Request};

/// Older entries are forgotten beyond this many.
const KEPT: usize = 20_000;

/// How an exchange ended for the client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    /// Nothing was sent back yet.
    Open,
    /// It was answered.
    Answered(Answer),
    /// The connection was broken.
    Cut,
}

/// One request and what became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Counted from 0.
    pub number: u64,
    /// When it came.
    pub at: Timestamp,
    /// The request.
    pub request: Request,
    /// Whether the world was asked; faults may still have kept it from being executed.
    pub executed: bool,
    /// How it ended.
    pub ending: Ending,
}

impl Entry {
    /// The status it was answered with.
    pub fn status(&self) -> Option<u16> {
        match &self.ending {
            Ending::Answered(answer) => Some(answer.status),
            Ending::Open | Ending::Cut => None,
        }
    }
}

/// The entries, oldest first.
#[derive(Clone, Debug, Default)]
pub(super) struct Journal {
    entries: VecDeque<Entry>,
    next: u64,
}

impl Journal {
    pub(super) fn open(&mut self, request: Request, at: Timestamp) -> u64 {
        let number = self.next;
        self.next += 1;
        if self.entries.len() == KEPT {
            self.entries.pop_front();
        }
        self.entries.push_back(Entry { number, at, request, executed: false, ending: Ending::Open });
        number
    }

    pub(super) fn mark_executed(&mut self, number: u64) {
        self.change(number, |entry| entry.executed = true);
    }

    pub(super) fn close(&mut self, number: u64, ending: Ending) {
        self.change(number, |entry| entry.ending = ending);
    }

    fn change(&mut self, number: u64, change: impl FnOnce(&mut Entry)) {
        let first = self.entries.front().map_or(0, |entry| entry.number);
        let index = number.checked_sub(first).and_then(|index| usize::try_from(index).ok());
        if let Some(entry) = index.and_then(|index| self.entries.get_mut(index)) {
            change(entry);
        }
    }

    pub(super) fn entries(&self) -> Vec<Entry> {
        self.entries.iter().cloned().collect()
    }
}
