//! Waiting for one future while others continue.

use futures_util::{StreamExt as _, stream::FuturesUnordered};

/// Waits for `first` while `others` continue, and passes their outputs to `ended`.
pub(super) async fn alongside<F: Future + Unpin, O: Future>(
    mut first: F,
    others: &mut FuturesUnordered<O>,
    mut ended: impl FnMut(O::Output),
) -> F::Output {
    loop {
        tokio::select! {
            biased;
            Some(output) = others.next() => ended(output),
            output = &mut first => return output,
        }
    }
}
