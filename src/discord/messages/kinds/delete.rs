//! The texts of a deletion.

use super::{Advice, SEE_THE_LIST, Words};
use crate::{
    discord::messages::{Wording, text::name},
    operation::{Operation, kinds::Delete},
};

impl Words for Delete {
    fn called(&self, _target: &str, shown: &dyn Fn(&str) -> String) -> String {
        format!("deletion of Snapshot {}", shown(&self.snapshot.name))
    }

    fn choice(&self, target: &str, shown: &dyn Fn(&str) -> String) -> String {
        let called = self.called(target, shown);
        // If the Droplet is gone, the Snapshot's name stands for both.
        if self.snapshot.name == target { called } else { format!("{called} of {}", shown(target)) }
    }

    fn declined(&self, _target: &str) -> String {
        format!("{} was not deleted", name(&self.snapshot.name))
    }

    fn doing(&self, _target: &str, shown: &dyn Fn(&str) -> String) -> String {
        format!("Deleting Snapshot {}", shown(&self.snapshot.name))
    }

    fn look_first(&self, _operation: &Operation) -> String {
        SEE_THE_LIST.to_owned()
    }

    fn done(&self) -> &'static str {
        "done"
    }

    fn completed(&self, _operation: &Operation, _wording: &Wording) -> Vec<String> {
        vec![format!("Snapshot {} is deleted.", name(&self.snapshot.name))]
    }

    fn undone(&self, _operation: &Operation) -> Option<String> {
        Some("The Snapshot is still there.".to_owned())
    }

    fn is_asked_again(&self) -> bool {
        true
    }

    fn snapshot_gone(&self, _operation: &Operation) -> Advice {
        let what = format!("Snapshot {} is gone already.", name(&self.snapshot.name));
        Advice { what, next: SEE_THE_LIST.to_owned() }
    }

    fn with_snapshot(&self) -> &'static str {
        "deleting it"
    }
}
