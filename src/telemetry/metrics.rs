//! The metrics: one table of names and meanings, and the recorder that Prometheus reads.
//!
//! `app` installs the recorder if `/metrics` is served; modules record by name through the `metrics` macros, which otherwise cost almost
//! nothing. `tests/rooms.rs` checks that every name they use is in the table.

use std::sync::OnceLock;

use metrics::{describe_counter, describe_gauge, describe_histogram, set_global_recorder, with_local_recorder};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle, PrometheusRecorder};

/// The type of a metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MetricKind {
    /// Only ever grows.
    Counter,
    /// Goes up and down.
    Gauge,
    /// Shows the distribution of values.
    Histogram,
}

/// One metric that the bot records.
#[derive(Clone, Copy, Debug)]
pub struct Described {
    /// Its name.
    pub name: &'static str,
    /// Its type.
    pub kind: MetricKind,
    /// What it measures, and its labels.
    pub meaning: &'static str,
}

const fn described(name: &'static str, kind: MetricKind, meaning: &'static str) -> Described {
    Described { name, kind, meaning }
}

/// Every metric.
pub const METRICS: &[Described] = &[
    described("snapshot_bot_operations_total", MetricKind::Counter, "Operations that ended, by kind and outcome"),
    described("snapshot_bot_operation_seconds", MetricKind::Histogram, "How long operations took, by kind and outcome"),
    described(
        "snapshot_bot_steps_total",
        MetricKind::Counter,
        "Steps that ended, by kind of operation, step and outcome",
    ),
    described("snapshot_bot_step_seconds", MetricKind::Histogram, "How long steps took, by kind of operation and step"),
    described("snapshot_bot_requests_total", MetricKind::Counter, "Requests answered, by service and HTTP status"),
    described(
        "snapshot_bot_throttled_total",
        MetricKind::Counter,
        "Requests refused with status 429, or to Discord held back before that, by service",
    ),
    described(
        "snapshot_bot_budget_left",
        MetricKind::Gauge,
        "Requests that DigitalOcean still allows, in this minute or in this hour, whichever is less",
    ),
    described(
        "snapshot_bot_odd_answers_total",
        MetricKind::Counter,
        "Fields and list items of DigitalOcean's answers that came in a form that is not known, by place",
    ),
    described(
        "snapshot_bot_refused_interactions_total",
        MetricKind::Counter,
        "Commands and presses that were refused, by reason",
    ),
    described("snapshot_bot_power_owed", MetricKind::Gauge, "Droplets that the bot still has to bring back on"),
];

/// Upper bounds in seconds: from a step that takes no time to a Snapshot that takes all night.
const BUCKETS: &[f64] =
    &[1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1200.0, 2400.0, 3600.0, 7200.0, 28800.0];

/// The metrics recorded in this process. Clones share them.
#[derive(Clone)]
pub struct Metrics(PrometheusHandle);

impl Metrics {
    /// Starts recording, for the life of the process; later calls return the same recorder.
    pub fn install() -> Self {
        static INSTALLED: OnceLock<Metrics> = OnceLock::new();
        let installed = INSTALLED.get_or_init(|| {
            let recorder = recorder();
            let metrics = Self(recorder.handle());
            if set_global_recorder(recorder).is_err() {
                tracing::warn!("another metrics recorder is in place, so /metrics stays empty");
            }
            metrics
        });
        installed.clone()
    }

    /// All metrics in Prometheus' text format.
    pub fn render(&self) -> String {
        self.0.render()
    }
}

fn recorder() -> PrometheusRecorder {
    let builder = PrometheusBuilder::new();
    // This fails only for an empty list of buckets.
    let builder = builder
        .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), BUCKETS)
        .unwrap_or_else(|_| PrometheusBuilder::new());
    let recorder = builder.build_recorder();
    with_local_recorder(&recorder, || {
        for Described { name, kind, meaning } in METRICS {
            match kind {
                MetricKind::Counter => describe_counter!(*name, *meaning),
                MetricKind::Gauge => describe_gauge!(*name, *meaning),
                MetricKind::Histogram => describe_histogram!(*name, *meaning),
            }
        }
    });
    recorder
}

#[cfg(test)]
mod tests {
    use metrics::{counter, gauge, histogram};

    use super::*;

    #[test]
    fn each_metric_is_rendered_under_its_name_with_its_meaning() {
        let recorder = recorder();
        with_local_recorder(&recorder, || {
            for Described { name, kind, .. } in METRICS {
                match kind {
                    MetricKind::Counter => counter!(*name, "kind" => "take").increment(1),
                    MetricKind::Gauge => gauge!(*name).set(7.0),
                    MetricKind::Histogram => histogram!(*name, "kind" => "take").record(42.0),
                }
            }
        });
        let text = recorder.handle().render();
        for Described { name, kind, meaning } in METRICS {
            let line = match kind {
                MetricKind::Counter => format!("{name}{{kind=\"take\"}} 1"),
                MetricKind::Gauge => format!("{name} 7"),
                MetricKind::Histogram => format!("{name}_bucket{{kind=\"take\",le=\"60\"}} 1"),
            };
            assert!(text.contains(&line), "{line} is not in:\n{text}");
            assert!(text.contains(&format!("# HELP {name} {meaning}")), "{name} is not described in:\n{text}");
        }
    }

    #[test]
    fn installing_twice_gives_the_same_metrics() {
        let first = Metrics::install();
        Metrics::install();
        counter!("snapshot_bot_throttled_total", "service" => "test").increment(3);
        for metrics in [first, Metrics::install()] {
            assert!(metrics.render().contains("snapshot_bot_throttled_total{service=\"test\"} 3"));
        }
    }
}
