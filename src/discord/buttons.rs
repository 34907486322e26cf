//! Presses: a wish about an operation, by somebody who may have lost the right to it since the button was shown.
//!
//! A press is stateless and forged as easily as typed text, so the operation is looked up and the person asked about anew.

use serenity::{http::Http, model::application::ComponentInteraction};

use super::{
    face::{Face, person},
    messages::{refusal::Refusal, reply},
    press::{Act, Press},
    responder::{Responder, Stop},
};
use crate::{
    access::{Denial, Person, Right},
    operation::{
        Operation, Wished,
        ids::{InteractionId, UserId},
    },
    store::Heard,
};

/// Answers a press.
pub(super) async fn pressed(face: &Face, http: &Http, interaction: &ComponentInteraction) {
    let who = person(interaction.guild_id, interaction.user.id, interaction.member.as_ref());
    let id = InteractionId(interaction.id.get());
    let responder = Responder { http, id: interaction.id, token: &interaction.token };
    responder.answer(hear(face, &who, &interaction.data.custom_id, id)).await;
}

async fn hear(face: &Face, who: &Person, custom_id: &str, interaction: InteractionId) -> Result<String, Stop> {
    let guild = face.policy.admit(who).map_err(Refusal::Denied)?;
    let press: Press = custom_id.parse().map_err(|_| Refusal::UnknownButton)?;
    let unknown = || Refusal::UnknownOperation { text: press.operation.to_string() };
    let found = face.store.operation(press.operation).await?.map(|stored| stored.operation);
    let operation = found.filter(|operation| operation.asker.guild == guild).ok_or_else(unknown)?;
    let asker = operation.asker.user;
    let grant = face
        .policy
        .authorize(who, Right::over(asker, who.user))
        .map_err(|denial| not_allowed(denial, asker, who.user))?;
    check_moment(press.act, &operation)?;
    let wished = Wished { wish: press.act.wish(), by: grant.user(), at: face.clock.now() };
    match face.store.wish(press.operation, wished, Some(interaction)).await? {
        Heard::Yes | Heard::Repeated => {
            tracing::info!(operation.id = %press.operation, act = %press, "heard a wish");
            Ok(reply::heard(press.act).to_owned())
        }
        Heard::Ended => Err(Refusal::AlreadyEnded(press.operation).into()),
        Heard::Unknown => Err(unknown().into()),
    }
}

fn not_allowed(denial: Denial, asker: UserId, who: UserId) -> Refusal {
    if asker == who { Refusal::Denied(denial) } else { Refusal::NotYours(denial) }
}

/// Whether the wish can still mean something. The operation decides for itself; this is for a kind answer.
fn check_moment(act: Act, operation: &Operation) -> Result<(), Refusal> {
    let power = &operation.power;
    let is_open = match act {
        Act::Cancel => operation.verdict.is_none() && operation.cancelled.is_none(),
        Act::Force | Act::Live => operation.question.is_some(),
        Act::LeaveOff => power.owed.is_some(),
        Act::HandleIt => power.owed.is_some() && power.stuck.is_some(),
    };
    match (is_open, operation.is_open()) {
        (true, _) => Ok(()),
        (false, true) => Err(Refusal::TooLate),
        (false, false) => Err(Refusal::AlreadyEnded(operation.id)),
    }
}
