//! The Actions that our next command cannot have started, so that our own Action can be identified after a lost answer.
//!
//! The latest Action before a command stands for all before it: by the time at which DigitalOcean says that it began, and by its id within
//! one second or if DigitalOcean gives no time. DigitalOcean's ids have always grown, but it documents no order. Our clock is never used.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{ids::ActionId, reading::ActionReading};

/// The Actions that existed before our commands, and later ones that are accounted for individually.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Stored")]
pub struct Baseline {
    /// The highest id in the Droplet's list before our first command; absent until the list was read.
    highest: Option<ActionId>,
    /// When the latest of those Actions began, if DigitalOcean said so.
    latest: Option<Timestamp>,
    /// Later Actions that are accounted for: our own that ended, and foreign ones that were mistaken for ours.
    others: Vec<ActionId>,
}

/// The formats that a row may hold: earlier versions stored a list of every Action.
#[derive(Deserialize)]
#[serde(untagged)]
enum Stored {
    List(Vec<ActionId>),
    Highest {
        highest: Option<ActionId>,
        #[serde(default)]
        latest: Option<Timestamp>,
        others: Vec<ActionId>,
    },
}

impl From<Stored> for Baseline {
    fn from(stored: Stored) -> Self {
        match stored {
            Stored::List(list) => Self { highest: list.iter().max().copied(), ..Self::default() },
            Stored::Highest { highest, latest, others } => Self { highest, latest, others },
        }
    }
}

impl Baseline {
    /// Whether the Droplet's list was ever read.
    pub fn is_known(&self) -> bool {
        self.highest.is_some()
    }

    /// The highest id that existed before our first command, if the Droplet had any Action.
    pub fn highest(&self) -> Option<ActionId> {
        self.highest.filter(|highest| *highest != ActionId(0))
    }

    /// When the latest Action before our commands began, or the latest of our own that bounds what came before.
    pub(super) fn latest(&self) -> Option<Timestamp> {
        self.latest
    }

    /// Whether an Action existed before our commands or is accounted for.
    pub fn contains(&self, action: &ActionReading) -> bool {
        let was_there = match (self.latest, action.started_at) {
            (Some(latest), Some(began)) if began != latest => began < latest,
            (None | Some(_), None | Some(_)) => self.highest.is_some_and(|highest| action.id <= highest),
        };
        was_there || self.others.contains(&action.id)
    }

    /// Records every listed Action as having existed before. An empty list counts as read.
    ///
    /// An Action without a time may get one later, and be later than all the others that have one, so it is accounted for by itself.
    pub(super) fn raise<'a>(&mut self, listed: impl Iterator<Item = &'a ActionReading>) {
        let (mut highest, mut timeless) = (self.highest.unwrap_or(ActionId(0)), Vec::new());
        for action in listed {
            highest = highest.max(action.id);
            self.latest = self.latest.max(action.started_at);
            timeless.extend(action.started_at.is_none().then_some(action.id));
        }
        self.highest = Some(highest);
        self.others.retain(|other| *other > highest);
        if self.latest.is_some() {
            for action in timeless {
                self.add(action);
            }
        }
    }

    /// Accounts for one Action.
    pub(super) fn add(&mut self, action: ActionId) {
        if !self.others.contains(&action) {
            self.others.push(action);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operation::reading::ActionStatus;

    /// An Action that began at this second.
    fn action(id: u64, second: i64) -> ActionReading {
        ActionReading {
            id: ActionId(id),
            kind: "shutdown".to_owned(),
            droplet: None,
            status: ActionStatus::Completed,
            started_at: Some(Timestamp::from_second(second).unwrap()),
        }
    }

    #[test]
    fn the_latest_stands_for_all_before_it() {
        let mut baseline = Baseline::default();
        assert!(!baseline.is_known() && !baseline.contains(&action(1, 1)));
        baseline.raise([action(5, 50), action(9, 90), action(7, 70)].iter());
        baseline.add(ActionId(12));
        assert!(baseline.contains(&action(3, 30)) && baseline.contains(&action(12, 120)));
        assert!(!baseline.contains(&action(10, 90)) && !baseline.contains(&action(13, 130)));
        baseline.raise([action(13, 130)].iter());
        assert_eq!(baseline.others, []);
    }

    #[test]
    fn one_that_was_listed_without_its_time_is_known_when_it_has_one() {
        let mut baseline = Baseline::default();
        let timeless = ActionReading { started_at: None, ..action(8, 0) };
        baseline.raise([timeless, action(6, 60)].iter());
        assert!(baseline.contains(&action(8, 80)) && !baseline.contains(&action(9, 90)));
    }

    #[test]
    fn dates_go_before_ids() {
        let mut baseline = Baseline::default();
        baseline.raise([action(9, 90), action(5, 50)].iter());
        assert!(!baseline.contains(&action(4, 91)) && baseline.contains(&action(12, 89)));
        assert!(
            baseline.contains(&action(4, 90)) && !baseline.contains(&action(12, 90)),
            "within one second the id decides"
        );
        let undated = ActionReading { started_at: None, ..action(4, 0) };
        assert!(baseline.contains(&undated), "without a date the id decides");
        baseline.add(ActionId(4));
        assert!(baseline.contains(&action(4, 91)));
    }

    #[test]
    fn a_droplet_without_actions_has_a_known_baseline() {
        let mut baseline = Baseline::default();
        baseline.raise(std::iter::empty());
        assert!(baseline.is_known() && !baseline.contains(&action(1, 1)));
    }

    #[test]
    fn rows_without_a_date_are_read() {
        let listed: Baseline = serde_json::from_str("[5,9,7]").unwrap();
        let undated: Baseline = serde_json::from_str(r#"{"highest":9,"others":[]}"#).unwrap();
        for baseline in [listed, undated] {
            assert!(baseline.contains(&action(8, 80)) && !baseline.contains(&action(10, 100)));
            let text = serde_json::to_string(&baseline).unwrap();
            assert_eq!(serde_json::from_str::<Baseline>(&text).unwrap(), baseline);
        }
    }
}
