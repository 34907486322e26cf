//! *Turn it on*: the button under the end of an operation whose Droplet was turned off by someone else.

use crate::{
    access::{Grant, Right},
    discord::{
        confirm::Confirmed,
        interaction_info::InteractionInfo,
        messages::refusal::Refusal,
        preflight,
        responder::{Answer, Stop},
        start::{self, NeedsRight, Requested},
        state::AppState,
    },
    inventory::DropletStatus,
    operation::{
        Operation,
        kinds::{Kind, TurnOn},
    },
};

impl NeedsRight for TurnOn {
    const RIGHT: Right = Right::Take;
}

/// Turning a Droplet on takes nothing away from anybody, so it asks no question.
impl Confirmed for TurnOn {}

/// Handles *Turn it on*.
pub(in crate::discord) async fn turn_on(
    state: &AppState,
    info: &InteractionInfo,
    grant: &Grant,
    operation: &Operation,
) -> Result<Answer, Stop> {
    start::check(state, info)?;
    let droplet = preflight::free(state, &info.who, operation).await?;
    if droplet.status == DropletStatus::Active {
        return Err(Refusal::AlreadyOn { droplet: droplet.name }.into());
    }
    let kind = Kind::TurnOn(TurnOn {});
    let requested = Requested { kind, target: preflight::target(&droplet), snapshot_name: None };
    start::begin(state, info, grant, requested).await.map(Answer::from)
}
