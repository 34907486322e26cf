//! The API's error answers, with DigitalOcean's ids and texts where those have been observed.

use serde_json::json;

/// Whose fault a refusal is: only [`Blame::Client`] counts as "the vendor would refuse this".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Blame {
    /// A correct client would never have sent it.
    Client,
    /// It depends on the state of the world; a correct client may meet it.
    Circumstance,
}

/// A refused request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) status: u16,
    pub(super) id: &'static str,
    pub(super) message: String,
    pub(super) blame: Blame,
    pub(super) retry_after: Option<u64>,
}

impl Refusal {
    fn new(status: u16, id: &'static str, message: impl Into<String>, blame: Blame) -> Self {
        Self { status, id, message: message.into(), blame, retry_after: None }
    }

    pub(super) fn unauthorized() -> Self {
        Self::new(401, "unauthorized", "Unable to authenticate you", Blame::Circumstance)
    }

    /// As seen in digitalocean/doctl#1635: the message does not name the missing scope.
    pub(super) fn forbidden() -> Self {
        Self::new(403, "forbidden", "You are not authorized to perform this operation", Blame::Circumstance)
    }

    pub(super) fn not_found() -> Self {
        Self::new(404, "not_found", "The resource you were accessing could not be found.", Blame::Circumstance)
    }

    pub(super) fn no_such_route() -> Self {
        Self { blame: Blame::Client, ..Self::not_found() }
    }

    pub(super) fn unreadable_body() -> Self {
        Self::new(400, "bad_request", "error parsing request body", Blame::Client)
    }

    pub(super) fn not_a_snapshot() -> Self {
        Self::new(400, "bad_request", "the resource is not a snapshot", Blame::Client)
    }

    /// The request is invalid in any state of the world.
    pub(super) fn malformed(message: impl Into<String>) -> Self {
        Self::new(422, "unprocessable_entity", message, Blame::Client)
    }

    /// The request is invalid in this state of the world.
    pub(super) fn unprocessable(message: impl Into<String>) -> Self {
        Self::new(422, "unprocessable_entity", message, Blame::Circumstance)
    }

    pub(super) fn pending_event() -> Self {
        Self::unprocessable("Droplet already has a pending event.")
    }

    pub(super) fn too_many_requests(retry_after: Option<u64>) -> Self {
        let refusal = Self::new(429, "too_many_requests", "API rate limit exceeded.", Blame::Circumstance);
        Self { retry_after, ..refusal }
    }

    /// The JSON body of the error answer.
    pub(super) fn body(&self, request_id: &str) -> Vec<u8> {
        json!({"id": self.id, "message": self.message, "request_id": request_id}).to_string().into_bytes()
    }
}
