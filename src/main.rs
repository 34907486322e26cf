//! Command line and exit code.

fn main() {}
