//! The files for operators name only what exists: dashboard, alerts, unit, manifests, documents.

#![expect(clippy::unwrap_used, reason = "a file that cannot be read should fail the test")]

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use regex::Regex;
use serde_json::Value;
use snapshot_bot::{config::VARIABLES, telemetry::METRICS};

/// The maximum length of README.md: two screens.
const README_LINES: usize = 100;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: impl AsRef<Path>) -> String {
    let path = root().join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The files below a folder with this extension.
fn files(folder: &str, extension: &str) -> Vec<PathBuf> {
    let (mut folders, mut found) = (vec![root().join(folder)], Vec::new());
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|found| found == extension) {
                found.push(path);
            }
        }
    }
    assert!(!found.is_empty(), "{folder} has no {extension}");
    found
}

fn documents() -> Vec<PathBuf> {
    let mut documents = files("docs", "md");
    documents.extend(
        ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md"]
            .map(|name| root().join(name)),
    );
    documents
}

/// The metrics that a text names, without what Prometheus appends for histograms.
fn metrics_in(text: &str) -> BTreeSet<String> {
    let name = Regex::new(r"snapshot_bot_[a-z_]+").unwrap();
    let bare = |name: &str| {
        let base = ["_bucket", "_sum", "_count"].iter().find_map(|suffix| name.strip_suffix(suffix));
        base.unwrap_or(name).to_owned()
    };
    name.find_iter(text).map(|found| bare(found.as_str())).collect()
}

fn metrics() -> BTreeSet<String> {
    METRICS.iter().map(|metric| metric.name.to_owned()).collect()
}

#[test]
fn the_board_shows_every_metric_and_no_other() {
    let text = read("deploy/grafana/snapshot-bot.json");
    let board: Value = serde_json::from_str(&text).unwrap();
    let panels = board["panels"].as_array().unwrap();
    let shown = panels.iter().flat_map(|panel| panel["targets"].as_array().unwrap());
    let shown: String = shown.map(|target| target["expr"].as_str().unwrap()).collect::<Vec<_>>().join("\n");
    assert_eq!(metrics_in(&shown), metrics());
    for panel in panels {
        assert!(!panel["title"].as_str().unwrap().is_empty() && !panel["description"].as_str().unwrap().is_empty());
    }
}

#[test]
fn alerts_and_documents_name_only_metrics_that_there_are() {
    let mut texts = vec![root().join("deploy/prometheus/alerts.yaml")];
    texts.extend(documents());
    for path in texts {
        let text = fs::read_to_string(&path).unwrap();
        let unknown: Vec<_> = metrics_in(&text).difference(&metrics()).cloned().collect();
        assert!(unknown.is_empty(), "{} names {unknown:?}", path.display());
    }
    let listed = metrics_in(&read("docs/operating.md"));
    assert_eq!(listed, metrics(), "docs/operating.md lists every metric");
    let alerts = read("deploy/prometheus/alerts.yaml");
    assert!(metrics_in(&alerts).contains("snapshot_bot_power_owed"), "the one alert that nobody may lack");
}

#[test]
fn unit_and_manifests_set_only_variables_that_there_are() {
    let known: BTreeSet<&str> = VARIABLES.iter().map(|variable| variable.name).collect();
    // `NAME: value` in Compose, `name: NAME` and `key: NAME` in the others, `NAME=` in the unit and the Dockerfile.
    let set = Regex::new(r"(?:name: |key: |Environment=|[ ])([A-Z][A-Z_]{4,})(?:[:=,]| *\})").unwrap();
    let others =
        ["POSTGRES_USER", "POSTGRES_DB", "POSTGRES_PASSWORD_FILE", "SNAPSHOT_BOT_IMAGE", "RUSTFLAGS", "BUILD_IMAGE"];
    let words = ["SECRET", "RUN_TIME", "DEPLOYMENT_FAILED", "HEALTHCHECK"];
    let mut paths = vec![root().join("compose.yaml"), root().join("Dockerfile")];
    paths.extend(files("deploy", "yaml"));
    paths.extend(files("deploy", "service"));
    let mut seen = BTreeSet::new();
    for path in paths {
        let text = fs::read_to_string(&path).unwrap();
        let code = text.lines().filter(|line| !line.trim_start().starts_with('#')).collect::<Vec<_>>().join("\n");
        for name in set.captures_iter(&code).map(|found| found.get(1).unwrap().as_str().to_owned()) {
            if others.contains(&name.as_str()) || words.contains(&name.as_str()) {
                continue;
            }
            assert!(known.contains(name.as_str()), "{} sets {name}", path.display());
            seen.insert(name);
        }
    }
    for expected in
        ["DISCORD_TOKEN_FILE", "DIGITALOCEAN_TOKEN_FILE", "DATABASE_URL_FILE", "DISCORD_GUILD_ID", "HTTP_ADDR"]
    {
        assert!(seen.contains(expected), "no file sets {expected}");
    }
}

#[test]
fn every_command_of_ours_in_the_documents_is_one() {
    let line =
        Regex::new(r"(?m)(?:^|`|-- |exec bot |snapshot-bot.db )(?:snapshot-bot|cargo run --) ([a-z]+)( [^`\n|&#]*)?")
            .unwrap();
    let option = Regex::new(r"--[a-z][a-z-]*").unwrap();
    let mut tried = BTreeSet::new();
    for path in documents() {
        let text = fs::read_to_string(&path).unwrap();
        for found in line.captures_iter(&text) {
            let (command, rest) = (&found[1], found.get(2).map_or("", |rest| rest.as_str()));
            if !cfg!(feature = "demo") && ["demo", "sandbox"].contains(&command) {
                continue;
            }
            let help = Command::new(env!("CARGO_BIN_EXE_snapshot-bot")).args([command, "--help"]).output().unwrap();
            assert!(help.status.success(), "{}: there is no command {command}", path.display());
            let help = String::from_utf8(help.stdout).unwrap();
            for option in option.find_iter(rest).map(|option| option.as_str()) {
                assert!(help.contains(option), "{}: {command} has no {option}", path.display());
            }
            tried.insert(command.to_owned());
        }
    }
    for command in ["check", "backup", "audit", "healthcheck"] {
        assert!(tried.contains(command), "no document tells of {command}");
    }
}

#[test]
fn links_between_documents_lead_somewhere() {
    let link = Regex::new(r"\]\(([^)#\s]*)(?:#([^)\s]*))?\)").unwrap();
    for path in documents() {
        let text = fs::read_to_string(&path).unwrap();
        for found in link.captures_iter(&text) {
            let (file, anchor) = (found.get(1).unwrap().as_str(), found.get(2).map(|anchor| anchor.as_str()));
            if file.starts_with("https://") {
                continue;
            }
            let target = if file.is_empty() { path.clone() } else { path.parent().unwrap().join(file) };
            assert!(target.exists(), "{}: {file} is not there", path.display());
            if let Some(anchor) = anchor {
                let headings = fs::read_to_string(&target).unwrap();
                let mut headings = headings.lines().filter(|line| line.starts_with('#')).map(anchor_of);
                assert!(headings.any(|heading| heading == anchor), "{}: {file}#{anchor} is not there", path.display());
            }
        }
    }
}

/// A heading's anchor, as GitHub builds it.
fn anchor_of(heading: &str) -> String {
    let text = heading.trim_start_matches('#').trim().to_lowercase();
    let kept = text.chars().filter(|letter| letter.is_alphanumeric() || " -_".contains(*letter));
    kept.map(|letter| if letter == ' ' { '-' } else { letter }).collect()
}

#[test]
fn the_readme_stays_under_two_screens_and_leads_to_every_chapter() {
    let readme = read("README.md");
    let lines = readme.lines().count();
    assert!(lines <= README_LINES, "README.md has {lines} lines");
    let (opening, _) = readme.split_once("```").unwrap();
    assert!(opening.contains("| | the control panel | `doctl` in a script | this bot |"), "what it is better at");
    let promises = opening.lines().filter(|line| line.starts_with(|first: char| first.is_ascii_digit())).count();
    assert_eq!(promises, 5, "what it promises");
    let in_docs = |path: &PathBuf| path.parent().is_some_and(|folder| folder.ends_with("docs"));
    for chapter in files("docs", "md").into_iter().filter(in_docs) {
        let name = format!("docs/{}", chapter.file_name().unwrap().to_str().unwrap());
        assert!(readme.contains(&name), "README.md does not lead to {name}");
    }
    let architecture = read("ARCHITECTURE.md");
    for page in files("docs/design", "md") {
        let name = format!("docs/design/{}", page.file_name().unwrap().to_str().unwrap());
        assert!(architecture.contains(&name), "ARCHITECTURE.md does not lead to {name}");
    }
}

/// The lines below a line of YAML that are indented deeper than it.
fn block<'a>(text: &'a str, head: &str) -> Vec<&'a str> {
    let depth = |line: &str| line.len() - line.trim_start().len();
    let mut lines = text.lines().skip_while(|line| line.trim_end() != head);
    let first = lines.next().unwrap_or_else(|| panic!("there is no `{head}`"));
    lines.take_while(|line| line.trim().is_empty() || depth(line) > depth(first)).collect()
}

#[test]
fn app_platform_gets_a_size_that_may_run_twice_and_a_version_of_postgresql() {
    let spec = read("deploy/app-platform/app.yaml");
    let value = |key: &str| {
        let line = spec.lines().find_map(|line| line.trim().strip_prefix(&format!("{key}: ")));
        line.unwrap_or_else(|| panic!("there is no {key}")).trim_matches('"')
    };
    assert_eq!(value("instance_count"), "2", "one is active, the other stands by");
    // DigitalOcean calls these `single_instance_only`.
    let size = value("instance_size_slug");
    assert!(size != "apps-s-1vcpu-0.5gb" && !size.ends_with("-fixed"), "{size} takes one instance");
    assert!(value("version").parse::<u32>().is_ok_and(|version| version >= 15), "{}", value("version"));
    assert!(spec.contains("GRANT USAGE, CREATE ON SCHEMA public"), "since PostgreSQL 15 this may be needed");
}

#[test]
fn all_bots_of_the_compose_file_have_one_database_whatever_profile_is_chosen() {
    let compose = read("compose.yaml");
    let bot = block(&compose, "x-bot: &bot");
    for shared in ["DATABASE_URL_FILE: /run/secrets/database_url", "volumes: [\"data:/data\"]"] {
        assert!(bot.iter().any(|line| line.trim() == shared), "x-bot lacks {shared}");
    }
    let services = block(&compose, "services:");
    let bots: Vec<_> = services.iter().filter(|line| line.contains("*bot")).collect();
    assert_eq!(bots, [&"  bot: *bot", &"    <<: *bot"], "`bot` is what a plain `docker compose up` starts");
    let standby = block(&compose, "  standby:");
    assert!(standby.contains(&"    profiles: [postgres]"), "{standby:?}");
    for own in ["environment", "env_file", "secrets", "volumes"] {
        assert!(!standby.iter().any(|line| line.trim().starts_with(own)), "`standby` has {own} of its own");
    }
    let rotation = read("docs/rotation.md");
    assert!(rotation.contains("docker compose --profile postgres kill --signal SIGHUP bot standby"), "both are told");
}

#[test]
fn a_copy_is_put_back_with_its_owner_wherever_install_leads() {
    let backup = read("docs/backup.md");
    let (_, putting_back) = backup.split_once("## SQLite: putting a copy back").unwrap();
    let (putting_back, _) = putting_back.split_once("\n## ").unwrap();
    let parts: Vec<_> = putting_back.split("\n**").skip(1).collect();
    let owners = [("systemd", "chown --reference=."), ("Docker Compose", "-o 10001"), ("Kubernetes", "volume.yaml")];
    assert_eq!(parts.len(), owners.len());
    for (part, (place, owner)) in parts.iter().zip(owners) {
        assert!(part.starts_with(place) && part.contains(owner), "{place}: {part}");
        for old in ["snapshot-bot.db-wal", "snapshot-bot.db-shm"] {
            assert!(part.contains(old), "{place}: {old} of the old database stays");
        }
    }
    assert!(block(&read("deploy/kubernetes/volume.yaml"), "  securityContext:").contains(&"    runAsUser: 10001"));
    let unit = read("deploy/systemd/snapshot-bot.service");
    let folder = unit.lines().find_map(|line| line.strip_prefix("WorkingDirectory=")).unwrap();
    let url = format!("DATABASE_URL=sqlite://{folder}/snapshot-bot.db");
    for page in ["docs/backup.md", "docs/operating.md"] {
        assert!(read(page).contains(&url), "{page} lacks {url}");
    }
}

#[test]
fn a_release_packs_the_bot_alone_and_publishes_the_demo_as_an_image() {
    let release = read(".github/workflows/release.yml");
    let built: Vec<_> = release.lines().filter(|line| line.contains("cargo auditable build")).collect();
    assert!(matches!(built[..], [line] if line.contains("--no-default-features")), "{built:?}");
    assert!(release.contains("cargo cyclonedx --no-default-features"), "the SBOM is of what is packed");
    assert!(release.contains("build --target demo --tag \"$image-demo:"), "install.md names the demo's image");
    assert!(release.contains("${GITHUB_REPOSITORY,,}-demo\"; do"), "for both kinds of machine");
}

/// All sources of the bot, concatenated, with texts joined that continue on the next line.
fn sources() -> String {
    let sources = files("src", "rs").into_iter().map(|path| fs::read_to_string(path).unwrap());
    Regex::new(r"\\\n\s*").unwrap().replace_all(&sources.collect::<String>(), "").into_owned()
}

#[test]
fn what_the_page_about_symptoms_quotes_the_bot_says() {
    let sources = sources();
    let page = read("docs/troubleshooting.md");
    let quoted: Vec<&str> = page.split('"').skip(1).step_by(2).collect();
    assert!(quoted.len() >= 10, "{quoted:?}");
    // This is Discord's own text.
    for quote in quoted.into_iter().filter(|quote| *quote != "This interaction failed") {
        for part in quote.split('…').map(str::trim) {
            assert!(sources.contains(part), "docs/troubleshooting.md quotes `{part}`, which nothing says");
        }
    }
}

/// The labels that each metric is recorded with.
fn labels() -> BTreeMap<String, BTreeSet<String>> {
    let recorded = Regex::new(r#"(?s)(?:counter|gauge|histogram)!\(\s*"(snapshot_bot_[a-z_]+)"([^)]*)\)"#).unwrap();
    let label = Regex::new(r#""([a-z]+)" =>"#).unwrap();
    let mut labels: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for found in recorded.captures_iter(&sources()) {
        let with = label.captures_iter(&found[2]).map(|label| label[1].to_owned());
        labels.entry(found[1].to_owned()).or_default().extend(with);
    }
    labels
}

#[test]
fn board_and_alerts_ask_only_for_labels_and_words_that_are_recorded() {
    let labels = labels();
    assert_eq!(labels.keys().cloned().collect::<BTreeSet<_>>(), metrics(), "each one is recorded somewhere");
    let board: Value = serde_json::from_str(&read("deploy/grafana/snapshot-bot.json")).unwrap();
    let targets = board["panels"].as_array().unwrap().iter().flat_map(|panel| panel["targets"].as_array().unwrap());
    let mut queries: Vec<String> =
        targets.map(|target| format!("{} {}", target["expr"], target["legendFormat"])).collect();
    let alerts = read("deploy/prometheus/alerts.yaml");
    queries.extend(alerts.split("- alert:").skip(1).map(str::to_owned));
    let by = Regex::new(r"by \(([a-z, ]+)\)").unwrap();
    let shown = Regex::new(r"\{\{ ?(?:\$labels\.)?([a-z]+) ?\}\}").unwrap();
    let matched = Regex::new(r#"([a-z]+)(?:=|!=|=~|!~)\\?"([^"\\]+)\\?""#).unwrap();
    let status = Regex::new(r"^\d[\d.]{2}$").unwrap();
    let sources = sources();
    let mut asked_for = BTreeSet::new();
    for query in queries.iter().filter(|query| query.contains("snapshot_bot_")) {
        // Prometheus adds these itself.
        let mut known: BTreeSet<&str> = ["job", "le"].into();
        known.extend(metrics_in(query).iter().flat_map(|metric| &labels[metric]).map(String::as_str));
        let mut wanted: BTreeSet<&str> =
            by.captures_iter(query).flat_map(|by| by.extract::<1>().1[0].split(", ")).collect();
        wanted.extend(shown.captures_iter(query).map(|shown| shown.extract::<1>().1[0]));
        for (_, [label, value]) in matched.captures_iter(query).map(|matched| matched.extract()) {
            wanted.insert(label);
            for word in value.split('|').filter(|_| label != "job") {
                let is_status = label == "status" && status.is_match(word);
                assert!(is_status || sources.contains(&format!("\"{word}\"")), "no {label} is {word}: {query}");
            }
        }
        assert!(wanted.is_subset(&known), "{wanted:?} of {known:?}: {query}");
        asked_for.extend(wanted.into_iter().map(str::to_owned));
    }
    for label in ["kind", "outcome", "step", "status", "service", "place", "reason"] {
        assert!(asked_for.contains(label), "nobody asks for {label}");
    }
}
