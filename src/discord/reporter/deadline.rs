//! Ensures that a request leaves soon after the lease was confirmed, or not at all.
//!
//! A process that takes over the lease waits as long as a request may take. serenity holds requests back while Discord limits them, and a
//! process can be suspended and resumed; neither may send an old message after a newer one.

use tokio::time::{Instant, sleep_until};

use crate::{discord::wire, store::deadlines};

/// The deadline for a request that is checked now.
pub(in crate::discord) fn deadline() -> Instant {
    Instant::now() + deadlines::REQUEST
}

/// Sends a request unless its deadline has passed, and stops waiting at the deadline.
pub(in crate::discord) async fn in_time<T>(
    deadline: Instant,
    request: impl Future<Output = serenity::Result<T>>,
) -> serenity::Result<T> {
    let late = async {
        // The timer may itself be late after the process was suspended.
        if Instant::now() < deadline {
            sleep_until(deadline).await;
        }
    };
    let result = tokio::select! {
        biased;
        () = late => Err(serenity::Error::Other("no answer in time")),
        result = request => result,
    };
    wire::count(&result);
    result
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::discord::wire::Trouble;

    #[tokio::test]
    async fn what_comes_too_late_does_not_leave() {
        let request = async { panic!("it left") };
        let result: serenity::Result<()> = in_time(Instant::now(), request).await;
        assert_eq!(result.as_ref().map_err(Trouble::of), Err(Trouble::Later));
    }

    #[tokio::test]
    async fn what_is_held_back_is_not_waited_for_beyond_its_deadline() {
        let soon = Instant::now() + Duration::from_millis(1);
        let result: serenity::Result<()> = in_time(soon, std::future::pending()).await;
        assert_eq!(result.as_ref().map_err(Trouble::of), Err(Trouble::Later));
    }
}
