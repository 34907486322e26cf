//! Runs the quick cases of `tests/foreign`: the program in a world that shares no code with the sandbox.
//!
//! Runs on Linux if `FOREIGN_PYTHON` names a Python with the packages in `tests/foreign/requirements.txt`.

#[path = "harness/required.rs"]
mod required;

use std::process::{Command, Stdio};

#[test]
fn the_program_keeps_its_promises_in_a_world_that_we_did_not_write() {
    let Some(python) = required::variable("FOREIGN_PYTHON", "a Python that has aiohttp and cryptography") else {
        return;
    };
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/foreign/run.py");
    let (binary, keep) = (env!("CARGO_BIN_EXE_snapshot-bot"), concat!(env!("CARGO_TARGET_TMPDIR"), "/foreign"));
    let mut command = Command::new(python);
    command.args([script, "--binary", binary, "--lanes", "2", "--quick", "--keep", keep]);
    let output = command.env("PYTHONDONTWRITEBYTECODE", "1").stdin(Stdio::null()).output().unwrap();
    let (said, complained) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{said}\n{complained}");
}
