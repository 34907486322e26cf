//! The bot's output for its operators: log lines on standard error, and metrics for Prometheus.
//!
//! `main` installs both once, before anything else runs; all modules then use `tracing` and `metrics` and need not know this one. Nothing
//! here knows what the events mean.

#[cfg(test)]
pub(crate) mod captured;
mod metrics;
mod redact;

use std::{
    any::Any,
    fmt::Display,
    io::{self, IsTerminal as _},
    sync::LazyLock,
};

use secrecy::SecretString;
use tracing::{Level, Metadata, Subscriber};
use tracing_subscriber::{
    EnvFilter, Layer as _,
    filter::filter_fn,
    fmt::{self, MakeWriter},
    layer::SubscriberExt as _,
    util::{SubscriberInitExt as _, TryInitError},
};

pub use self::metrics::{Described, METRICS, MetricKind, Metrics};
use self::redact::{Redacting, Sealed};

/// The secrets that are redacted in every line; more are added when secrets are read again.
static SEALED: LazyLock<Sealed> = LazyLock::new(Sealed::default);

/// The format of log lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// For people at a terminal.
    Pretty,
    /// One JSON object a line, for machines.
    Json,
}

/// Sends log lines, including panics, to standard error from now on. `secrets` never appear in them, no matter what logs.
pub fn install_logs(format: LogFormat, filter: &str, secrets: &[SecretString]) -> Result<(), TryInitError> {
    let ansi = io::stderr().is_terminal();
    seal(secrets);
    subscriber(format, filter, ansi, Redacting::new(SEALED.clone(), io::stderr)).try_init()?;
    // Panic messages go the same way: they may contain the data being processed.
    std::panic::set_hook(Box::new(|panic| match panic.location() {
        Some(location) => log_panic(panic.payload(), location),
        None => log_panic(panic.payload(), &"an unknown place"),
    }));
    Ok(())
}

/// Redacts further secrets in every line from now on.
pub fn seal(secrets: &[SecretString]) {
    SEALED.add(secrets);
}

fn log_panic(payload: &(dyn Any + Send), location: &dyn Display) {
    let message = match (payload.downcast_ref::<&str>(), payload.downcast_ref::<String>()) {
        (Some(message), _) => message,
        (None, Some(message)) => message.as_str(),
        (None, None) => "no message",
    };
    // Logged with `Debug`, so that it stays on one line.
    tracing::error!(%location, panic = ?message, "a part of the bot panicked");
}

/// Everything between an event and its line. An invalid `filter` counts as `info`.
fn subscriber<W>(format: LogFormat, filter: &str, ansi: bool, writer: W) -> impl Subscriber + Send + Sync
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let filter = EnvFilter::try_new(filter).unwrap_or_else(|_| EnvFilter::new("info"));
    let lines = fmt::layer().with_writer(writer).with_ansi(ansi);
    let lines = match format {
        LogFormat::Pretty => lines.boxed(),
        LogFormat::Json => lines.json().boxed(),
    };
    tracing_subscriber::registry().with(filter).with(filter_fn(may_speak)).with(lines)
}

/// Our own modules log what the filter asks for; libraries log at most at level info, and open no spans.
///
/// serenity's spans contain whole requests, including interaction tokens and bodies, and every line inside a span repeats them. Its debug
/// lines, and those of the WebSocket and HTTP crates, contain raw payloads, some as lists of bytes that no redaction would recognize.
fn may_speak(metadata: &Metadata<'_>) -> bool {
    let ours = metadata.target().split("::").next() == Some(env!("CARGO_CRATE_NAME"));
    ours || (metadata.is_event() && *metadata.level() <= Level::INFO)
}

#[cfg(test)]
mod tests {
    use tracing::{debug, debug_span, info, info_span, subscriber::with_default, trace, warn};

    use super::{captured::Captured, *};

    fn lines(format: LogFormat, filter: &str, speak: impl FnOnce()) -> String {
        let captured = Captured::default();
        let writer = captured.clone();
        let secrets = ["MTIz.sealed.token".into(), "dop_v1_sealed".into()];
        let sealed = Sealed::default();
        sealed.add(&secrets);
        let redacting = Redacting::new(sealed, move || writer.clone());
        with_default(subscriber(format, filter, false, redacting), speak);
        captured.text()
    }

    #[test]
    fn libraries_say_no_more_than_info_whatever_the_filter_asks_for() {
        let text = lines(LogFormat::Pretty, "trace", || {
            let _span = info_span!(target: "serenity::http::client", "request", req = "route token").entered();
            debug!(target: "serenity::gateway::ws", "Failing bytes: [123, 34]");
            trace!(target: "tungstenite::protocol", "writing frame");
            info!(target: "serenity::gateway::shard", "resumed");
            debug!("ours");
        });
        assert!(text.contains("resumed") && text.contains("ours"), "{text}");
        for silent in ["Failing", "frame", "route"] {
            assert!(!text.contains(silent), "{text}");
        }
    }

    #[test]
    fn a_library_can_be_made_quieter_and_our_own_spans_are_kept() {
        let text = lines(LogFormat::Pretty, "debug,serenity=warn", || {
            let _span = debug_span!("operation", id = "7f3kq2xa").entered();
            info!(target: "serenity::gateway::shard", "resumed");
            warn!("ours");
        });
        assert!(text.contains("7f3kq2xa") && !text.contains("resumed"), "{text}");
    }

    #[test]
    fn no_secret_and_no_interaction_token_reaches_a_line_in_either_format() {
        for format in [LogFormat::Pretty, LogFormat::Json] {
            let text = lines(format, "debug", || {
                info!(header = "Bot MTIz.sealed.token", "asked with dop_v1_sealed");
                warn!(target: "serenity::gateway::ws", r#"Err; text: {{"id":"1","token":"aW50ZXJhY3Rpb24"}}"#);
                debug!("POST https://discord.com/api/v10/interactions/12/aW50ZXJhY3Rpb24/callback");
                debug!("PATCH https://discord.com/api/v10/webhooks/12/aW50ZXJhY3Rpb24/messages/@original");
                let _span = info_span!("interaction", token = "aW50ZXJhY3Rpb24").entered();
                info!("inside");
            });
            for hidden in ["sealed", "aW50ZXJhY3Rpb24"] {
                assert!(!text.contains(hidden), "{text}");
            }
            assert!(text.contains("[redacted]/callback") && text.contains("inside"), "{text}");
        }
    }

    #[test]
    fn a_panic_is_one_line_with_its_place_and_no_secret() {
        let message = "at\n\"dop_v1_sealed\" POST /webhooks/12/aW50ZXJhY3Rpb24/callback".to_owned();
        let payloads: [Box<dyn Any + Send>; 3] = [Box::new(message), Box::new("dop_v1_sealed"), Box::new(7)];
        for format in [LogFormat::Pretty, LogFormat::Json] {
            for payload in &payloads {
                let text = lines(format, "info", || log_panic(payload.as_ref(), &"src/worker.rs:7:1"));
                assert!(text.contains("src/worker.rs:7:1") && text.lines().count() == 1, "{text}");
                assert!(!text.contains("sealed") && !text.contains("aW50ZXJhY3Rpb24"), "{text}");
            }
        }
    }

    #[test]
    fn json_lines_are_json() {
        let text = lines(LogFormat::Json, "info", || info!(token = "dop_v1_sealed", "said \"so\""));
        let line: serde_json::Value = serde_json::from_str(text.trim()).unwrap();
        assert_eq!(line["fields"]["message"], "said \"so\"");
        assert_eq!(line["fields"]["token"], "[redacted]");
    }

    #[test]
    fn a_filter_that_cannot_be_read_counts_as_info() {
        let text = lines(LogFormat::Pretty, "=,=", || {
            info!("heard");
            debug!("unheard");
        });
        assert!(text.contains("heard") && !text.contains("unheard"), "{text}");
    }
}
