//! `snapshot-bot sandbox`, and clients that know only its one line of output.

use std::{
    collections::BTreeMap,
    path::Path,
    process::{Command, Stdio},
    time::Duration,
};

use serde_json::Value;

use super::{
    process::{PATIENCE, Process, Signal},
    required,
};

/// A running sandbox, and its introduction.
async fn sandbox(folder: &Path) -> (Process, Value) {
    let temporary = BTreeMap::from([("TMPDIR", folder.display().to_string())]);
    let process = Process::start(folder, "sandbox", &["sandbox"], &temporary);
    let introduction = serde_json::from_str(&process.line().await).unwrap();
    (process, introduction)
}

fn text<'a>(introduction: &'a Value, pointer: &str) -> &'a str {
    introduction.pointer(pointer).and_then(Value::as_str).unwrap_or_else(|| panic!("{pointer} in {introduction}"))
}

async fn leave(process: Process, introduction: &Value) {
    process.signal(Signal::Terminate);
    let ended = process.end().await;
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert_eq!(ended.stdout.lines().count(), 1, "one line and no more");
    let certificate = Path::new(text(introduction, "/discord/ca_file"));
    assert!(!certificate.parent().unwrap().exists(), "nothing is left behind");
}

#[tokio::test]
async fn our_own_check_finds_everything_in_it() {
    let folder = tempfile::tempdir().unwrap();
    let (process, introduction) = sandbox(folder.path()).await;
    let environment = [
        ("DISCORD_TOKEN", "/discord/token"),
        ("DISCORD_GUILD_ID", "/discord/guild_id"),
        ("TAKE_ROLES", "/discord/roles/Operator"),
        ("NOTIFY_CHANNEL_ID", "/discord/channels/general"),
        ("DISCORD_CONNECT_TO", "/discord/rest"),
        ("EXTRA_CA_FILE", "/discord/ca_file"),
        ("DIGITALOCEAN_TOKEN", "/digitalocean/token"),
        ("DIGITALOCEAN_API_URL", "/digitalocean/url"),
    ];
    let environment = environment.map(|(name, pointer)| (name, text(&introduction, pointer).to_owned())).into();
    let ended = Process::start(folder.path(), "check", &["check"], &environment).end().await;
    assert_eq!(ended.code, Some(0), "{}\n{}", ended.stdout, ended.stderr);
    assert!(introduction["digitalocean"]["droplets"]["web-1"].is_u64(), "{introduction}");
    leave(process, &introduction).await;
}

#[tokio::test]
async fn it_listens_where_it_is_told_to_and_on_loopback_only() {
    let folder = tempfile::tempdir().unwrap();
    let outside = ["sandbox", "--digitalocean", "0.0.0.0:0"];
    let ended = Process::start(folder.path(), "outside", &outside, &BTreeMap::new()).end().await;
    assert_eq!(ended.code, Some(1));
    assert!(ended.stderr.contains("loopback only"), "{}", ended.stderr);
    let outside = ["sandbox", "--discord", "0.0.0.0:0"];
    let ended = Process::start(folder.path(), "outside", &outside, &BTreeMap::new()).end().await;
    assert_eq!(ended.code, Some(1));
    assert!(ended.stderr.contains("loopback only"), "{}", ended.stderr);
}

/// A program of another author, run to its end.
async fn run(mut command: Command) -> (bool, String) {
    let output = tokio::task::spawn_blocking(move || command.stdin(Stdio::null()).output()).await.unwrap().unwrap();
    let said = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
    (output.status.success(), said)
}

#[tokio::test]
async fn digitaloceans_own_client_works_against_it() {
    let Some(python) = required::variable("PYDO_PYTHON", "a Python that has pydo") else { return };
    let folder = tempfile::tempdir().unwrap();
    let (process, introduction) = sandbox(folder.path()).await;
    let mut command = Command::new(python);
    command.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/sandbox/tests/pydo/snapshots.py"));
    command.args(["/digitalocean/url", "/digitalocean/token"].map(|pointer| text(&introduction, pointer)));
    let (fine, said) = run(command).await;
    assert!(fine, "{said}");
    leave(process, &introduction).await;
}

/// Bots that use libraries of other authors: they log in, their command exists, and they answer it.
async fn answers(mut command: Command) {
    let folder = tempfile::tempdir().unwrap();
    let (process, introduction) = sandbox(folder.path()).await;
    let certificate = text(&introduction, "/discord/ca_file");
    let (token, api) = (text(&introduction, "/discord/token"), text(&introduction, "/discord/api"));
    let guild = text(&introduction, "/discord/guild_id");
    let mut bot = command
        .env("DISCORD_API", api)
        .env("DISCORD_GATEWAY", text(&introduction, "/discord/gateway"))
        .env("DISCORD_TOKEN", token)
        .env("DISCORD_GUILD_ID", guild)
        .env("NODE_EXTRA_CA_CERTS", certificate)
        .env("SSL_CERT_FILE", certificate)
        .stdin(Stdio::null())
        .spawn()
        .unwrap();
    let root = reqwest::Certificate::from_pem(&std::fs::read(certificate).unwrap()).unwrap();
    let client = reqwest::Client::builder().tls_built_in_root_certs(false).add_root_certificate(root).no_proxy();
    let client = client.timeout(Duration::from_secs(10)).build().unwrap();
    let application = text(&introduction, "/discord/application_id");
    let address = format!("{api}/v10/applications/{application}/guilds/{guild}/commands");
    let registered = async {
        loop {
            let asked = client.get(&address).header("authorization", format!("Bot {token}")).send().await.unwrap();
            let commands: Value = asked.json().await.unwrap();
            if commands[0]["name"] == "hello" {
                return;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    let registered = tokio::time::timeout(PATIENCE, registered).await;
    let page = text(&introduction, "/page");
    let given = serde_json::json!({"path": "hello", "options": [["name", "ada"]]}).to_string();
    let plain = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(10)).build().unwrap();
    let asking = plain.post(format!("{page}act/command?seat=ada")).header("content-type", "application/json");
    let answered = asking.header("origin", page.trim_end_matches('/')).body(given).send().await.unwrap();
    let answered: Value = serde_json::from_str(&answered.text().await.unwrap()).unwrap();
    bot.kill().unwrap();
    bot.wait().unwrap();
    assert!(registered.is_ok(), "the command was never registered");
    assert!(answered["message"].is_string(), "{answered}");
    leave(process, &introduction).await;
}

#[tokio::test]
async fn a_discord_py_bot_logs_in_registers_and_answers() {
    let Some(python) = required::variable("DISCORDPY_PYTHON", "a Python that has discord.py 2") else { return };
    let mut command = Command::new(python);
    command.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/sandbox/tests/discordpy/bot.py"));
    answers(command).await;
}

#[tokio::test]
async fn a_discord_js_bot_logs_in_registers_and_answers() {
    let Some(folder) = required::variable("DISCORDJS_DIR", "a folder with discord.js 14 in node_modules") else {
        return;
    };
    let mut command = Command::new("node");
    command.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/sandbox/tests/discordjs/bot.mjs")).env("DISCORDJS_DIR", folder);
    answers(command).await;
}

#[tokio::test]
async fn the_demo_listens_elsewhere_only_where_somebody_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let environment = std::collections::BTreeMap::new();
    let run = |arguments: &'static [&'static str]| Process::start(folder.path(), "demo", arguments, &environment).end();
    let refused = run(&["demo", "--no-open", "--addr", "192.0.2.1:8080"]).await;
    assert_eq!(refused.code, Some(1), "{}", refused.stderr);
    let reason = "listens on loopback only, not on 192.0.2.1:8080: `--listen 192.0.2.1:8080` lets it";
    assert!(refused.stderr.contains(reason), "{}", refused.stderr);
    let both = run(&["demo", "--no-open", "--addr", "127.0.0.1:0", "--listen", "127.0.0.1:0"]).await;
    assert_eq!(both.code, Some(2), "{}", both.stderr);
    // An address that belongs to no machine, so that the bind fails and no port is opened.
    let tried = run(&["demo", "--no-open", "--listen", "192.0.2.1:8080"]).await;
    assert!(tried.stderr.contains("cannot listen on 192.0.2.1:8080"), "{}", tried.stderr);
}
