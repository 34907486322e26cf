//! Captures log output for tests that read it.

use std::{
    io,
    sync::{Arc, LazyLock},
};

use parking_lot::Mutex;
use tracing::{Dispatch, Subscriber, subscriber::with_default};

/// Two subscribers that always exist. While at most one subscriber exists, tracing asks only the current thread's whether a new line is of
/// interest, and caches the answer for all threads. A test in a thread without a subscriber would then silence that line for a test that
/// captures it.
static TWO_SUBSCRIBERS: LazyLock<[Dispatch; 2]> =
    LazyLock::new(|| [(); 2].map(|()| Dispatch::new(tracing_subscriber::registry())));

/// A log in memory. Clones write to the same one.
#[derive(Clone)]
pub(crate) struct Captured(Arc<Mutex<Vec<u8>>>);

impl Default for Captured {
    fn default() -> Self {
        LazyLock::force(&TWO_SUBSCRIBERS);
        Self(Arc::default())
    }
}

impl Captured {
    /// A subscriber that writes lines in the default format, from level info on, but without colors and time.
    pub(crate) fn subscriber(&self) -> impl Subscriber + Send + Sync + use<> {
        let writer = self.clone();
        tracing_subscriber::fmt().with_ansi(false).without_time().with_writer(move || writer.clone()).finish()
    }

    /// Everything written so far.
    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.0.lock().clone()).unwrap()
    }
}

impl io::Write for Captured {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What `speak` logs in this thread.
pub(crate) fn logged(speak: impl FnOnce()) -> String {
    let captured = Captured::default();
    with_default(captured.subscriber(), speak);
    captured.text()
}
