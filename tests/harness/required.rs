//! What a test needs that a machine may lack: a server, a foreign client, a vendor's file. An environment variable names it.
//!
//! A test that lacks it is skipped, and prints that visibly. With `REQUIRE_ALL` set, as `.ci/run` sets it, the test fails instead, so that
//! a green run means that every test ran. Every test crate that needs this includes the file by its path.

use std::{env, io::Write as _, thread};

/// What `REQUIRE_ALL` does not demand. The vendors' files may not be published here, so a public clone has none. A file system that may be
/// filled, or a process without a network, needs rights that not every machine gives. `.ci/run` lists in its last lines which of these it
/// lacks.
const NEVER_DEMANDED: [&str; 3] = ["SPEC_DIR", "SMALL_DISK", "LOOPBACK_ONLY"];

/// The value of `variable`, which names `what` the test needs. After `None` the test must end, or leave out what needs it.
///
/// # Panics
/// If the variable is not set, but `REQUIRE_ALL` is.
pub(crate) fn variable(variable: &str, what: &str) -> Option<String> {
    let set = |variable| env::var(variable).ok().filter(|value| !value.is_empty());
    let value = set(variable);
    if value.is_none() {
        let missing = format!("{variable} is not set: it names {what}");
        let is_demanded = set("REQUIRE_ALL").is_some() && !NEVER_DEMANDED.contains(&variable);
        assert!(!is_demanded, "{missing}. REQUIRE_ALL is set, so no test may be skipped");
        let thread = thread::current();
        let line = format!("skipped in {}: {missing}\n", thread.name().unwrap_or("a test"));
        // Not with `eprintln!`, whose output the test harness hides unless the test fails.
        std::io::stderr().write_all(line.as_bytes()).expect("standard error takes a line");
    }
    value
}
