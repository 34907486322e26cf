//! How long people wait for DigitalOcean: commands are answered within seconds, suggestions at the next keystroke.
//!
//! Measured by the client's clock, which may be moved. If a loop does the work, it continues after the timeout.

use std::{future::Future, pin::pin, time::Duration};

use jiff::SignedDuration;

use super::Unresolved;
use crate::digitalocean::{client::Client, error::Error};

/// For data that a command needs. An interaction's token lasts fifteen minutes, but people do not look at "thinking" that long.
pub(super) const COMMAND: SignedDuration = SignedDuration::from_secs(10);
/// For a newer list, if the existing one will do.
pub(super) const NEWER: SignedDuration = SignedDuration::from_secs(2);
/// For the data of suggestions. Discord expects them within three seconds, and the next keystroke asks again.
pub(super) const SUGGESTION: SignedDuration = SignedDuration::from_secs(1);
/// For additions to suggestions that can be omitted.
pub(super) const ADDITION: SignedDuration = SignedDuration::from_millis(500);
/// The maximum time between two readings of the clock, since it may be moved.
const LOOK_UP: Duration = Duration::from_millis(100);

/// Why data is not available.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Absent {
    /// DigitalOcean did not answer in time.
    Late,
    /// DigitalOcean returned an error.
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

/// The result of the work, if it is ready in time.
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
