//! `/snapshot help` lists what this person may use here. Everyone in a served guild may use it.

use super::{Context, HELP, answer, asking};
use crate::{
    access::Right,
    discord::{
        incident::Fault,
        messages::{help, message::Message, refusal::Refusal},
        responder::{Answer, Stop},
    },
};

/// What you can do here, and how
#[poise::command(slash_command)]
pub(super) async fn help(context: Context<'_>) -> Result<(), Fault> {
    answer(context, |_| async { tell(context).map(Answer::New) }).await;
    Ok(())
}

fn tell(context: Context<'_>) -> Result<Message, Stop> {
    let state = context.framework.user_data;
    let person = asking(context);
    let guild = state.policy.admit(&person).map_err(Refusal::Denied)?;
    let greatest = state.policy.greatest(&person);
    let denial = state.policy.authorize(&person, Right::Take).err();
    let admins = state.policy.admins_may();
    Ok(help::help(&HELP, greatest, denial.as_ref(), admins, &state.commands.of(guild)))
}
