//! What people read about a kind of operation, where it differs from the others. One file each; the words that all kinds share stand in the
//! files next to this folder, which ask for them by [`words`].

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

/// The words of an operation's kind.
pub(super) fn words(kind: &Kind) -> &dyn Words {
    of_kind!(kind, it => it)
}

/// The words of a kind.
pub(super) trait Words {
    /// What it is, inside a sentence and without its article: ``restore of `web-1` ``. `shown` writes a name as the place allows it.
    fn called(&self, target: &str, shown: &dyn Fn(&str) -> String) -> String;

    /// The same where somebody chooses among operations.
    fn choice(&self, target: &str, shown: &dyn Fn(&str) -> String) -> String {
        self.called(target, shown)
    }

    /// What stands before that where a sentence goes on with it.
    fn article(&self) -> &'static str {
        "the "
    }

    /// What was not done, once somebody was asked and did not want it.
    fn declined(&self, target: &str) -> String;

    /// What it does, as the start of a title: ``Restoring `web-1` from `golden` ``.
    fn doing(&self, target: &str, shown: &dyn Fn(&str) -> String) -> String;

    /// What it is, as the start of a title, where it is not under way.
    fn titled(&self, target: &str, shown: &dyn Fn(&str) -> String) -> String {
        self.called(target, shown)
    }

    /// What came of it, in a line: the name, size and cost of what is there now.
    fn result(&self, _operation: &Operation, _wording: &Wording) -> Option<String> {
        None
    }

    /// What to look for before it is tried again, where it is not known whether it was done.
    fn look_first(&self, operation: &Operation) -> String {
        format!(
            "Look for {} in DigitalOcean's control panel before trying again, so you don't pay for two.",
            name(&operation.snapshot_name)
        )
    }

    /// How its title says that all went well.
    fn done(&self) -> &'static str;

    /// What it did, in sentences.
    fn completed(&self, operation: &Operation, wording: &Wording) -> Vec<String>;

    /// What it did not do because it was cancelled; none where `kept` and `disk` say it.
    fn undone(&self, _operation: &Operation) -> Option<String> {
        None
    }

    /// What it left on the Droplet's disk where it did not complete, for a kind that overwrites it.
    fn disk(&self, _operation: &Operation) -> Option<String> {
        None
    }

    /// What it leaves behind where it did not complete.
    fn kept(&self, _operation: &Operation, _wording: &Wording) -> Option<String> {
        None
    }

    /// Where what was there before is kept, and how long *Undo* puts it back.
    fn way_back(&self, _operation: &Operation, _wording: &Wording) -> Option<String> {
        None
    }

    /// Whether *Try again* stands under its failures; its command says what that asks.
    fn is_asked_again(&self) -> bool {
        false
    }

    /// How a sentence goes on that begins with its name and says that it failed.
    fn failed(&self, _operation: &Operation) -> &'static str {
        "failed"
    }

    /// What happened when its Droplet was found to be gone, and what to do next.
    fn droplet_gone(&self, operation: &Operation) -> Advice {
        let what = format!("{} is gone.", name(&operation.target.name));
        Advice { what, next: SEE_THE_LIST.to_owned() }
    }

    /// What happened when a Snapshot was found to be gone, and what to do next.
    fn snapshot_gone(&self, operation: &Operation) -> Advice {
        self.droplet_gone(operation)
    }

    /// What happened when its Droplet was found to be changed meanwhile, and what to do next.
    fn changed_meanwhile(&self, operation: &Operation) -> Advice {
        let droplet = name(&operation.target.name);
        Advice {
            what: format!("Somebody changed or used {droplet} in the meantime, so its disk was left as it is."),
            next: format!("Look at {droplet}, then ask again if you still want it."),
        }
    }

    /// What happened where DigitalOcean completed what it was for and did not list it in time.
    fn not_listed(&self) -> &'static str {
        "DigitalOcean completed the Snapshot but didn't list it within 30 minutes."
    }

    /// What can be pressed under its answer. Each asks before it does anything.
    fn buttons(&self, _operation: &Operation) -> Vec<Button> {
        Vec::new()
    }

    /// Which Snapshots it is about, where its title does not say; `taken` is the one that it took, with its size.
    fn facts(&self, _taken: Option<String>) -> Vec<String> {
        Vec::new()
    }

    /// Who turned the Droplet on, where it was found on and the bot did not do it.
    fn was_found_on(&self) -> &'static str {
        SOMEBODY_TURNED_IT_ON
    }

    /// Whether it is about the Droplet's power and nothing else, so that what it did says how the Droplet is.
    fn is_about_power(&self) -> bool {
        false
    }

    /// What it is doing with its Droplet, for somebody who may not know more.
    fn with_droplet(&self) -> &'static str {
        "working on it"
    }

    /// The same for its Snapshot.
    fn with_snapshot(&self) -> &'static str {
        "working with it"
    }

    /// The Snapshot that it takes on its way.
    fn taking(&self) -> Taking {
        Taking::THE_SNAPSHOT
    }

    /// What its Droplet goes down for, after the name of that.
    fn goes_down(&self) -> &'static str {
        "for a Snapshot"
    }

    /// The answers to its hung shutdown.
    fn hung(&self) -> Hung {
        Hung::TAKING
    }
}

/// What happened, and what to do next, as sentences.
pub(super) struct Advice {
    pub(super) what: String,
    pub(super) next: String,
}

/// The words for a Snapshot that is taken on the way.
pub(super) struct Taking {
    /// What the step is called when it is not under way, and when it is.
    pub(super) step: (&'static str, &'static str),
    /// What becomes of it when the operation is stopped meanwhile, in a title.
    pub(super) stopping: &'static str,
    /// The same in a sentence after the operation's name, or in sentences of its own.
    pub(super) cannot_stop: CannotStop,
}

/// How it is said that DigitalOcean cannot stop a Snapshot any more.
pub(super) enum CannotStop {
    /// After "Stopping" and the operation's name.
    AfterItsName(&'static str),
    /// By itself.
    Alone(&'static str),
}

impl Taking {
    /// A Snapshot that is what the operation is for.
    pub(super) const THE_SNAPSHOT: Self = Self {
        step: ("Snapshot", "Taking the Snapshot"),
        stopping: "too late to stop; the Snapshot is kept",
        cannot_stop: CannotStop::Alone(
            "DigitalOcean can't stop a Snapshot once it has started. I'll let it finish and keep it; delete it afterwards if you \
             don't want it.",
        ),
    };
}

/// The words for the answers to a hung shutdown.
pub(super) struct Hung {
    /// What the button says that goes on with the Droplet running.
    pub(super) live: &'static str,
    /// What that does.
    pub(super) live_means: &'static str,
    /// What *Cancel* does.
    pub(super) cancel_means: &'static str,
}

impl Hung {
    /// Of an operation that takes a Snapshot, and nothing after it.
    pub(super) const TAKING: Self = Self {
        live: "Take it live",
        live_means: "takes the Snapshot while it runs. Files open at that moment may be incomplete.",
        cancel_means: "takes no Snapshot.",
    };
}

/// Nobody of us did.
pub(super) const SOMEBODY_TURNED_IT_ON: &str = " Somebody turned it on before I did.";
/// What to do when a Snapshot is gone that was chosen from the list.
const SEE_THE_LIST: &str = "`/snapshot list` shows what there is.";
