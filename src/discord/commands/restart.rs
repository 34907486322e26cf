//! *Restart it*: the button under the end of an operation whose shutdown hung, since the services of its Droplet may have stopped. It asks
//! first.

use crate::{
    access::{Grant, Right},
    discord::{
        confirm::{self, Confirmed, Question},
        interaction_info::InteractionInfo,
        messages::{confirm as words, refusal::Refusal},
        preflight,
        responder::{Answer, Stop},
        start::{self, NeedsRight, Requested},
        state::AppState,
    },
    inventory::DropletStatus,
    operation::{
        Operation,
        kinds::{Kind, Restart},
    },
};

impl NeedsRight for Restart {
    const RIGHT: Right = Right::Restore;
}

/// The operation itself looks at the Droplet right before it restarts it.
impl Confirmed for Restart {}

/// Handles *Restart it*.
pub(in crate::discord) async fn question(
    state: &AppState,
    info: &InteractionInfo,
    grant: &Grant,
    operation: &Operation,
) -> Result<Answer, Stop> {
    start::check(state, info)?;
    let droplet = preflight::free(state, &info.who, operation).await?;
    if droplet.status != DropletStatus::Active {
        return Err(Refusal::NotOn { droplet: droplet.name }.into());
    }
    let target = preflight::target(&droplet);
    let kind = Kind::Restart(Restart {});
    let requested = Requested { kind, target: target.clone(), snapshot_name: None };
    let question = Question::new(requested);
    confirm::ask(state, grant, &question, |buttons| words::restart(&target, buttons)).await.map(Answer::New)
}
