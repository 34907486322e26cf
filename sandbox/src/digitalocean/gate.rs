//! A gate that stops a request before it is executed, or after it was and before it is answered, until a test lets it go on.
//!
//! A crash test asks for the n-th request, waits until it is caught, kills the client, and releases or cuts what was held. A
//! held request does not need its client: like the real one, the server goes on with what it has read.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

use super::{
    exchange::{Answer, Request},
    fault::Pattern,
};

/// Where a request is stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// The world does not know of it yet.
    BeforeExecution,
    /// The world has executed it; the answer is not sent.
    BeforeAnswer,
}

/// What becomes of a held request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    GoOn,
    Cut,
}

#[derive(Debug)]
struct Trap {
    stage: Stage,
    on: Pattern,
    skip: usize,
    caught: oneshot::Sender<Held>,
}

/// Stops requests that tests asked for; clones share the traps.
#[derive(Clone, Debug, Default)]
pub struct Gate(Arc<Mutex<Vec<Trap>>>);

/// A trap that waits for its request.
#[derive(Debug)]
pub struct Waiting(oneshot::Receiver<Held>);

/// A request that stands still. Dropping it lets it go on.
#[derive(Debug)]
pub struct Held {
    /// The request.
    pub request: Request,
    /// Its answer, if it was executed.
    pub answer: Option<Answer>,
    verdict: oneshot::Sender<Verdict>,
}

impl Held {
    /// Lets it go on.
    pub fn release(self) {
        // Nobody waits for it when the server has stopped meanwhile.
        let _stopped = self.verdict.send(Verdict::GoOn);
    }

    /// Breaks the connection; what was not executed never is.
    pub fn cut(self) {
        let _stopped = self.verdict.send(Verdict::Cut);
    }
}

impl Waiting {
    /// Waits for the request; none if the server stopped before it came.
    pub async fn caught(self) -> Option<Held> {
        self.0.await.ok()
    }
}

impl Gate {
    /// Stops one matching request, after letting `skip` of them through.
    pub fn hold(&self, stage: Stage, on: Pattern, skip: usize) -> Waiting {
        let (caught, waiting) = oneshot::channel();
        self.traps().push(Trap { stage, on, skip, caught });
        Waiting(waiting)
    }

    /// Takes all traps away that have caught nothing.
    pub fn open(&self) {
        self.traps().clear();
    }

    fn traps(&self) -> MutexGuard<'_, Vec<Trap>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Stands still for as long as a test holds this request.
    pub(super) async fn pass(&self, stage: Stage, request: &Request, answer: Option<&Answer>) -> Verdict {
        let Some(caught) = self.spring(stage, request) else { return Verdict::GoOn };
        let (verdict, decided) = oneshot::channel();
        let held = Held { request: request.clone(), answer: answer.cloned(), verdict };
        if caught.send(held).is_err() {
            return Verdict::GoOn;
        }
        decided.await.unwrap_or(Verdict::GoOn)
    }

    /// Counts the request at every trap of this stage; the first that is due catches it.
    fn spring(&self, stage: Stage, request: &Request) -> Option<oneshot::Sender<Held>> {
        let mut traps = self.traps();
        traps.retain(|trap| !trap.caught.is_closed());
        let mut due = None;
        for (index, trap) in traps.iter_mut().enumerate() {
            if trap.stage != stage || !trap.on.matches(request) {
                continue;
            }
            if trap.skip > 0 {
                trap.skip -= 1;
            } else if due.is_none() {
                due = Some(index);
            }
        }
        due.map(|index| traps.remove(index).caught)
    }
}
