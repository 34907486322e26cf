//! The first and only answer to an interaction: within Discord's three seconds, seen by one person, whatever happens.
//!
//! An interaction's token dies three seconds after it was made, and fifteen minutes after it was answered. So whatever takes
//! longer than a moment is deferred first and answered by an edit; everything later is said by the reporter, not here.

use std::{panic::AssertUnwindSafe, pin::pin, time::Duration};

use futures_util::FutureExt;
use serenity::{
    builder::{CreateInteractionResponse, CreateInteractionResponseMessage},
    http::Http,
    model::id::InteractionId,
};

use super::{
    delivery,
    first_response::FirstResponse,
    incident::{Fault, Incident, chain},
    messages::{
        message::{Message, Modal},
        refusal::{self, Refusal},
        reply,
    },
    press::Press,
    state::AppState,
    wire::{self, Trouble},
};
use crate::operation::{FirstAnswer, Wish, Wished};

/// How long the work may take before the answer is deferred: half of Discord's limit, since the interaction and the deferral
/// travel too.
const PATIENCE: Duration = Duration::from_millis(1500);

/// Why somebody gets something else than what they asked for.
#[derive(Debug)]
pub(super) enum Stop {
    /// Expected.
    Refused(Refusal),
    /// Expected, and soon over: the same press may help.
    NotNow(Refusal, Box<Press>),
    /// Not expected.
    Failed(Fault),
    /// Discord did not let us answer, so nothing was begun, and there is nothing to say.
    Unanswered,
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
    New(Message),
    /// In place of the message whose button they pressed.
    Instead(Message),
    /// A form to fill in, which opens at once or not at all.
    Form(Modal),
    /// A message of its own, for everybody in the channel.
    Public(Message),
}

impl From<String> for Answer {
    fn from(text: String) -> Self {
        Self::New(Message::text(text))
    }
}

/// An interaction that awaits its answer.
pub(super) struct Responder<'a> {
    pub(super) state: &'a AppState,
    pub(super) first: &'a FirstResponse,
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
    /// Does the work and answers with what it says; defers when the work takes longer, or wants that.
    pub(super) async fn answer(&self, work: impl Future<Output = Result<impl Into<Answer>, Stop>>) {
        let mut work = pin!(AssertUnwindSafe(work).catch_unwind());
        let overdue = async {
            tokio::select! {
                () = tokio::time::sleep(PATIENCE) => {}
                () = self.first.requested() => {}
            }
        };
        let (outcome, is_deferred) = tokio::select! {
            outcome = &mut work => (outcome, false),
            () = overdue => {
                // Together: work that is not polled could keep the store's one connection from everybody else.
                let (outcome, is_deferred) = tokio::join!(work, self.defer());
                (outcome, is_deferred)
            }
        };
        let outcome = outcome.unwrap_or_else(|payload| Err(Fault::Panicked(panic_message(&*payload)).into()));
        let answer = match outcome {
            Ok(answer) => answer.into(),
            Err(stop) => match self.words(&stop) {
                Some(said) => Answer::New(said),
                None => return,
            },
        };
        match (answer, is_deferred.then_some(self.deferral)) {
            (Answer::New(said), None) => {
                let message = delivery::response(&said).ephemeral(true);
                self.respond(&CreateInteractionResponse::Message(message), &said).await;
            }
            (Answer::Instead(said), None) => {
                self.respond(&CreateInteractionResponse::UpdateMessage(delivery::response(&said)), &said).await;
            }
            (Answer::Public(said), None) => {
                self.respond(&CreateInteractionResponse::Message(delivery::response(&said)), &said).await;
            }
            (Answer::Form(form), None) => {
                let form = CreateInteractionResponse::Modal(delivery::modal(&form));
                self.respond(&form, &Message::default()).await;
            }
            (Answer::Form(_), Some(_)) => return self.follow_up(&Message::text(reply::press_again())).await,
            (Answer::New(said), Some(Deferral::Silent)) => {
                self.note_outcome().await;
                return self.follow_up(&said).await;
            }
            // Put off, it is seen by one person, and that cannot be changed any more.
            (Answer::New(said) | Answer::Instead(said) | Answer::Public(said), Some(_)) => {
                self.note_outcome().await;
                return self.edit(&said).await;
            }
        }
        self.note_outcome().await;
    }

    async fn defer(&self) -> bool {
        let response = match self.deferral {
            Deferral::Thinking => {
                CreateInteractionResponse::Defer(CreateInteractionResponseMessage::new().ephemeral(true))
            }
            Deferral::Silent => CreateInteractionResponse::Acknowledge,
        };
        self.respond(&response, &Message::default()).await == FirstAnswer::Taken
    }

    /// Sends the first response, once more if it is not known to have arrived, and keeps what became of it.
    async fn respond(&self, response: &CreateInteractionResponse, said: &Message) -> FirstAnswer {
        let outcome = self.try_to_respond(response, said).await;
        self.first.settle(outcome);
        outcome
    }

    async fn try_to_respond(&self, response: &CreateInteractionResponse, said: &Message) -> FirstAnswer {
        let mut may_have_arrived = false;
        for is_last in [false, true] {
            let files = delivery::file(said).into_iter().collect();
            let result = self.http.create_interaction_response(self.id, self.token, response, files).await;
            wire::count(&result);
            let Err(error) = result else { return FirstAnswer::Taken };
            match Trouble::of(&error) {
                // The earlier try arrived, or Discord delivered the interaction twice.
                Trouble::AlreadyAnswered => return FirstAnswer::Taken,
                Trouble::Later => {
                    may_have_arrived |= wire::may_have_arrived(&error);
                    if is_last {
                        tracing::warn!(cause = wire::describe(&error), "could not answer an interaction");
                    }
                }
                Trouble::InteractionOver => {
                    self.state.refusals.note_late();
                    return FirstAnswer::Refused;
                }
                _ => {
                    tracing::warn!(cause = wire::describe(&error), "could not answer an interaction");
                    return FirstAnswer::Refused;
                }
            }
        }
        if may_have_arrived { FirstAnswer::Lost } else { FirstAnswer::Refused }
    }

    /// Tells the operation that was begun what became of the first answer. Until it hears that, nothing is done.
    async fn note_outcome(&self) {
        let (Some((operation, by)), Some(outcome)) = (self.first.begun(), self.first.outcome()) else { return };
        let wish = match outcome {
            FirstAnswer::Taken => Wish::AnswerTaken,
            FirstAnswer::Lost | FirstAnswer::Awaited => Wish::AnswerLost,
            FirstAnswer::Refused => Wish::AnswerRefused,
        };
        if outcome != FirstAnswer::Taken {
            tracing::warn!(operation.id = %operation, ?outcome, "the person who asked may not have been answered");
        }
        let wished = Wished { wish, by, at: self.state.clock.now() };
        if let Err(error) = self.state.store.wish(operation, wished, None).await {
            tracing::warn!(operation.id = %operation, cause = chain(&error), "could not write down that the person was answered");
        }
    }

    /// What the person reads, if anything can be said to them, and what the log does.
    fn words(&self, stop: &Stop) -> Option<Message> {
        let said = match stop {
            Stop::Refused(refusal) => {
                self.state.refusals.note(refusal);
                return Some(refusal::message(refusal));
            }
            Stop::NotNow(refusal, press) => {
                self.state.refusals.note(refusal);
                return Some(refusal::not_now(refusal, **press));
            }
            Stop::Failed(fault @ Fault::Store(_)) => reply::memory_failed(&Incident::record(fault).to_string()),
            Stop::Failed(fault) => reply::incident(&Incident::record(fault).to_string()),
            Stop::Unanswered => {
                tracing::info!("nothing was begun, because Discord did not take the answer");
                return None;
            }
        };
        Some(Message::text(said))
    }

    async fn edit(&self, said: &Message) {
        let edit = delivery::edit_response(said);
        twice(|| wire::fill_in(self.http, self.token, &edit, delivery::file(said))).await;
    }

    async fn follow_up(&self, said: &Message) {
        let message = delivery::follow_up(said).ephemeral(true);
        twice(|| wire::follow_up(self.http, self.token, &message, delivery::file(said))).await;
    }
}

/// Sends what completes a deferred answer, once more if it is not known to have arrived.
async fn twice<F: Future<Output = serenity::Result<()>>>(send: impl Fn() -> F) {
    for is_last in [false, true] {
        let result = send().await;
        wire::count(&result);
        match result {
            Ok(()) => return,
            Err(error) if is_last || Trouble::of(&error) != Trouble::Later => {
                tracing::warn!(cause = wire::describe(&error), "could not complete the answer to an interaction");
                return;
            }
            Err(_) => {}
        }
    }
}

fn panic_message(payload: &(dyn std::any::Any + Send)) -> String {
    let text = payload.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| payload.downcast_ref::<String>().cloned()).unwrap_or_else(|| "without a message".to_owned())
}
