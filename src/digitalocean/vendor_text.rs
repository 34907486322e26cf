//! Untrusted text by the vendor as one short line.

use crate::text::{one_line, start};

/// The maximum number of characters to repeat.
const LONGEST: usize = 200;

/// Foreign text as one short line without hidden characters.
pub(super) fn short_line(foreign: &str) -> String {
    let line = one_line(foreign);
    let kept = start(&line, LONGEST);
    if kept.len() == line.len() { line } else { format!("{}…", kept.trim_end()) }
}
