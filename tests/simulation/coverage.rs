//! Which observations met which states, and how often, over all worlds that were played.

use std::{collections::BTreeMap, fmt};

use snapshot_bot::operation::{
    Operation,
    effect::{Answer, Effect, Look},
    reading::Trouble,
    step::{Run, State},
};

/// What an operation met.
#[derive(Clone, Copy)]
pub(crate) enum Met<'a> {
    /// Its command is about to be sent.
    Intended,
    /// A new process takes it up.
    Restarted,
    /// An answer to its request.
    Heard(&'a Effect, &'a Answer),
}

/// A state and an observation, each as text.
type Pair = (String, String);

/// What was played, and how often.
#[derive(Clone, Debug, Default)]
pub(crate) struct Coverage {
    /// Each pair of a state and an observation.
    pairs: BTreeMap<Pair, u64>,
    /// Cases for laws that do not always apply.
    cases: BTreeMap<&'static str, u64>,
}

impl Coverage {
    pub(crate) fn count(&mut self, operation: &Operation, met: Met<'_>) {
        let state = operation
            .active_step()
            .map_or_else(|| "at rest".to_owned(), |step| format!("{} {}", step.task().word(), state_word(&step.state)));
        *self.pairs.entry((state, met_word(met))).or_default() += 1;
    }

    /// Counts a case to which a law applies.
    pub(crate) fn case(&mut self, what: &'static str) {
        *self.cases.entry(what).or_default() += 1;
    }

    /// Adds the coverage of another world.
    pub(crate) fn add(&mut self, other: Self) {
        for (pair, times) in other.pairs {
            *self.pairs.entry(pair).or_default() += times;
        }
        for (what, times) in other.cases {
            *self.cases.entry(what).or_default() += times;
        }
    }
}

impl fmt::Display for Coverage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (what, times) in &self.cases {
            writeln!(f, "{times:>6} × {what}")?;
        }
        let mut rarest: Vec<_> = self.pairs.iter().collect();
        rarest.sort_by_key(|(_, times)| **times);
        write!(f, "{} pairs of a state and an observation; the rarest:", self.pairs.len())?;
        for ((state, observation), times) in rarest.into_iter().take(10) {
            write!(f, "\n{times:>6} × {state}, {observation}")?;
        }
        Ok(())
    }
}

fn state_word(state: &State) -> &'static str {
    match state {
        State::Waiting(checks) if checks.droplet => "checked",
        State::Waiting(_) => "waiting",
        State::Intended { doubt: None, .. } => "intended",
        State::Intended { doubt: Some(doubt), .. } if doubt.refused.is_some() => "refused",
        State::Intended { doubt: Some(_), .. } => "in doubt",
        State::Running(Run { broken: Some(_), .. }) => "broken",
        State::Running(Run { completed: Some(_), .. }) => "completed",
        State::Running(Run { presumed: true, .. }) => "presumed",
        State::Running(_) => "running",
        State::Done { .. } => "done",
        State::Skipped => "skipped",
        State::Failed { .. } => "failed",
    }
}

fn met_word(met: Met<'_>) -> String {
    match met {
        Met::Intended => "intended".to_owned(),
        Met::Restarted => "restarted".to_owned(),
        Met::Heard(Effect::Look(look), answer) => format!("{} {}", look_word(look), answer_word(answer)),
        Met::Heard(_, answer) => format!("answered {}", answer_word(answer)),
    }
}

fn look_word(look: &Look) -> &'static str {
    match look {
        Look::Droplet(_) => "saw the Droplet:",
        Look::Actions(_) => "saw its Actions:",
        Look::Action(_) => "saw the Action:",
        Look::Snapshots(_) => "saw its Snapshots:",
        Look::Snapshot(_) => "saw the Snapshot:",
        Look::Launched(_) => "saw what it launched:",
        Look::CreatedAs(_) => "saw what has its name:",
        Look::Listed(_) => "saw the whole list:",
        Look::Backups(_) => "saw its Backups:",
        Look::Image(_) => "saw the image:",
    }
}

fn answer_word(answer: &Answer) -> String {
    match answer {
        Answer::Droplet(it) => it.power().map_or_else(|| "neither on nor off".to_owned(), |power| format!("{power:?}")),
        Answer::Action(it) => format!("{:?}", it.status),
        Answer::Actions(_) | Answer::Snapshots(_) | Answer::Droplets(_) => "a list".to_owned(),
        Answer::Image(it) => if it.is_backup { "a Backup" } else { "a Snapshot" }.to_owned(),
        Answer::Done => "done".to_owned(),
        Answer::Trouble(trouble) => match trouble {
            Trouble::NotSent { .. } => "not sent",
            Trouble::Unclear { .. } => "unclear",
            Trouble::Throttled { .. } => "throttled",
            Trouble::Busy => "busy",
            Trouble::NotFound => "not found",
            Trouble::Unauthorized => "unauthorized",
            Trouble::Forbidden { .. } => "forbidden",
            Trouble::Refused { .. } => "refused",
        }
        .to_owned(),
    }
}
