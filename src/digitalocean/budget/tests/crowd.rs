//! Crowds of operations in virtual time: whether a Droplet that is off ever waits for one that is not.
//!
//! No network and no worker: a take is a queue of requests with priorities, sweeps share looks as the watcher does, and within each tick
//! the lower priorities ask first, which is the worst order.

use super::*;

/// The interval at which everybody asks.
const TICK: SignedDuration = SignedDuration::from_secs(1);
/// The minimum time between the beginnings of two sweeps, for each of its pages.
const PAGE_PACE: SignedDuration = SignedDuration::from_secs(4);

#[derive(Clone, Copy, Debug, PartialEq)]
enum Take {
    /// Waits for its turn, with this many requests left until its shutdown has been sent: a look, the Actions, the command.
    Queued {
        left: u8,
    },
    /// Is on, and is watched for a late off.
    Watched,
    GoingOff {
        at: Timestamp,
    },
    SeenOff,
    Snapshotting {
        done: Timestamp,
    },
    /// Its Snapshot is known to be done; one more look follows, then the command to turn it on.
    Done {
        at: Timestamp,
        looked: bool,
    },
    /// Turned on this long after its Snapshot was done.
    On {
        after: SignedDuration,
    },
}

/// The priority of a request before a downtime: all but the last are looks.
fn rank_of_beginning(left: u8) -> Priority {
    if left == 1 { Priority::Shutdown } else { Priority::BeforeShutdown }
}

struct Crowd {
    budget: Budget,
    now: Timestamp,
    takes: Vec<Take>,
    /// How many pages show all of its Droplets; the same number shows all of its Actions.
    pages: u32,
    left_of_sweep: u32,
    swept_at: Timestamp,
    snapshot_lasts: SignedDuration,
    /// How many requests people make in each tick.
    people: u32,
    /// How many have begun and are not on again.
    down: usize,
    requests: usize,
}

impl Crowd {
    fn new(takes: Vec<Take>, pages: u32) -> Self {
        let (now, snapshot_lasts) = (at(0.0), SignedDuration::from_mins(5));
        let down = takes.iter().filter(|take| matches!(take, Take::Snapshotting { .. })).count();
        let budget = Budget::default();
        Self {
            budget,
            now,
            takes,
            pages,
            left_of_sweep: pages,
            swept_at: now,
            snapshot_lasts,
            people: 0,
            down,
            requests: 0,
        }
    }

    fn ask(&mut self, priority: Priority) -> bool {
        let admitted = may(&mut self.budget, priority, self.now);
        self.requests += usize::from(admitted);
        admitted
    }

    fn tick(&mut self) {
        self.now += TICK;
        for _ in 0..self.people {
            self.ask(Priority::Inventory);
            self.ask(Priority::Person);
        }
        self.sweep();
        let classes: [fn(&Take) -> bool; 4] = [
            |take| matches!(take, Take::Queued { .. }),
            |take| matches!(take, Take::SeenOff),
            |take| matches!(take, Take::Done { looked: false, .. }),
            |take| matches!(take, Take::Done { looked: true, .. }),
        ];
        for class in classes {
            for index in 0..self.takes.len() {
                if !class(&self.takes[index]) {
                    continue;
                }
                let next = self.step(self.takes[index]);
                // If one of them has to wait, all of the same kind have to.
                if next == self.takes[index] {
                    break;
                }
                self.takes[index] = next;
            }
        }
    }

    fn step(&mut self, take: Take) -> Take {
        match take {
            Take::Queued { left: 3 } if self.budget.room_for_downtimes(self.down, self.now).more == 0 => take,
            Take::Queued { left } if self.ask(rank_of_beginning(left)) => match left {
                1 => Take::GoingOff { at: self.now + SignedDuration::from_secs(20) },
                left => {
                    self.down += usize::from(left == 3);
                    Take::Queued { left: left - 1 }
                }
            },
            Take::SeenOff if self.ask(Priority::Off) => Take::Snapshotting { done: self.now + self.snapshot_lasts },
            Take::Done { at, looked: false } if self.ask(Priority::Off) => Take::Done { at, looked: true },
            Take::Done { at, looked: true } if self.ask(Priority::PowerOn) => {
                self.down -= 1;
                Take::On { after: self.now.duration_since(at) }
            }
            other => other,
        }
    }

    /// Reads one page of each list at a time; when the last one is read, everybody knows what it showed.
    fn sweep(&mut self) {
        let pause = PAGE_PACE * i32::try_from(self.pages).unwrap();
        let is_off = |take: &Take| matches!(take, Take::GoingOff { .. } | Take::Snapshotting { .. });
        let rank = if self.takes.iter().any(is_off) { Priority::Off } else { Priority::Watch };
        if self.left_of_sweep == self.pages && self.now < self.swept_at + pause || !(self.ask(rank) && self.ask(rank)) {
            return;
        }
        if self.left_of_sweep == self.pages {
            self.swept_at = self.now;
        }
        self.left_of_sweep -= 1;
        if self.left_of_sweep > 0 {
            return;
        }
        self.left_of_sweep = self.pages;
        for take in &mut self.takes {
            *take = match *take {
                Take::GoingOff { at } if at <= self.swept_at => Take::SeenOff,
                Take::Snapshotting { done } if done <= self.swept_at => Take::Done { at: done, looked: false },
                other => other,
            };
        }
    }

    /// Plays until everything is on that is to be turned on. Returns how long each waited for that, the longest last.
    fn play(&mut self, most: SignedDuration) -> Vec<SignedDuration> {
        let until = self.now + most;
        while self.takes.iter().any(|take| !matches!(take, Take::Watched | Take::On { .. })) {
            assert!(self.now < until, "{} are still down, {} requests", self.down, self.requests);
            self.tick();
        }
        let mut waits: Vec<_> = self
            .takes
            .iter()
            .filter_map(|take| match take {
                Take::On { after } => Some(*after),
                _ => None,
            })
            .collect();
        waits.sort();
        waits
    }
}

#[test]
fn of_a_thousand_takes_no_finished_snapshot_waits_long_for_its_power_on() {
    let mut crowd = Crowd::new(vec![Take::Queued { left: 3 }; 1_000], 5);
    let waits = crowd.play(SignedDuration::from_hours(3));
    let (median, longest) = (waits[500], waits[999]);
    assert!(longest <= SignedDuration::from_mins(1), "{median:?} {longest:?}, {} requests", crowd.requests);
    assert!(median <= SignedDuration::from_secs(30), "{median:?}");
}

#[test]
fn those_that_are_watched_keep_no_droplet_off() {
    let now = at(0.0);
    let off = (1..=5).map(|second| Take::Snapshotting { done: now + SignedDuration::from_secs(second * 7) });
    let mut crowd = Crowd::new(vec![Take::Watched; 120].into_iter().chain(off).collect(), 1);
    let waits = crowd.play(SignedDuration::from_mins(2));
    assert!(waits.iter().all(|wait| *wait <= SignedDuration::from_secs(6)), "{waits:?}");
}

#[test]
fn with_as_many_requests_as_there_can_be_two_droplets_that_are_off_are_looked_at_all_the_same() {
    let now = at(0.0);
    let off = [35, 70].map(|second| Take::Snapshotting { done: now + SignedDuration::from_secs(second) });
    let mut crowd = Crowd::new(vec![Take::Watched; 120].into_iter().chain(off).collect(), 1);
    crowd.people = 500;
    let waits = crowd.play(SignedDuration::from_mins(2));
    assert!(waits.iter().all(|wait| *wait <= SignedDuration::from_secs(6)), "{waits:?}");
}

#[test]
fn a_crowd_that_ends_all_at_once_is_on_within_a_minute_or_two() {
    let all = vec![Take::Snapshotting { done: at(30.0) }; 199];
    let mut crowd = Crowd::new(all, 2);
    let waits = crowd.play(SignedDuration::from_mins(10));
    assert!(waits[198] <= SignedDuration::from_secs(140), "{waits:?}");
}
