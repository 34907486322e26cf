//! The first and only answer to an interaction: within Discord's three seconds, seen by one person, whatever happens.
//!
//! An interaction's token dies three seconds after it was made, and fifteen minutes after it was answered. So whatever takes
//! longer than a moment is deferred first and answered by an edit; everything later is said by the reporter, not here.

use std::{panic::AssertUnwindSafe, pin::pin, time::Duration};

use futures_util::FutureExt;
use serenity::{
    builder::{CreateInteractionResponse, CreateInteractionResponseMessage},
    http::Http,
    model::{channel::Message, id::InteractionId},
};

use super::{
    delivery,
    incident::{Fault, Incident},
    messages::{refusal::Refusal, reply, said::Said},
    wire::{self, Trouble},
};

/// How long the work may take before the answer is deferred: half of Discord's limit, since the interaction and the deferral
/// travel too.
const PATIENCE: Duration = Duration::from_millis(1500);

/// Why somebody gets something else than what they asked for.
#[derive(Debug)]
pub(super) enum Stop {
    /// Expected.
    Refused(Refusal),
    /// Not expected.
    Failed(Fault),
}

impl From<Refusal> for Stop {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl<E: Into<Fault>> From<E> for Stop {
    fn from(fault: E) -> Self {
        Self::Failed(fault.into())
    }
}

/// What somebody gets, and where they read it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// A message of its own, which only they see.
    New(Said),
    /// In place of the message whose button they pressed.
    Instead(Said),
}

impl From<String> for Answer {
    fn from(text: String) -> Self {
        Self::New(Said::text(text))
    }
}

/// An interaction that awaits its answer.
pub(super) struct Responder<'a> {
    pub(super) http: &'a Http,
    pub(super) id: InteractionId,
    pub(super) token: &'a str,
    /// What is answered if the work takes longer.
    pub(super) deferral: Deferral,
}

/// How Discord is told that the answer takes a moment longer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Deferral {
    /// By a new message, which only the person sees and which is filled in later.
    Thinking,
    /// By nothing: the message with the button stays as it is until it is replaced.
    Silent,
}

impl Responder<'_> {
    /// Does the work and answers with what it says; defers when the work takes longer.
    pub(super) async fn answer(&self, work: impl Future<Output = Result<impl Into<Answer>, Stop>>) {
        let mut work = pin!(AssertUnwindSafe(work).catch_unwind());
        let (outcome, is_deferred) = tokio::select! {
            outcome = &mut work => (outcome, false),
            () = tokio::time::sleep(PATIENCE) => {
                // Together: work that is not polled could keep the store's one connection from everybody else.
                let (outcome, is_deferred) = tokio::join!(work, self.defer());
                (outcome, is_deferred)
            }
        };
        let outcome = outcome.unwrap_or_else(|payload| Err(Fault::Panicked(panic_message(&*payload)).into()));
        let answer = match outcome {
            Ok(answer) => answer.into(),
            Err(stop) => words(&stop).into(),
        };
        match (answer, is_deferred.then_some(self.deferral)) {
            (Answer::New(said), None) => {
                let message = delivery::response(&said).ephemeral(true);
                self.respond(&CreateInteractionResponse::Message(message)).await;
            }
            (Answer::Instead(said), None) => {
                self.respond(&CreateInteractionResponse::UpdateMessage(delivery::response(&said))).await;
            }
            (Answer::New(said), Some(Deferral::Silent)) => self.follow_up(&said).await,
            (Answer::New(said) | Answer::Instead(said), Some(_)) => self.edit(&said).await,
        }
    }

    async fn defer(&self) -> bool {
        let response = match self.deferral {
            Deferral::Thinking => {
                CreateInteractionResponse::Defer(CreateInteractionResponseMessage::new().ephemeral(true))
            }
            Deferral::Silent => CreateInteractionResponse::Acknowledge,
        };
        self.respond(&response).await
    }

    /// Sends the first response, once more if it is not known to have arrived. Whether one is there then.
    async fn respond(&self, response: &CreateInteractionResponse) -> bool {
        for is_last in [false, true] {
            let result = self.http.create_interaction_response(self.id, self.token, response, Vec::new()).await;
            wire::count(&result);
            let Err(error) = result else { return true };
            match Trouble::of(&error) {
                // The earlier try arrived, or Discord delivered the interaction twice.
                Trouble::AlreadyAnswered => return true,
                Trouble::Later if !is_last => {}
                Trouble::InteractionOver => {
                    tracing::info!("the interaction was over before it was answered");
                    return false;
                }
                _ => {
                    tracing::warn!(cause = wire::describe(&error), "could not answer an interaction");
                    return false;
                }
            }
        }
        false
    }

    async fn edit(&self, said: &Said) {
        let edit = delivery::edit_response(said);
        twice(|| self.http.edit_original_interaction_response(self.token, &edit, Vec::new())).await;
    }

    async fn follow_up(&self, said: &Said) {
        let message = delivery::follow_up(said).ephemeral(true);
        twice(|| self.http.create_followup_message(self.token, &message, Vec::new())).await;
    }
}

/// Sends what completes a deferred answer, once more if it is not known to have arrived.
async fn twice<F: Future<Output = serenity::Result<Message>>>(send: impl Fn() -> F) {
    for is_last in [false, true] {
        let result = send().await;
        wire::count(&result);
        match result {
            Ok(_) => return,
            Err(error) if is_last || Trouble::of(&error) != Trouble::Later => {
                tracing::warn!(cause = wire::describe(&error), "could not complete the answer to an interaction");
                return;
            }
            Err(_) => {}
        }
    }
}

/// What the person reads, and what the log does.
fn words(stop: &Stop) -> String {
    match stop {
        Stop::Refused(refusal) => {
            tracing::info!(?refusal, "refused");
            refusal.words()
        }
        Stop::Failed(fault @ Fault::Store(_)) => reply::memory_failed(&Incident::record(fault).to_string()),
        Stop::Failed(fault) => reply::incident(&Incident::record(fault).to_string()),
    }
}

fn panic_message(payload: &(dyn std::any::Any + Send)) -> String {
    let text = payload.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| payload.downcast_ref::<String>().cloned()).unwrap_or_else(|| "without a message".to_owned())
}
