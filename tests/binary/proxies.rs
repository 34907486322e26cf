//! Proxies as the documents describe them: requests for both services go to `HTTPS_PROXY`, and `NO_PROXY` names the exceptions.
//!
//! The addresses are the real ones, so this runs on a machine that reaches only itself: in a network namespace of its own.

use std::{
    collections::{BTreeMap, BTreeSet},
    process::Command,
    sync::{Arc, Mutex},
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
};

use super::{process::Process, required};

const DIGITALOCEAN: &str = "CONNECT api.digitalocean.com:443 HTTP/1.1";
const DISCORD: &str = "CONNECT discord.com:443 HTTP/1.1";
/// Tokens in the right form that are valid nowhere.
fn tokens() -> [(&'static str, String); 2] {
    let discord = format!("{}.{}.{}", "MTIzNDU2Nzg5MDEyMzQ1Njc4", "x".repeat(6), "x".repeat(38));
    [("DISCORD_TOKEN", discord), ("DIGITALOCEAN_TOKEN", format!("dop_v1_{}", "0".repeat(64)))]
}

/// The heads of the requests that a proxy received.
#[derive(Clone, Default)]
struct Asked(Arc<Mutex<Vec<String>>>);

impl Asked {
    fn first_lines(&self) -> BTreeSet<String> {
        let heads = self.0.lock().unwrap();
        heads.iter().filter_map(|head| head.lines().next()).map(str::to_owned).collect()
    }
}

/// A proxy on loopback that records requests and refuses them. Returns its address.
#[expect(clippy::disallowed_methods, reason = "it ends with its test")]
async fn proxy(asked: &Asked) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let asked = asked.clone();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                match stream.read_u8().await {
                    Ok(byte) => head.push(byte),
                    Err(_) => break,
                }
            }
            asked.0.lock().unwrap().push(String::from_utf8_lossy(&head).into_owned());
            drop(stream.write_all(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n").await);
        }
    });
    address
}

#[tokio::test]
#[ignore = "the test below runs it where nothing but loopback can be reached"]
async fn where_nothing_but_loopback_can_be_reached() {
    for (exceptions, expected) in
        [("", BTreeSet::from([DIGITALOCEAN, DISCORD])), ("api.digitalocean.com", BTreeSet::from([DISCORD]))]
    {
        let asked = Asked::default();
        let folder = tempfile::tempdir().unwrap();
        let mut environment = BTreeMap::from([
            ("HTTPS_PROXY", format!("http://{}", proxy(&asked).await)),
            ("NO_PROXY", exceptions.to_owned()),
            ("DISCORD_GUILD_ID", "123456789012345678".to_owned()),
            ("DATABASE_URL", format!("sqlite://{}", folder.path().join("bot.db").display())),
        ]);
        environment.extend(tokens());
        let ended = Process::start(folder.path(), "check", &["check"], &environment).end().await;
        assert_eq!(ended.code, Some(1), "{}\n{}", ended.stdout, ended.stderr);
        let lines = asked.first_lines();
        assert_eq!(lines.iter().map(String::as_str).collect::<BTreeSet<_>>(), expected, "{}", ended.stdout);
        let heads = asked.0.lock().unwrap().join("\n");
        assert!(!tokens().iter().any(|(_, token)| heads.contains(token)), "a proxy sees no token");
    }
}

#[test]
fn both_services_are_asked_for_at_the_proxy_and_nothing_else_is_tried() {
    if required::variable("LOOPBACK_ONLY", "that this machine may make network namespaces").is_none() {
        return;
    }
    let this = std::env::current_exe().unwrap();
    let ended = Command::new("unshare")
        .args(["--net", "--map-root-user", "sh", "-c", "ip link set lo up && exec \"$@\"", "sh"])
        .arg(this)
        .args(["--exact", "proxies::where_nothing_but_loopback_can_be_reached", "--ignored"])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&ended.stdout) + String::from_utf8_lossy(&ended.stderr);
    assert!(ended.status.success() && said.contains("1 passed"), "{said}");
}
