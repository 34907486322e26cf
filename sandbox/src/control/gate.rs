//! A gate that stops a request before it is executed, or after that and before it is answered, until a test lets it continue.
//!
//! A crash test asks for the n-th request, waits until it is caught, kills the client, and releases or cuts the request. A held request
//! does not need its client: like the real one, the server continues with what it has read.

use std::sync::Arc;

use parking_lot::{Mutex, MutexGuard};
use tokio::sync::oneshot;

use super::pattern::{Pattern, Seen};

/// Where a request is stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Point {
    /// The world does not know about it yet.
    BeforeExecution,
    /// The world has executed it, but the answer has not been sent.
    BeforeAnswer,
}

/// The decision about a held request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Decision {
    GoOn,
    Cut,
}

#[derive(Debug)]
struct Trap {
    point: Point,
    on: Pattern,
    skip: usize,
    caught: oneshot::Sender<Held>,
}

/// Stops the requests that tests asked for; clones share the traps.
#[derive(Clone, Debug, Default)]
pub struct Gate(Arc<Mutex<Vec<Trap>>>);

/// A trap that waits for its request. Once dropped, it catches nothing.
#[derive(Debug)]
pub struct Waiting(oneshot::Receiver<Held>);

/// A stopped request. Dropping it lets it continue.
#[derive(Debug)]
pub struct Held {
    /// Its number in the service's journal.
    pub number: usize,
    decision: oneshot::Sender<Decision>,
}

/// The error if the connection must be broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Cut;

/// A request at a gate, from the server's point of view.
#[derive(Debug)]
pub(crate) struct Stopped(oneshot::Receiver<Decision>);

impl Held {
    /// Lets the request continue.
    pub fn release(self) {
        // The receiver is gone if the server has stopped meanwhile.
        let _stopped = self.decision.send(Decision::GoOn);
    }

    /// Breaks the connection; a request that was not executed never is.
    pub fn cut(self) {
        let _stopped = self.decision.send(Decision::Cut);
    }
}

impl Waiting {
    /// Waits for the request; `None` if the server stopped before it came.
    pub async fn caught(self) -> Option<Held> {
        self.0.await.ok()
    }
}

impl Stopped {
    /// Waits for as long as a test holds the request.
    pub(crate) async fn decided(self) -> Result<(), Cut> {
        match self.0.await {
            Ok(Decision::Cut) => Err(Cut),
            // A request whose holder was dropped continues.
            Ok(Decision::GoOn) | Err(_) => Ok(()),
        }
    }
}

impl Gate {
    /// Stops one matching request, after letting `skip` of them through.
    pub fn hold(&self, point: Point, on: Pattern, skip: usize) -> Waiting {
        let (caught, waiting) = oneshot::channel();
        self.traps().push(Trap { point, on, skip, caught });
        Waiting(waiting)
    }

    /// Removes all traps that have caught nothing.
    pub fn open(&self) {
        self.traps().clear();
    }

    fn traps(&self) -> MutexGuard<'_, Vec<Trap>> {
        self.0.lock()
    }

    /// Stops a request if a test asked for it.
    pub(crate) fn stop(&self, point: Point, number: usize, request: &Seen<'_>) -> Option<Stopped> {
        let caught = self.spring(point, request)?;
        let (decision, decided) = oneshot::channel();
        caught.send(Held { number, decision }).ok().map(|()| Stopped(decided))
    }

    /// Counts the request for every trap at this point; the first trap that is due catches it.
    fn spring(&self, point: Point, request: &Seen<'_>) -> Option<oneshot::Sender<Held>> {
        let mut traps = self.traps();
        traps.retain(|trap| !trap.caught.is_closed());
        let mut due = None;
        for (index, trap) in traps.iter_mut().enumerate() {
            if trap.point != point || !trap.on.matches(request) {
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
