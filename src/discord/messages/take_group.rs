//! Messages about a group that a person takes: the question, and the short replies.

use super::{
    confirm::{self, Buttons},
    group::{self, Members, power},
    message::{Button, Message, Style},
    schedule::Cost,
    text::name,
    units::{cost, dollars_a_month},
};
use crate::{
    discord::press::Press,
    schedule::{Power, run::Plan},
};

/// A group to take now.
#[derive(Clone, Copy, Debug)]
pub struct Taking<'a> {
    /// How it is taken.
    pub plan: &'a Plan,
    /// Its members.
    pub members: &'a Members,
    /// The cost of one Snapshot of each.
    pub cost: Cost,
    /// The price of a Snapshot in dollars per GB and month.
    pub price_per_gb: f64,
    /// Whether it retries the members that an earlier run left without a Snapshot.
    pub is_again: bool,
}

/// Asks whether to take these members now.
pub fn question(taking: &Taking<'_>, buttons: Buttons) -> Message {
    let Taking { plan, members: named, .. } = *taking;
    let mut lines = group::members(&plan.group, named);
    let hung = match plan.power {
        Power::Off => " If one doesn't shut down, I take its Snapshot while it runs.",
        Power::Live => "",
    };
    lines.push(format!("**Power:** {}{hung}", power(plan.power)));
    lines.extend(group::warned(plan.power, plan.warn));
    let monthly = |size| dollars_a_month(cost(size, taking.price_per_gb));
    lines.push(match taking.cost {
        Cost::AsNewest(size) => format!("**Cost:** about {} for all of them.", monthly(size)),
        Cost::AtMost(size) => format!("**Cost:** at most {} for all of them.", monthly(size)),
        Cost::Unknown => "**Cost:** not known yet.".to_owned(),
    });
    lines.push(match plan.group.stop_after {
        0 | 1 => "If one doesn't come back on, I stop and say so in this channel.".to_owned(),
        count => format!("If {count} don't come back on, I stop and say so in this channel."),
    });
    let which = if taking.is_again { "those that have none, of the" } else { "all" };
    let title = format!("Take Snapshots of {which} Droplets with the tag {} now?", name(&plan.group.tag));
    let yes = Button::new("Take them", Style::Primary, Press::TakeGroup(buttons.id));
    confirm::question(&title, lines, yes, buttons)
}

/// The run begins.
pub fn begun(plan: &Plan) -> String {
    format!(
        "I'm taking Snapshots of the Droplets with the tag {} now. The message in <#{}> shows how it goes.",
        name(&plan.group.tag),
        plan.channel
    )
}

/// The reply to a request to stop the run.
pub fn stopping(is_heard: bool) -> String {
    if is_heard {
        "I'm starting no more. I'll finish what runs and turn its Droplet back on.".to_owned()
    } else {
        "It has ended or was stopped already.".to_owned()
    }
}
