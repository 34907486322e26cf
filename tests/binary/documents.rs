//! The commands in the documents. Those that need no root, no container engine and no cluster are run as written, against the simulated
//! services. Folders of the system are replaced by ones below the test's own.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use super::{audit::told, installation::Installation};

/// Lines that are not run here, and why. Every other line of every `sh` block is.
const ELSEWHERE: [(&str, &[&str]); 5] = [
    (
        "they build, or test everything: `.ci/run` does that",
        &[
            "cargo run -- demo",
            "cargo run -- demo --script",
            "cargo test",
            "cargo run -- check",
            "cargo run --release",
            "cargo install --locked --path . --no-default-features",
            ".ci/run",
            "python3 -m venv /tmp/venv && /tmp/venv/bin/pip install -r tests/foreign/requirements.txt",
            "/tmp/venv/bin/python tests/foreign/run.py",
            "/tmp/venv/bin/python tests/foreign/run.py 'kill: take'",
        ],
    ),
    ("it runs until it is stopped: the other tests do that", &["snapshot-bot"]),
    (
        "they need systemd, or find every bot on this machine",
        &[
            "systemctl daemon-reload",
            "systemctl enable --now snapshot-bot",
            "journalctl --unit snapshot-bot --follow",
            "systemctl stop snapshot-bot",
            "systemctl start snapshot-bot",
            "kill -HUP \"$(pidof snapshot-bot)\"",
        ],
    ),
    (
        "they need a container engine",
        &[
            "docker compose up --detach",
            "docker compose logs --follow",
            "docker compose --profile postgres up --detach",
            "docker run --rm --publish 127.0.0.1:8080:8080 registry.example.com/snapshot-bot-demo",
            "docker compose exec bot snapshot-bot backup /data/copy.db",
            "docker run --rm --volume snapshot-bot_data:/data --volume \"$PWD:/host\" busybox mv /data/copy.db /host/snapshot-bot-2026-11-26.db",
            "docker compose stop bot",
            "docker run --rm --volume snapshot-bot_data:/data --volume \"$PWD:/host:ro\" busybox sh -c '\n    cd /data &&\n    \
             rm -f snapshot-bot.db snapshot-bot.db-wal snapshot-bot.db-shm &&\n    \
             install -m 0600 -o 10001 -g 10001 /host/snapshot-bot-2026-11-26.db snapshot-bot.db'",
            "docker compose start bot",
            "docker compose kill --signal SIGHUP bot",
            "docker compose --profile postgres kill --signal SIGHUP bot standby",
        ],
    ),
    (
        "they need a cluster",
        &[
            "kubectl --namespace snapshot-bot apply --filename deploy/kubernetes/volume.yaml",
            "kubectl --namespace snapshot-bot wait --for condition=Ready pod/snapshot-bot-volume",
            "kubectl --namespace snapshot-bot exec deploy/snapshot-bot -- snapshot-bot backup /data/copy.db",
            "kubectl --namespace snapshot-bot cp snapshot-bot-volume:/data/copy.db snapshot-bot-2026-11-26.db",
            "kubectl --namespace snapshot-bot exec snapshot-bot-volume -- rm /data/copy.db",
            "kubectl --namespace snapshot-bot delete pod snapshot-bot-volume",
            "kubectl --namespace snapshot-bot scale --replicas 0 deploy/snapshot-bot",
            "kubectl --namespace snapshot-bot wait --for delete pod --selector app=snapshot-bot",
            "kubectl --namespace snapshot-bot exec snapshot-bot-volume -- rm -f /data/snapshot-bot.db /data/snapshot-bot.db-wal /data/snapshot-bot.db-shm",
            "kubectl --namespace snapshot-bot cp snapshot-bot-2026-11-26.db snapshot-bot-volume:/data/snapshot-bot.db",
            "kubectl --namespace snapshot-bot scale --replicas 1 deploy/snapshot-bot",
        ],
    ),
];

/// Folders of the system that the documents name.
const FOLDERS: [&str; 4] = ["/etc/snapshot-bot", "/etc/systemd/system", "/var/lib/snapshot-bot", "/var/backups"];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn documents() -> Vec<PathBuf> {
    let mut documents: Vec<PathBuf> =
        fs::read_dir(root().join("docs")).unwrap().map(|entry| entry.unwrap().path()).collect();
    documents.retain(|path| path.extension().is_some_and(|extension| extension == "md"));
    documents.sort();
    documents.extend(["README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md"].map(|name| root().join(name)));
    documents
}

/// The commands of each `sh` block, without comments. A command that continues over several lines is one entry.
fn blocks(document: &str) -> Vec<Vec<String>> {
    let mut blocks = Vec::new();
    for block in document.split("\n```sh\n").skip(1) {
        let (block, _) = block.split_once("\n```").unwrap();
        let mut commands: Vec<String> = Vec::new();
        for line in block.lines() {
            let line = line.split("  #").next().unwrap().trim_end();
            match commands.last_mut().filter(|last| last.matches('\'').count() % 2 == 1) {
                Some(last) => {
                    last.push('\n');
                    last.push_str(line);
                }
                None => commands.push(line.to_owned()),
            }
        }
        blocks.push(commands);
    }
    blocks
}

fn elsewhere() -> BTreeSet<&'static str> {
    ELSEWHERE.iter().flat_map(|(_, lines)| lines.iter().copied()).collect()
}

#[test]
fn the_list_of_commands_that_are_not_run_has_none_that_no_document_has() {
    let documents = documents().into_iter().map(|path| fs::read_to_string(path).unwrap());
    let all: BTreeSet<String> = documents.flat_map(|text| blocks(&text)).flatten().collect();
    let stale: Vec<_> = elsewhere().into_iter().filter(|line| !all.contains(*line)).collect();
    assert!(stale.is_empty(), "{stale:#?}");
}

#[tokio::test]
async fn every_command_of_the_documents_that_can_run_here_does() {
    let mut installation = Installation::new().await;
    let folder = installation.folder.path().to_owned();
    let below = |path: &str| format!("{}{path}", folder.display());
    for path in FOLDERS.into_iter().chain(["/deploy/systemd"]) {
        fs::create_dir_all(below(path)).unwrap();
    }
    for file in [".env.example", "deploy/systemd/snapshot-bot.service"] {
        fs::copy(root().join(file), folder.join(file)).unwrap();
    }
    installation
        .environment
        .insert("DATABASE_URL", format!("sqlite://{}", below("/var/lib/snapshot-bot/snapshot-bot.db")));
    let (first, _) = installation.ready("bot").await;
    let mut bot = Some(first);
    installation.ada.run("/snapshot take droplet:web-1").await.unwrap();
    installation.reads("is ready").await;
    let elsewhere = elsewhere();
    let mut run = 0;
    for path in documents() {
        for block in blocks(&fs::read_to_string(&path).unwrap()) {
            let needs_a_stop = block.iter().any(|line| line == "systemctl stop snapshot-bot");
            if needs_a_stop {
                installation.stop(bot.take().unwrap()).await;
            }
            let lines: Vec<&str> = block.iter().map(String::as_str).filter(|line| !elsewhere.contains(line)).collect();
            run += lines.len();
            let outcome = shell(&installation, &lines, below).await;
            assert!(outcome.is_ok(), "{}: {lines:#?}\n{}", path.display(), outcome.unwrap_err());
            if needs_a_stop {
                bot = Some(installation.ready("again").await.0);
            }
        }
    }
    assert!(run >= 20, "only {run} commands were run");
    // The copy that was put back is in use.
    let history = told(&installation, "history", &["audit"]).await;
    assert!(history.stdout.contains("take of web-1"), "{}", history.stdout);
    installation.stop(bot.unwrap()).await;
}

/// Runs commands in a shell that ends at the first failure.
async fn shell(installation: &Installation, lines: &[&str], below: impl Fn(&str) -> String) -> Result<(), String> {
    let typed = |line: &str| {
        let secret = [("discord_token", "DISCORD_TOKEN"), ("digitalocean_token", "DIGITALOCEAN_TOKEN")]
            .into_iter()
            .find(|(file, _)| line.ends_with(file) && (line.starts_with("cat >") || line.contains("/dev/stdin")));
        // The text that a person pastes.
        secret.map_or_else(
            || line.to_owned(),
            |(_, token)| format!("printf %s '{}' | {line}", installation.environment[token]),
        )
    };
    let mut script: String = lines.iter().map(|line| typed(line) + "\n").collect();
    for path in FOLDERS {
        script = script.replace(path, &below(path));
    }
    script = script.replace("123456789012345678", &installation.guild.to_string());
    // A variable that a block sets must not be set already.
    let own = script.contains("DISCORD_TOKEN_FILE=");
    let programs = Path::new(env!("CARGO_BIN_EXE_snapshot-bot")).parent().unwrap();
    let kept = installation.environment.iter().filter(|(name, _)| {
        !(own && ["DISCORD_TOKEN", "DISCORD_GUILD_ID", "DIGITALOCEAN_TOKEN", "DATABASE_URL"].contains(name))
    });
    let mut shell = Command::new("sh");
    shell
        .args(["-euc", &script])
        .env_clear()
        .envs(kept)
        .env("PATH", format!("{}:/usr/local/bin:/usr/bin:/bin", programs.display()))
        .current_dir(installation.folder.path())
        .stdin(Stdio::null());
    // On a separate thread, since the simulated services run on this one.
    let output = tokio::task::spawn_blocking(move || shell.output()).await.unwrap().unwrap();
    let said = [output.stdout, output.stderr].map(|said| String::from_utf8_lossy(&said).into_owned());
    if output.status.success() { Ok(()) } else { Err(said.concat()) }
}
