//! The vendor's words as one short line: they are untrusted.

use crate::text::{one_line, start};

/// At most so many characters of them are repeated.
const LONGEST: usize = 200;

/// Foreign text as one short line in which nothing hides.
pub(super) fn plain(foreign: &str) -> String {
    let line = one_line(foreign);
    let kept = start(&line, LONGEST);
    if kept.len() == line.len() { line } else { format!("{}…", kept.trim_end()) }
}
