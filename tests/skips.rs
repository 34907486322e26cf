//! A test that cannot run reports that, and fails where every test must run.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

#[path = "harness/required.rs"]
mod required;

/// What a test may also read from the environment: how much it does, never whether it runs.
const SETTINGS: &[&str] = &["(variable)", "CRASH_STORM", "CRASH_SWEEP", "RUST_LOG", "UPDATE_ENV_EXAMPLE", "WITHOUT"];

#[test]
#[ignore = "the tests below run it as a process of its own"]
fn a_test_that_needs_something() {
    let needed = env::var("NEEDED").expect("a variable's name");
    if required::variable(&needed, "a thing").is_some() {
        println!("it ran");
    }
}

/// Runs the test above, which needs what `needed` names, with these variables.
fn run(needed: &str, variables: &[(&str, &str)]) -> Output {
    let mut command = Command::new(env::current_exe().expect("this program"));
    command.args(["--exact", "a_test_that_needs_something", "--ignored"]);
    command.env_remove("REQUIRE_ALL").env_remove("SPEC_DIR").env("NEEDED", needed);
    command.envs(variables.iter().copied()).output().expect("it starts")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn what_is_missing_is_said_without_being_asked_for() {
    let ended = run("THING", &[]);
    assert!(ended.status.success());
    assert_eq!(text(&ended.stderr), "skipped in a_test_that_needs_something: THING is not set: it names a thing\n");
}

#[test]
fn what_is_missing_fails_the_test_where_all_are_required() {
    let ended = run("THING", &[("REQUIRE_ALL", "1")]);
    assert!(!ended.status.success());
    let said = text(&ended.stdout) + &text(&ended.stderr);
    let reason = "THING is not set: it names a thing. REQUIRE_ALL is set, so no test may be skipped";
    assert!(said.contains(reason), "{said}");
}

#[test]
fn an_empty_variable_names_nothing() {
    assert!(!run("THING", &[("REQUIRE_ALL", "1"), ("THING", "")]).status.success());
    assert!(text(&run("THING", &[("REQUIRE_ALL", ""), ("THING", "")]).stderr).starts_with("skipped"));
}

#[test]
fn what_is_there_is_used_in_silence() {
    let ended = run("THING", &[("REQUIRE_ALL", "1"), ("THING", "here")]);
    assert!(ended.status.success());
    assert_eq!(text(&ended.stderr), "");
}

#[test]
fn the_vendors_files_may_be_missing_everywhere() {
    let ended = run("SPEC_DIR", &[("REQUIRE_ALL", "1")]);
    assert!(ended.status.success());
    assert!(text(&ended.stderr).starts_with("skipped"));
}

/// Every Rust file below a folder.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path());
    let (folders, files): (Vec<_>, Vec<_>) = entries.partition(|path| path.is_dir());
    let rust = files.into_iter().filter(|path| path.extension().is_some_and(|extension| extension == "rs"));
    rust.chain(folders.iter().flat_map(|folder| sources(folder))).collect()
}

/// The tests' lines, each with its file and line number.
fn lines() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let own = [root.join("tests/skips.rs"), root.join("tests/harness/required.rs")];
    let all = ["tests", "sandbox/tests"].iter().flat_map(|folder| sources(&root.join(folder)));
    let others = all.filter(|path| !own.contains(path));
    let numbered = others.flat_map(|path| {
        let text = fs::read_to_string(&path).expect("a source");
        let lines = text.lines().enumerate();
        lines.map(|(at, line)| (format!("{}:{}", path.display(), at + 1), line.to_owned())).collect::<Vec<_>>()
    });
    numbered.collect()
}

#[test]
fn only_one_place_decides_whether_a_test_is_skipped() {
    let mut elsewhere = lines();
    elsewhere.retain(|(_, line)| line.contains("env::var") && !SETTINGS.iter().any(|setting| line.contains(setting)));
    assert!(elsewhere.is_empty(), "use required::variable, which heeds REQUIRE_ALL: {elsewhere:#?}");
}

#[test]
fn what_tests_may_lack_stands_in_contributing() {
    let guide = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/CONTRIBUTING.md")).expect("the guide");
    let lines = lines();
    let asked = lines.iter().filter_map(|(at, line)| Some((at, line.split_once("required::variable(\"")?.1)));
    let names: Vec<_> = asked.map(|(at, rest)| (at, rest.split('"').next().unwrap_or_default())).collect();
    assert!(names.len() > 5, "{names:?}");
    let missing: Vec<_> = names.iter().filter(|(_, name)| !guide.contains(&format!("`{name}`"))).collect();
    assert!(missing.is_empty(), "not in CONTRIBUTING.md: {missing:?}");
}
