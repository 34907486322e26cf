//! The house rules that a machine can check: who may import whom, and what every file must contain.
//!
//! It reads the sources of both packages with `syn`. Their unit tests are exempt: they may import whatever they need.

#![expect(clippy::unwrap_used, reason = "a source that cannot be read should fail the test")]

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use proc_macro2::{TokenStream, TokenTree};
use snapshot_bot::telemetry::METRICS;
use syn::{ItemUse, UseName, UseRename, UseTree, visit::Visit};

/// What a module may import, and why no more.
struct Room {
    name: &'static str,
    may_import: &'static [&'static str],
    because: &'static str,
}

const fn room(name: &'static str, may_import: &'static [&'static str], because: &'static str) -> Room {
    Room { name, may_import, because }
}

/// A package and its permitted imports.
struct Package {
    folder: &'static str,
    rooms: &'static [Room],
}

const PACKAGES: &[Package] =
    &[Package { folder: "src", rooms: BOT }, Package { folder: "sandbox/src", rooms: SANDBOX }];

/// The bot. Everything that it imports from the package `snapshot-bot-sandbox` counts as a module `sandbox`.
const BOT: &[Room] = &[
    room("operation", &["text"], "the domain is pure, so that its rules can be read, simulated and trusted alone"),
    room("ping", &[], "it calls an address and does not know what for"),
    room(
        "schedule",
        &["operation::announce", "operation::ids", "operation::warning", "ping"],
        "when Snapshots are due and what is kept must be simulated and trusted alone",
    ),
    room("access", &["operation::ids"], "a decision about rights must not depend on how Discord is spoken to"),
    room("text", &[], "how texts are cut is asked by every room, so it asks none"),
    room("clock", &[], "time is an argument that every room may ask for, so it asks for none"),
    room("telemetry", &[], "logs and metrics do not know what they speak of"),
    room("config", &["access", "operation::ids", "ping", "telemetry"], "it makes values and starts nothing"),
    room("http", &["telemetry"], "it answers from memory, and is told what to say by app"),
    room("digitalocean", &["operation::ids", "text"], "the client could serve any other program"),
    room(
        "store",
        &["operation", "schedule", "ping", "clock"],
        "the memory keeps what happened and asks nobody what to do",
    ),
    room(
        "inventory",
        &["digitalocean", "operation::ids", "text"],
        "the read side decides nothing and remembers nothing durable",
    ),
    room(
        "worker",
        &["store", "digitalocean", "operation", "clock"],
        "the write side works whether or not Discord is there: the two sides meet only in the store",
    ),
    room(
        "discord",
        &["access", "inventory", "store", "operation", "schedule", "ping", "clock", "text"],
        "the Discord front end starts nothing at DigitalOcean: it writes instructions into the store, and the worker reads them",
    ),
    room(
        "app",
        &[
            "access",
            "clock",
            "config",
            "digitalocean",
            "discord",
            "http",
            "inventory",
            "operation",
            "ping",
            "schedule",
            "store",
            "telemetry",
            "worker",
        ],
        "what ships must run without any simulation",
    ),
    room(
        "demo",
        &["app", "clock", "config", "operation", "sandbox", "store"],
        "it adds what was remembered before the visitor came, and then starts the bot that ships",
    ),
    room(
        "main",
        &["app", "clock", "config", "demo", "telemetry"],
        "it reads the command line and hands over; whatever it needs beyond that belongs into app",
    ),
];

/// The simulated services. The compiler ensures that they do not know the bot.
const SANDBOX: &[Room] = &[
    room("control", &[], "faults, gates and journals are the same, whatever the service"),
    room("digitalocean", &["control"], "each service can be had without the other"),
    room("discord", &["control"], "each service can be had without the other"),
    room("page", &["digitalocean", "discord"], "it shows both services and acts on them"),
    room("standalone", &["digitalocean", "discord", "page"], "it starts everything that there is"),
];

/// One source file, without its unit tests and comments.
struct Source {
    package: &'static Package,
    path: PathBuf,
    /// Path below the package's folder, without the extension: `discord`, `commands`, `take`.
    module: Vec<String>,
    whole: String,
    code: String,
}

impl Source {
    fn read(package: &'static Package, path: PathBuf, root: &Path) -> Self {
        let whole = fs::read_to_string(&path).unwrap();
        let below = path.strip_prefix(root).unwrap().with_extension("");
        let mut module: Vec<_> = below.iter().map(|part| part.to_str().unwrap().to_owned()).collect();
        if module.last().is_some_and(|last| last == "mod") {
            module.pop();
        }
        let code = shipped(&whole);
        Self { package, path, module, whole, code }
    }

    fn all() -> Vec<Self> {
        PACKAGES.iter().flat_map(Self::of).collect()
    }

    fn of(package: &'static Package) -> Vec<Self> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join(package.folder);
        let (mut folders, mut sources) = (vec![root.clone()], Vec::new());
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else if path.extension().is_some_and(|extension| extension == "rs") {
                    sources.push(Self::read(package, path, &root));
                }
            }
        }
        sources.retain(|source| !source.module.iter().any(|part| part == "tests"));
        sources.sort_by(|a, b| a.path.cmp(&b.path));
        assert!(sources.len() >= 10, "the sources of {} were not found", package.folder);
        sources
    }

    fn room(&self) -> &str {
        &self.module[0]
    }

    fn shown(&self) -> String {
        format!("{}/{}", self.package.folder, self.module.join("/"))
    }
}

/// The code without comments and without what follows `#[cfg(test)]`, which by house rule is the last item of a file.
fn shipped(text: &str) -> String {
    let code = text.lines().take_while(|line| line.trim() != "#[cfg(test)]");
    code.map(|line| if line.trim_start().starts_with("//") { "" } else { line }).collect::<Vec<_>>().join("\n")
}

/// Every path that a file names, from `use`, code and macros' arguments: `crate::a::b` as `["crate", "a", "b"]`.
fn paths(code: &str) -> Vec<Vec<String>> {
    let file = syn::parse_file(code).unwrap_or_else(|error| panic!("{error} in\n{code}"));
    let mut named = NamedPaths::default();
    named.visit_file(&file);
    named.found
}

#[derive(Default)]
struct NamedPaths {
    found: Vec<Vec<String>>,
}

impl NamedPaths {
    fn spread(&mut self, tree: &UseTree, mut above: Vec<String>) {
        match tree {
            UseTree::Path(path) => {
                above.push(path.ident.to_string());
                self.spread(&path.tree, above);
            }
            UseTree::Group(group) => group.items.iter().for_each(|tree| self.spread(tree, above.clone())),
            UseTree::Name(UseName { ident }) | UseTree::Rename(UseRename { ident, .. }) => {
                if ident != "self" {
                    above.push(ident.to_string());
                }
                self.found.push(above);
            }
            UseTree::Glob(_) => self.found.push(above),
        }
    }

    /// The arguments of a macro need not be an expression, so its words are read one by one.
    fn read_words(&mut self, tokens: TokenStream) {
        let (mut path, mut colons) = (Vec::new(), 0);
        for token in tokens {
            match token {
                TokenTree::Ident(word) => {
                    if colons != 2 {
                        self.found.push(std::mem::take(&mut path));
                    }
                    path.push(word.to_string());
                    colons = 0;
                }
                TokenTree::Punct(colon) if colon.as_char() == ':' => colons += 1,
                other => {
                    self.found.push(std::mem::take(&mut path));
                    colons = 0;
                    if let TokenTree::Group(group) = other {
                        self.read_words(group.stream());
                    }
                }
            }
        }
        self.found.push(path);
        self.found.retain(|path| !path.is_empty());
    }
}

impl<'file> Visit<'file> for NamedPaths {
    fn visit_item_use(&mut self, item: &'file ItemUse) {
        self.spread(&item.tree, Vec::new());
    }

    fn visit_path(&mut self, path: &'file syn::Path) {
        self.found.push(path.segments.iter().map(|segment| segment.ident.to_string()).collect());
        syn::visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, invoked: &'file syn::Macro) {
        self.read_words(invoked.tokens.clone());
        syn::visit::visit_macro(self, invoked);
    }
}

/// What a file imports from its package, in the binary by the library's name, or from the sandbox.
fn imports(code: &str) -> Vec<String> {
    let ours = paths(code).into_iter().filter_map(|path| match path.first()?.as_str() {
        "crate" | "snapshot_bot" => Some(path[1..].join("::")),
        "snapshot_bot_sandbox" => {
            Some(["sandbox"].into_iter().chain(path[1..].iter().map(String::as_str)).collect::<Vec<_>>().join("::"))
        }
        _ => None,
    });
    ours.filter(|path| !path.is_empty()).collect()
}

/// Every path that begins with `super::`, resolved from the package's root.
fn relative_imports(own: &[String], code: &str) -> Vec<Vec<String>> {
    let relative = paths(code).into_iter().filter_map(|path| {
        let up = path.iter().take_while(|part| *part == "super").count();
        let above = own.len().checked_sub(up).filter(|_| up > 0)?;
        Some(own[..above].iter().chain(&path[up..]).cloned().collect())
    });
    relative.collect()
}

/// The files that each file of a package imports. A folder and its content count as one: `mod`, `pub use` and `use super::` are ignored.
fn file_imports(sources: &[Source]) -> BTreeMap<&[String], BTreeSet<&[String]>> {
    let files: BTreeSet<&[String]> = sources.iter().map(|source| source.module.as_slice()).collect();
    let mut graph = BTreeMap::new();
    for source in sources {
        let own = source.module.as_slice();
        let paths = imports(&source.code).into_iter().map(|path| path.split("::").map(str::to_owned).collect());
        let paths: Vec<Vec<String>> = paths.chain(relative_imports(own, &source.code)).collect();
        let named =
            paths.iter().filter_map(|path| (1..=path.len()).rev().find_map(|to| files.get(&path[..to]).copied()));
        let others = named.filter(|other| !own.starts_with(other) && !other.starts_with(own));
        graph.insert(own, others.collect());
    }
    graph
}

/// Everything that a file imports, directly or indirectly.
fn reach<'s>(graph: &BTreeMap<&'s [String], BTreeSet<&'s [String]>>, from: &'s [String]) -> BTreeSet<&'s [String]> {
    let (mut seen, mut open) = (BTreeSet::new(), vec![from]);
    while let Some(file) = open.pop() {
        open.extend(graph[file].iter().filter(|other| seen.insert(**other)));
    }
    seen
}

fn allows(allowed: &str, import: &str) -> bool {
    import.strip_prefix(allowed).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
}

#[test]
fn rooms_import_each_other_only_along_the_arrows_of_the_map() {
    let mut wrong = Vec::new();
    for source in Source::all().iter().filter(|source| source.room() != "lib") {
        let Some(Room { may_import, because, .. }) =
            source.package.rooms.iter().find(|room| room.name == source.room())
        else {
            wrong.push(format!("{}: nobody has placed this room on the map in tests/rooms.rs", source.shown()));
            continue;
        };
        for import in imports(&source.code) {
            let own = import.split("::").next() == Some(source.room());
            if !own && !may_import.iter().any(|allowed| allows(allowed, &import)) {
                let may = if may_import.is_empty() { "nothing of ours".to_owned() } else { may_import.join(", ") };
                let room = source.room();
                wrong.push(format!("{} imports {import}, but {room} may import {may}: {because}", source.shown()));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn no_files_import_each_other_in_a_circle() {
    let mut circles = BTreeSet::new();
    for package in PACKAGES {
        let sources = Source::of(package);
        let graph = file_imports(&sources);
        let shown = |file: &[String]| format!("{}/{}", package.folder, file.join("/"));
        for file in graph.keys() {
            let back = reach(&graph, file).into_iter().filter(|other| reach(&graph, other).contains(file));
            let circle: Vec<String> = back.map(shown).collect();
            if !circle.is_empty() {
                circles.insert(circle);
            }
        }
    }
    assert!(circles.is_empty(), "move what both need into a file of its own: {circles:#?}");
}

/// The maximum number of lines of a file. A longer file has more than one purpose and can be split. Unit tests do not count.
const LONGEST_FILE: usize = 400;

#[test]
fn no_file_is_too_long_to_be_read_at_once() {
    let lines = |source: &Source| source.whole.lines().take_while(|line| line.trim() != "#[cfg(test)]").count();
    let long: Vec<_> = Source::all()
        .iter()
        .map(|source| (lines(source), source.shown()))
        .filter(|(lines, _)| *lines > LONGEST_FILE)
        .collect();
    assert!(long.is_empty(), "{long:#?}");
}

#[test]
fn no_room_is_left_by_the_back_door() {
    for source in Source::all().iter().filter(|source| source.room() != "lib") {
        let out = "super::".repeat(source.module.len());
        assert!(!source.code.contains(&out), "{} leaves its room by `{out}`: say `crate::` instead", source.shown());
    }
}

#[test]
fn every_room_on_the_map_exists() {
    for package in PACKAGES {
        let sources = Source::of(package);
        for room in package.rooms {
            assert!(sources.iter().any(|source| source.room() == room.name), "{} is on the map only", room.name);
        }
    }
}

const WITH_A_DIAGRAM: [&str; 2] = ["src/operation", "src/operation/power"];

#[test]
fn every_file_opens_with_a_few_lines_about_itself() {
    for source in Source::all() {
        let lines = source.whole.lines().take_while(|line| line.starts_with("//!")).count();
        // The two hardest files have state diagrams and traces.
        let longest = if WITH_A_DIAGRAM.contains(&source.shown().as_str()) { 60 } else { 10 };
        assert!(
            (1..=longest).contains(&lines),
            "{} should open with a few lines of `//!`, has {lines}",
            source.shown()
        );
    }
}

#[test]
fn a_library_declares_its_rooms_and_re_exports_nothing() {
    for library in Source::all().iter().filter(|source| source.room() == "lib") {
        for line in library.code.lines().map(str::trim).filter(|line| !line.is_empty()) {
            let declares = line.starts_with("pub mod ") && line.ends_with(';');
            let furnishes = ["#[cfg(feature = \"demo\")]", "#![doc = include_str!(\"../README.md\")]"].contains(&line);
            assert!(declares || furnishes, "{} holds `{line}`", library.shown());
        }
    }
}

#[test]
fn exceptions_from_lints_are_expected_and_nothing_is_put_off() {
    for source in Source::all() {
        for (forbidden, instead) in [
            ("#[allow", "`#[expect(…, reason = \"…\")]`"),
            ("#![allow", "`#[expect(…, reason = \"…\")]` at the place"),
            ("TODO", "doing it, or an issue"),
            ("FIXME", "doing it, or an issue"),
        ] {
            assert!(!source.whole.contains(forbidden), "{} has {forbidden}: prefer {instead}", source.shown());
        }
    }
}

#[test]
fn what_people_change_about_a_schedule_is_noted() {
    for source in Source::all().iter().filter(|source| source.room() == "discord") {
        let all = source.code.matches("change_schedule").count();
        let noted = source.code.matches("change_schedule_by").count();
        assert_eq!(all, noted, "{} changes a schedule for a person: `change_schedule_by` tells who", source.shown());
    }
}

#[test]
fn files_are_named_after_what_lives_in_them() {
    for source in Source::all() {
        for vague in ["utils", "util", "helpers", "common", "manager", "service", "types", "misc"] {
            assert!(!source.module.iter().any(|part| part == vague), "{} says nothing of its content", source.shown());
        }
    }
}

#[test]
fn every_metric_that_is_recorded_is_described() {
    for source in Source::all() {
        for (at, _) in source.code.match_indices("\"snapshot_bot_") {
            let name = source.code[at + 1..].split('"').next().unwrap();
            let known = METRICS.iter().any(|metric| metric.name == name);
            assert!(known, "{} records {name}, which src/telemetry/metrics does not describe", source.shown());
        }
    }
}

/// Phrases that no person should read: no one speaks like that, or they hide who does what.
const STIFF: &[&str] = &[
    "is waited for",
    "was waited for",
    "asked for by",
    "ended last",
    "one operation in detail",
    "was taken of",
    "a power cut",
    "does not exist any more",
    "nothing more begins",
    "were not begun",
    "may lack a scope",
    "more than anybody needs",
    "as @",
    "hears of it",
    "is no time of",
    "is no day",
    "by the clocks of",
    "i was not running",
];
/// Single words that no person should read.
const STIFF_WORDS: &[&str] = &["anew", "shall", "hung", "whoever", "thereby"];

fn stiff(text: &str) -> Option<&'static str> {
    // A name in braces is a variable.
    let text = text.to_lowercase().replace("{hung}", "");
    let phrase = STIFF.iter().find(|phrase| text.contains(**phrase));
    let mut words = text.split(|letter: char| !letter.is_alphanumeric() && letter != '-');
    phrase.or_else(|| words.find_map(|word| STIFF_WORDS.iter().find(|stiff| **stiff == word))).copied()
}

/// The string literals in a file's code.
fn literals(code: TokenStream) -> Vec<String> {
    let inner = |token| match token {
        TokenTree::Group(group) => literals(group.stream()),
        TokenTree::Literal(literal) => {
            syn::parse_str::<syn::LitStr>(&literal.to_string()).map(|text| text.value()).into_iter().collect()
        }
        TokenTree::Ident(_) | TokenTree::Punct(_) => Vec::new(),
    };
    code.into_iter().flat_map(inner).collect()
}

/// The files under a folder of the repository with this ending.
fn files(folder: &str, ending: &str) -> Vec<PathBuf> {
    let (mut folders, mut found) = (vec![Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)], Vec::new());
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.to_str().is_some_and(|path| path.ends_with(ending)) {
                found.push(path);
            }
        }
    }
    found
}

/// Whether a line of a snapshot names its test, or the variant that follows.
fn is_about_the_test(line: &str) -> bool {
    ["source: ", "expression: ", "── "].iter().any(|start| line.starts_with(start))
}

#[test]
fn people_read_plain_words() {
    let mut found = Vec::new();
    for source in Source::all().iter().filter(|source| source.room() == "discord" && source.package.folder == "src") {
        for text in literals(source.code.parse().unwrap()) {
            found.extend(stiff(&text).map(|stiff| format!("{}: {stiff}: {text}", source.shown())));
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let read = files("src/discord", ".snap").into_iter().chain(files("tests/scenarios/snapshots", ".snap"));
    for path in read.chain(files("docs", ".md")).chain(["README.md", "CHANGELOG.md"].map(|name| root.join(name))) {
        for line in fs::read_to_string(&path).unwrap().lines().filter(|line| !is_about_the_test(line)) {
            found.extend(stiff(line).map(|stiff| format!("{}: {stiff}: {line}", path.display())));
        }
    }
    assert!(found.is_empty(), "say it in everyday words: {found:#?}");
}

#[test]
fn nothing_is_since_some_time_ago() {
    for path in files("src/discord", ".snap").into_iter().chain(files("tests/scenarios/snapshots", ".snap")) {
        for line in fs::read_to_string(&path).unwrap().lines() {
            let is_relative = |rest: &str| rest.split('>').next().is_some_and(|moment| moment.ends_with(":R"));
            let found = line.split("since <t:").skip(1).any(is_relative) || line.contains("since ‹time R›");
            assert!(!found, "{}: a relative time reads as \"3 minutes ago\": {line}", path.display());
        }
    }
}

/// Whether a text is this name, or a pattern for it: `help_for_{name}`.
fn names(literal: &str, test: &str) -> bool {
    match (literal.split_once('{'), literal.rsplit_once('}')) {
        (Some((start, _)), Some((_, end))) => {
            start.len() + end.len() > 4 && test.starts_with(start) && test.ends_with(end)
        }
        _ => literal == test,
    }
}

#[test]
fn every_snapshot_of_a_test_belongs_to_a_test() {
    for folder in ["src", "tests", "sandbox"] {
        for snapshot in files(folder, ".snap") {
            let stem = snapshot.file_stem().unwrap().to_str().unwrap();
            let name = stem.rsplit("__").next().unwrap();
            // A test may have several snapshots: `name-2`.
            let test =
                name.rsplit_once('-').filter(|(_, number)| number.parse::<u8>().is_ok()).map_or(name, |(test, _)| test);
            let beside = snapshot.parent().unwrap().parent().unwrap();
            let beside = beside.strip_prefix(env!("CARGO_MANIFEST_DIR")).unwrap().to_str().unwrap().to_owned();
            let is = format!("fn {test}(");
            let owner = |path: &PathBuf| {
                let source = fs::read_to_string(path).unwrap();
                source.contains(&is) || literals(source.parse().unwrap()).iter().any(|literal| names(literal, test))
            };
            assert!(files(&beside, ".rs").iter().any(owner), "no test writes {}", snapshot.display());
        }
    }
}

#[test]
fn the_page_draws_every_sign_that_people_read() {
    let drawn = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("sandbox/src/page/js/sign.js")).unwrap();
    let is_sign = |letter: &char| matches!(*letter, '\u{2139}' | '\u{2300}'..='\u{23ff}' | '\u{25a0}'..='\u{27bf}' | '\u{2b00}'..='\u{2bff}' | '\u{1f300}'..='\u{1faff}');
    for source in
        Source::all().iter().filter(|source| source.module.starts_with(&["discord".to_owned(), "messages".to_owned()]))
    {
        for sign in source.code.chars().filter(is_sign) {
            assert!(
                drawn.contains(&format!("\"{sign}\":")),
                "{} says {sign}, which sign.js does not draw",
                source.shown()
            );
        }
    }
}

#[test]
fn the_reader_of_relative_imports_counts_the_steps_up() {
    let own = ["discord", "world", "pings"].map(str::to_owned);
    let code = "use super::{World, span};\nuse super::super::message::Message;\nfn f() { super::go() }";
    let found: Vec<String> = relative_imports(&own, code).iter().map(|path| path.join("::")).collect();
    assert_eq!(
        found,
        ["discord::world::World", "discord::world::span", "discord::message::Message", "discord::world::go"]
    );
}

#[test]
fn the_reader_of_imports_sees_groups_aliases_and_paths_in_code() {
    let code = "use crate::{access::{Grant, self}, operation::ids::DropletId as Id, store};\nfn f() { crate::worker::go() }\nuse crate::clock::*;";
    assert_eq!(imports(code), ["access::Grant", "access", "operation::ids::DropletId", "store", "worker::go", "clock"]);
    assert_eq!(imports(&shipped("// crate::a\n#[cfg(test)]\nmod tests { use crate::b; }")), Vec::<String>::new());
    assert_eq!(imports("fn f() { my_crate::b() } // crate::a\nconst A: &str = \"crate::c\";"), Vec::<String>::new());
    assert_eq!(
        imports("fn f() { log!(at = crate::clock::now(), \"{}\", [crate::store::x]) }"),
        ["clock::now", "store::x"]
    );
    assert_eq!(
        imports("use snapshot_bot_sandbox::{page, discord::seat};"),
        ["sandbox::page", "sandbox::discord::seat"]
    );
    assert!(allows("operation::ids", "operation::ids::DropletId"));
    assert!(!allows("operation::ids", "operation::plan") && !allows("store", "storehouse"));
}
