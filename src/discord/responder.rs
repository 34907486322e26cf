//! The first and only answer to an interaction: within Discord's three seconds, visible to one person, in every case.
//!
//! An interaction's token expires three seconds after the interaction was created, or fifteen minutes after it was answered. So whatever
//! takes longer than a moment is deferred first and answered by an edit. Everything later is sent by the reporter, not here.

use std::{panic::AssertUnwindSafe, pin::pin, time::Duration};

use futures_util::FutureExt;
use serenity::{
    builder::{CreateInteractionResponse, CreateInteractionResponseMessage},
    http::Http,
    model::id::InteractionId,
};

use super::{
    delivery,
    first_response::{Begun, FirstResponse},
    incident::{Fault, Incident, chain},
    lookup,
    messages::{
        message::{Message, Modal},
        refusal::{self, Refusal},
        reply,
    },
    press::Press,
    state::AppState,
    wire::{self, Trouble},
};
use crate::{
    operation::{FirstAnswer, Instructed, Instruction},
    store::Error,
};

/// How long the work may take before the answer is deferred: half of Discord's limit, since the interaction and the deferral take time to
/// travel.
const PATIENCE: Duration = Duration::from_millis(1500);

/// Why a person gets something other than what they requested.
#[derive(Debug)]
pub(super) enum Stop {
    /// A refusal, which is expected.
    Refused(Refusal),
    /// Expected, and temporary: the same press may succeed later.
    NotNow(Refusal, Box<Press>),
    /// Expected and temporary, for a command whose options no button can carry.
    SendAgain(Refusal),
    /// Unexpected, before anything was begun: this press makes the same request.
    NotStarted(Fault, Box<Press>),
    /// A fault, which is unexpected.
    Failed(Fault),
    /// Discord did not accept the answer, so nothing was begun, and there is nothing to say.
    Unanswered,
}

impl Stop {
    /// Adds the subject's name to a refusal that can carry it.
    pub(super) fn about(self, name: &str) -> Self {
        match self {
            Self::Refused(refusal) => Self::Refused(lookup::called(refusal, name)),
            stop => stop,
        }
    }
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

/// An answer, and where the person reads it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// An ephemeral message.
    New(Message),
    /// A replacement for the message whose button was pressed.
    Instead(Message),
    /// A form, which opens at once or not at all.
    Form(Modal),
    /// A message that everybody in the channel sees.
    Public(Message),
}

impl From<String> for Answer {
    fn from(text: String) -> Self {
        Self::New(Message::text(text))
    }
}

/// An interaction that waits for its answer.
pub(super) struct Responder<'a> {
    pub(super) state: &'a AppState,
    pub(super) first: &'a FirstResponse,
    pub(super) http: &'a Http,
    pub(super) id: InteractionId,
    pub(super) token: &'a str,
    /// The deferral to send if the work takes longer.
    pub(super) deferral: Deferral,
}

/// How the answer is deferred.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Deferral {
    /// By an ephemeral message, which is filled in later.
    Thinking,
    /// Without a visible change: the message with the button stays as it is until it is replaced.
    Silent,
}

/// The result of sending a first response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sent {
    Taken,
    /// Discord has one already, most likely from an earlier attempt.
    AnsweredBefore,
    Refused,
    /// It is unknown whether it arrived.
    Lost,
}

impl Sent {
    fn outcome(self) -> FirstAnswer {
        match self {
            Self::Taken | Self::AnsweredBefore => FirstAnswer::Taken,
            Self::Refused => FirstAnswer::Refused,
            Self::Lost => FirstAnswer::Lost,
        }
    }
}

impl Responder<'_> {
    /// Does the work and answers with the result. Defers if the work takes longer or requests it.
    pub(super) async fn answer(&self, work: impl Future<Output = Result<impl Into<Answer>, Stop>>) {
        let mut work = pin!(AssertUnwindSafe(work).catch_unwind());
        let overdue = async {
            tokio::select! {
                () = tokio::time::sleep(PATIENCE) => {}
                () = self.first.requested() => {}
            }
        };
        let (outcome, deferred) = tokio::select! {
            outcome = &mut work => (outcome, None),
            () = overdue => {
                // These run together: work that is not polled could hold the store's one connection.
                let (outcome, deferred) = tokio::join!(work, self.defer());
                (outcome, Some(deferred))
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
        let is_deferred = match deferred {
            Some(FirstAnswer::Taken) => true,
            // The response may have arrived. In that case Discord says so and accepts no second one.
            Some(FirstAnswer::Lost) => self.respond_with(&answer).await == Sent::AnsweredBefore,
            Some(FirstAnswer::Refused | FirstAnswer::Awaited) | None => {
                self.respond_with(&answer).await;
                false
            }
        };
        self.note_outcome().await;
        if is_deferred {
            self.complete(answer).await;
        }
    }

    /// Sends the whole answer as the first response.
    async fn respond_with(&self, answer: &Answer) -> Sent {
        let nothing = Message::default();
        let (response, said) = match answer {
            Answer::New(said) => (CreateInteractionResponse::Message(delivery::response(said).ephemeral(true)), said),
            Answer::Instead(said) => (CreateInteractionResponse::UpdateMessage(delivery::response(said)), said),
            Answer::Public(said) => (CreateInteractionResponse::Message(delivery::response(said)), said),
            Answer::Form(form) => (CreateInteractionResponse::Modal(delivery::modal(form)), &nothing),
        };
        self.respond(&response, said).await
    }

    /// Completes an answer that was deferred.
    async fn complete(&self, answer: Answer) {
        match (answer, self.deferral) {
            (Answer::Form(_), _) => self.follow_up(&Message::text(reply::press_again())).await,
            (Answer::New(said), Deferral::Silent) => self.follow_up(&said).await,
            // A deferred answer is ephemeral, which cannot be changed any more.
            (Answer::New(said) | Answer::Instead(said) | Answer::Public(said), _) => self.edit(&said).await,
        }
    }

    async fn defer(&self) -> FirstAnswer {
        let response = match self.deferral {
            Deferral::Thinking => {
                CreateInteractionResponse::Defer(CreateInteractionResponseMessage::new().ephemeral(true))
            }
            Deferral::Silent => CreateInteractionResponse::Acknowledge,
        };
        self.respond(&response, &Message::default()).await.outcome()
    }

    /// Sends the first response, a second time if it is unknown whether it arrived, and records the outcome.
    async fn respond(&self, response: &CreateInteractionResponse, said: &Message) -> Sent {
        let sent = self.try_to_respond(response, said).await;
        self.first.settle(sent.outcome());
        sent
    }

    async fn try_to_respond(&self, response: &CreateInteractionResponse, said: &Message) -> Sent {
        let mut may_have_arrived = false;
        for is_last in [false, true] {
            let files = delivery::file(said).into_iter().collect();
            let result = self.http.create_interaction_response(self.id, self.token, response, files).await;
            wire::count(&result);
            let Err(error) = result else { return Sent::Taken };
            match Trouble::of(&error) {
                // The earlier attempt arrived, or Discord delivered the interaction twice.
                Trouble::AlreadyAnswered => return Sent::AnsweredBefore,
                Trouble::Later => {
                    may_have_arrived |= wire::may_have_arrived(&error);
                    if is_last {
                        tracing::warn!(cause = wire::describe(&error), "could not answer an interaction");
                    }
                }
                Trouble::InteractionOver => {
                    self.state.refusals.note_late();
                    return Sent::Refused;
                }
                _ => {
                    tracing::warn!(cause = wire::describe(&error), "could not answer an interaction");
                    return Sent::Refused;
                }
            }
        }
        if may_have_arrived { Sent::Lost } else { Sent::Refused }
    }

    /// Reports the outcome of the first response to what was begun, which waits for it.
    async fn note_outcome(&self) {
        let (Some(begun), Some(outcome)) = (self.first.begun(), self.first.outcome()) else { return };
        let id = begun.id();
        if outcome != FirstAnswer::Taken {
            tracing::warn!(begun = id, ?outcome, "the person who asked may not have been answered");
        }
        let noted = match begun {
            Begun::Operation(operation, by) => {
                let instruction = match outcome {
                    FirstAnswer::Taken => Instruction::AnswerTaken,
                    FirstAnswer::Lost | FirstAnswer::Awaited => Instruction::AnswerLost,
                    FirstAnswer::Refused => Instruction::AnswerRefused,
                };
                let instructed = Instructed { instruction, by, at: self.state.clock.now() };
                self.state.store.instruct(operation, instructed, None).await.map(drop)
            }
            Begun::Run(plan, by) => {
                let stopped = match outcome {
                    FirstAnswer::Refused => self.state.store.stop_run(&plan, by).await.map(drop),
                    FirstAnswer::Taken | FirstAnswer::Lost | FirstAnswer::Awaited => Ok(()),
                };
                self.state.store.release_run(plan.id);
                stopped
            }
            Begun::Schedule(id, was) if outcome == FirstAnswer::Refused => {
                self.state.store.withdraw_schedule(id, was.as_deref()).await
            }
            Begun::Schedule(..) => Ok(()),
        };
        if let Err(error) = noted {
            tracing::warn!(begun = id, cause = chain(&error), "could not write down whether the person was answered");
        }
    }

    /// The message for the person, if one can be sent, after logging what needs it.
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
            Stop::SendAgain(refusal) => {
                self.state.refusals.note(refusal);
                return Some(refusal::send_again(refusal));
            }
            Stop::NotStarted(fault, press) => {
                let said = reply::memory_failed(&Incident::record(fault).to_string());
                return Some(refusal::again(Message::text(said), **press));
            }
            // The answer to a commit may be lost.
            Stop::Failed(fault @ (Fault::Store(Error::Unavailable(_)) | Fault::InDoubt(_))) => {
                reply::memory_silent(&Incident::record(fault).to_string())
            }
            Stop::Failed(fault @ Fault::Store(_)) => reply::memory_failed(&Incident::record(fault).to_string()),
            Stop::Failed(fault) => reply::incident(&Incident::record(fault).to_string()),
            Stop::Unanswered => {
                tracing::info!("nothing was begun, because Discord did not take the answer");
                // Discord may have accepted it all the same, and then the person waits.
                let is_lost = self.first.outcome() == Some(FirstAnswer::Lost);
                return is_lost.then(|| Message::text(reply::answer_lost()));
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

/// Sends what completes a deferred answer, a second time if it is unknown whether it arrived.
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
