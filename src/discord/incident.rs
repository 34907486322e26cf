//! Unexpected failures. The person gets a short id, and the log gets the whole error chain under the same id, once.

use std::fmt;

use crate::{access::Right, store};

/// Why a command or a press failed unexpectedly.
#[derive(Debug, thiserror::Error)]
pub(super) enum Fault {
    /// The store failed.
    #[error("could not {0}")]
    Store(#[from] store::Error),
    /// The store was asked to begin something, and it is unknown whether it did.
    #[error("could not {0}, and it may be done all the same")]
    InDoubt(#[source] store::Error),
    /// A question could not be serialized or read back.
    #[error("could not keep a question: {0}")]
    Question(#[from] serde_json::Error),
    /// A bug: a command asked for a smaller right than the operation needs.
    #[error("a {kind} needs the right {needed:?}, and only {granted:?} was asked for")]
    SmallGrant {
        /// The kind of operation that was to begin.
        kind: &'static str,
        /// The right that it needs.
        needed: Right,
        /// The right that the person was granted.
        granted: Right,
    },
    /// A bug: the code panicked.
    #[error("panicked: {0}")]
    Panicked(String),
}

/// The id that the person's message and the log share.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Incident(String);

impl Incident {
    /// Gives the fault an id and logs it with all its causes.
    pub(super) fn record(fault: &Fault) -> Self {
        let incident = Self(std::iter::repeat_with(fastrand::alphanumeric).take(8).collect::<String>().to_lowercase());
        tracing::error!(incident.id = %incident, cause = chain(fault), "an interaction failed");
        incident
    }
}

impl fmt::Display for Incident {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// An error and all its causes, on one line.
pub fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_incident_has_eight_characters() {
        let incident = Incident::record(&Fault::Panicked("x".to_owned()));
        assert_eq!(incident.to_string().len(), 8);
    }

    #[test]
    fn the_log_gets_every_cause() {
        let fault = Fault::Store(store::Error::LeaseLost);
        assert!(chain(&fault).starts_with("could not "));
    }
}
