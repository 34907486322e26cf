//! Gates: hold a request before or after it is carried out, until a test lets it go or cuts the connection.
//!
//! For crash tests: stop the bot while Discord has the request, or has carried it out and the answer is under way.

use tokio::sync::{mpsc, oneshot};

use super::{
    fault::{Asked, Route},
    world::World,
};

/// At which point a request is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Point {
    /// It has arrived, and nothing has happened.
    BeforeExecution,
    /// It has been carried out, and the answer has not left.
    BeforeAnswer,
}

/// What becomes of a held request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Release,
    Cut,
}

/// A request that is being held. Dropped, it is let go.
///
/// Its client may go away meanwhile: let go then, it is carried out all the same, as a late request is; cut, it never is.
#[derive(Debug)]
pub struct Held {
    /// Its number in the journal.
    pub number: usize,
    verdict: Option<oneshot::Sender<Verdict>>,
}

impl Held {
    /// Lets it go on.
    pub fn release(mut self) {
        self.say(Verdict::Release);
    }

    /// Cuts its connection; held before its execution, it is never carried out.
    pub fn cut(mut self) {
        self.say(Verdict::Cut);
    }

    fn say(&mut self, verdict: Verdict) {
        if let Some(sender) = self.verdict.take() {
            // A client that went away has no more use for a verdict.
            let _ = sender.send(verdict);
        }
    }
}

/// A gate in front of some requests. Dropped, it is open.
#[derive(Debug)]
pub struct Gate {
    held: mpsc::UnboundedReceiver<Held>,
}

impl Gate {
    /// Waits until a request is held.
    pub async fn arrival(&mut self) -> Option<Held> {
        self.held.recv().await
    }
}

#[derive(Debug)]
struct Post {
    route: Route,
    point: Point,
    /// How many that fit are let through first.
    skip: usize,
    /// Whether only one is held.
    once: bool,
    held: mpsc::UnboundedSender<Held>,
}

/// Every gate that stands.
#[derive(Debug, Default)]
pub(super) struct GateList {
    posts: Vec<Post>,
}

impl GateList {
    /// Holds this request, if a gate wants it: the receiver tells when it may go on.
    pub(super) fn stop(
        &mut self,
        point: Point,
        number: usize,
        request: &Asked<'_>,
    ) -> Option<oneshot::Receiver<Verdict>> {
        self.posts.retain(|post| !post.held.is_closed());
        let mut at = None;
        for (index, post) in self.posts.iter_mut().enumerate() {
            if post.point != point || !post.route.fits(request) {
                continue;
            }
            if post.skip > 0 {
                post.skip -= 1;
            } else if at.is_none() {
                at = Some(index);
            }
        }
        let at = at?;
        let (verdict, receiver) = oneshot::channel();
        let sent = self.posts[at].held.send(Held { number, verdict: Some(verdict) });
        if self.posts[at].once {
            self.posts.remove(at);
        }
        sent.ok().map(|()| receiver)
    }

    /// Opens every gate.
    pub(super) fn open(&mut self) {
        self.posts.clear();
    }
}

impl World {
    /// Holds one request that fits, after `skip` others.
    pub fn hold(&mut self, route: Route, point: Point, skip: usize) -> Gate {
        self.post_gate(route, point, skip, true)
    }

    /// Holds every request that fits.
    pub fn hold_all(&mut self, route: Route, point: Point) -> Gate {
        self.post_gate(route, point, 0, false)
    }

    fn post_gate(&mut self, route: Route, point: Point, skip: usize, once: bool) -> Gate {
        let (sender, held) = mpsc::unbounded_channel();
        self.gates.posts.push(Post { route, point, skip, once, held: sender });
        Gate { held }
    }
}
