//! How long people wait for DigitalOcean: commands are answered within seconds, suggestions at the next key.
//!
//! Measured by the client's clock, which may be moved. What is waited for goes on where a loop runs it.

use std::{future::Future, pin::pin, time::Duration};

use jiff::SignedDuration;

use super::Unresolved;
use crate::digitalocean::{client::Client, error::Error};

/// For what a command cannot do without. An Interaction's token lives fifteen minutes, but nobody looks at "thinking" so long.
pub(super) const COMMAND: SignedDuration = SignedDuration::from_secs(10);
/// For a newer list, where there is one that will do.
pub(super) const NEWER: SignedDuration = SignedDuration::from_secs(2);
/// For what suggestions are made of. Discord wants them within three seconds, and the next key asks again.
pub(super) const SUGGESTION: SignedDuration = SignedDuration::from_secs(1);
/// For what suggestions can do without.
pub(super) const ADDITION: SignedDuration = SignedDuration::from_millis(500);
/// The clock is asked at least this often, since it may be moved.
const LOOK_UP: Duration = Duration::from_millis(100);

/// Why something is not there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Absent {
    /// DigitalOcean did not answer in time.
    Late,
    /// It cannot be asked.
    Failed(Error),
}

impl From<Absent> for Unresolved {
    fn from(absent: Absent) -> Self {
        match absent {
            Absent::Late => Self::Late,
            Absent::Failed(Error::Unauthorized { .. }) => Self::TokenRefused,
            Absent::Failed(Error::Forbidden { scopes, message, .. }) => Self::Forbidden { scopes, message },
            Absent::Failed(error) => Self::Unavailable(error),
        }
    }
}

/// What comes of the work, if it comes in time.
pub(super) async fn within<T>(
    client: &Client,
    patience: SignedDuration,
    work: impl Future<Output = T>,
) -> Result<T, Absent> {
    let until = client.now() + patience;
    let mut work = pin!(work);
    loop {
        let left = Duration::try_from(until.duration_since(client.now())).unwrap_or_default();
        tokio::select! {
            biased;
            done = &mut work => return Ok(done),
            () = tokio::time::sleep(left.min(LOOK_UP)) => if left.is_zero() { return Err(Absent::Late) },
        }
    }
}
