//! The Actions that our next command cannot have begun, so that after a lost answer ours can be told from them.
//!
//! DigitalOcean numbers Actions upwards, so the highest number that was there before a command stands for all before it. Clocks are
//! never compared.

use serde::{Deserialize, Serialize};

use super::ids::ActionId;

/// What was there before, and what is known by itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Stored")]
pub struct Baseline {
    /// The highest id in the Droplet's list before our first command; absent until the list was read.
    highest: Option<ActionId>,
    /// Later ones that are accounted for: our own that ended, and foreign ones that were taken for ours.
    others: Vec<ActionId>,
}

/// What a row may hold: until this was a number, every Action stood in a list.
#[derive(Deserialize)]
#[serde(untagged)]
enum Stored {
    List(Vec<ActionId>),
    Highest { highest: Option<ActionId>, others: Vec<ActionId> },
}

impl From<Stored> for Baseline {
    fn from(stored: Stored) -> Self {
        match stored {
            Stored::List(list) => Self { highest: list.iter().max().copied(), others: Vec::new() },
            Stored::Highest { highest, others } => Self { highest, others },
        }
    }
}

impl Baseline {
    /// Whether the Droplet's list was ever read.
    pub fn is_known(&self) -> bool {
        self.highest.is_some()
    }

    /// The highest id that was there before, if the Droplet had any Action.
    pub fn highest(&self) -> Option<ActionId> {
        self.highest.filter(|highest| *highest != ActionId(0))
    }

    /// Whether an Action was there before, or is accounted for.
    pub fn contains(&self, action: ActionId) -> bool {
        self.highest.is_some_and(|highest| action <= highest) || self.others.contains(&action)
    }

    /// Everything that is listed now was there before. An empty list counts as read.
    pub(super) fn raise(&mut self, listed: impl Iterator<Item = ActionId>) {
        let highest = listed.max().unwrap_or(ActionId(0)).max(self.highest.unwrap_or(ActionId(0)));
        self.highest = Some(highest);
        self.others.retain(|other| *other > highest);
    }

    /// Accounts for one Action.
    pub(super) fn add(&mut self, action: ActionId) {
        if !self.contains(action) {
            self.others.push(action);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_highest_id_stands_for_all_before_it() {
        let mut baseline = Baseline::default();
        assert!(!baseline.is_known() && !baseline.contains(ActionId(1)));
        baseline.raise([ActionId(5), ActionId(9), ActionId(7)].into_iter());
        baseline.add(ActionId(12));
        assert!(baseline.contains(ActionId(3)) && baseline.contains(ActionId(12)));
        assert!(!baseline.contains(ActionId(10)) && !baseline.contains(ActionId(13)));
        baseline.raise([ActionId(13)].into_iter());
        assert_eq!(baseline.others, []);
    }

    #[test]
    fn a_droplet_without_actions_has_a_known_baseline() {
        let mut baseline = Baseline::default();
        baseline.raise(std::iter::empty());
        assert!(baseline.is_known() && !baseline.contains(ActionId(1)));
    }

    #[test]
    fn a_list_from_an_older_row_is_read() {
        let baseline: Baseline = serde_json::from_str("[5,9,7]").unwrap();
        assert!(baseline.contains(ActionId(8)) && !baseline.contains(ActionId(10)));
        let text = serde_json::to_string(&baseline).unwrap();
        assert_eq!(serde_json::from_str::<Baseline>(&text).unwrap(), baseline);
    }
}
