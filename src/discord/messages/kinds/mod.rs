//! The texts that depend on the kind of an operation, one file for each kind. Texts that all kinds share are in the parent module, which
//! gets the others by [`words`].

mod backups;
mod delete;
mod launch;
mod restart;
mod restore;
mod take;
mod turn_on;

use super::{Wording, message::Button, text::name};
use crate::operation::{
    Operation,
    kinds::{Kind, of_kind},
};

/// The texts of an operation's kind.
pub(super) fn words(kind: &Kind) -> &dyn Words {
    of_kind!(kind, it => it)
}

/// The texts of a kind.
pub(super) trait Words {
    /// The operation as a noun without its article, for the middle of a sentence: ``restore of `web-1` ``. `shown` formats a name for its
    /// place.
    fn called(&self, target: &str, shown: &dyn Fn(&str) -> String) -> String;

    /// The operation as a choice among others.
    fn choice(&self, target: &str, shown: &dyn Fn(&str) -> String) -> String {
        self.called(target, shown)
    }

    /// The article before [`called`](Self::called) in a sentence.
    fn article(&self) -> &'static str {
        "the "
    }

    /// What was not done after the person declined the question.
    fn declined(&self, target: &str) -> String;

    /// What it does, as the start of a title: ``Restoring `web-1` from `golden` ``.
    fn doing(&self, target: &str, shown: &dyn Fn(&str) -> String) -> String;

    /// The operation as the start of a title when it is not under way.
    fn titled(&self, target: &str, shown: &dyn Fn(&str) -> String) -> String {
        self.called(target, shown)
    }

    /// The result in one line: the name, size and cost of what exists now.
    fn result(&self, _operation: &Operation, _wording: &Wording) -> Option<String> {
        None
    }

    /// What to check before a retry if it is unknown whether it was done.
    fn look_first(&self, operation: &Operation) -> String {
        format!(
            "Look for {} in DigitalOcean's control panel before trying again, so you don't pay for two.",
            name(&operation.snapshot_name)
        )
    }

    /// The title's word for success.
    fn done(&self) -> &'static str;

    /// What it did, in sentences.
    fn completed(&self, operation: &Operation, wording: &Wording) -> Vec<String>;

    /// What it did not do because it was cancelled; `None` if `kept` and `disk` say it.
    fn undone(&self, _operation: &Operation) -> Option<String> {
        None
    }

    /// What an incomplete operation left on the Droplet's disk, for a kind that overwrites it.
    fn disk(&self, _operation: &Operation) -> Option<String> {
        None
    }

    /// What an incomplete operation leaves behind.
    fn kept(&self, _operation: &Operation, _wording: &Wording) -> Option<String> {
        None
    }

    /// Where the earlier state is kept, and how long *Undo* puts it back.
    fn way_back(&self, _operation: &Operation, _wording: &Wording) -> Option<String> {
        None
    }

    /// Whether its failures have *Try again*. The command's file defines what that asks.
    fn is_asked_again(&self) -> bool {
        false
    }

    /// The continuation of a sentence that begins with the operation's name and says that it failed.
    fn failed(&self, _operation: &Operation) -> &'static str {
        "failed"
    }

    /// What happened if its Droplet is gone, and what to do next.
    fn droplet_gone(&self, operation: &Operation) -> Advice {
        let what = format!("{} is gone.", name(&operation.target.name));
        Advice { what, next: SEE_THE_LIST.to_owned() }
    }

    /// What happened if a Snapshot is gone, and what to do next.
    fn snapshot_gone(&self, operation: &Operation) -> Advice {
        self.droplet_gone(operation)
    }

    /// What happened if its Droplet was changed meanwhile, and what to do next.
    fn changed_meanwhile(&self, operation: &Operation) -> Advice {
        let droplet = name(&operation.target.name);
        Advice {
            what: format!("Somebody changed or used {droplet} in the meantime, so I left its disk alone."),
            next: format!("Look at {droplet}, then ask again if you still want it."),
        }
    }

    /// What happened if DigitalOcean completed the Action but did not list the result in time.
    fn not_listed(&self) -> &'static str {
        "DigitalOcean completed the Snapshot but didn't list it within 30 minutes."
    }

    /// The buttons under its answer. Each asks before it does anything.
    fn buttons(&self, _operation: &Operation) -> Vec<Button> {
        Vec::new()
    }

    /// The Snapshots that it is about, if its title does not name them. `taken` is the one that it took, with its size.
    fn facts(&self, _taken: Option<String>) -> Vec<String> {
        Vec::new()
    }

    /// Who turned the Droplet on if the bot found it on.
    fn was_found_on(&self) -> &'static str {
        SOMEBODY_TURNED_IT_ON
    }

    /// Whether it is only about the Droplet's power, so that its result already tells the Droplet's state.
    fn is_about_power(&self) -> bool {
        false
    }

    /// What it is doing with its Droplet, for people who may not see more.
    fn with_droplet(&self) -> &'static str {
        "working on it"
    }

    /// What it is doing with its Snapshot, for people who may not see more.
    fn with_snapshot(&self) -> &'static str {
        "working with it"
    }

    /// The texts about the Snapshot that it takes as a step.
    fn taking(&self) -> Taking {
        Taking::THE_SNAPSHOT
    }

    /// Why its Droplet goes down, after the Droplet's name.
    fn goes_down(&self) -> &'static str {
        "for a Snapshot"
    }

    /// The texts of the answers to its hung shutdown.
    fn hung(&self) -> Hung {
        Hung::TAKING
    }
}

/// What happened, and what to do next, as sentences.
pub(super) struct Advice {
    pub(super) what: String,
    pub(super) next: String,
}

/// The texts about a Snapshot that is taken as a step.
pub(super) struct Taking {
    /// The name of the step when it is not under way, and when it is.
    pub(super) step: (&'static str, &'static str),
    /// What happens to it when the operation is stopped meanwhile, in a title.
    pub(super) stopping: &'static str,
    /// Why it cannot be stopped.
    pub(super) cannot_stop: CannotStop,
}

/// How to say that DigitalOcean can no longer stop a Snapshot.
pub(super) enum CannotStop {
    /// To follow "Stopping" and the operation's name.
    AfterItsName(&'static str),
    /// As sentences of their own.
    Alone(&'static str),
}

impl Taking {
    /// A Snapshot that is the operation's purpose.
    pub(super) const THE_SNAPSHOT: Self = Self {
        step: ("Snapshot", "Taking the Snapshot"),
        stopping: "too late to stop; the Snapshot is kept",
        cannot_stop: CannotStop::Alone(
            "DigitalOcean can't stop a Snapshot once it has started. I'll let it finish and keep it; delete it afterwards if you \
             don't want it.",
        ),
    };
}

/// The texts of the answers to a hung shutdown.
pub(super) struct Hung {
    /// The label of the button that continues with the Droplet running.
    pub(super) live: &'static str,
    /// What that button does.
    pub(super) live_means: &'static str,
    /// What *Cancel* does.
    pub(super) cancel_means: &'static str,
}

impl Hung {
    /// For an operation that takes a Snapshot and does nothing after it.
    pub(super) const TAKING: Self = Self {
        live: "Take it live",
        live_means: "takes the Snapshot while it runs. Files open at that moment may be incomplete.",
        cancel_means: "takes no Snapshot.",
    };
}

/// The bot did not turn it on.
pub(super) const SOMEBODY_TURNED_IT_ON: &str = " Somebody turned it on before I did.";
/// What to do when a Snapshot that was chosen from the list is gone.
const SEE_THE_LIST: &str = "`/snapshot list` shows what there is.";
