//! A process of the program, with its output kept in files. It never outlives its test.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use super::waiting::within;

/// How long anything may take that no promise bounds.
pub(crate) const PATIENCE: Duration = Duration::from_mins(1);
/// There is no notification when a process ends or writes, so the test looks this often.
const LOOK: Duration = Duration::from_millis(10);

/// A signal for a process.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Signal {
    Terminate,
    Interrupt,
    Hangup,
    Kill,
    Stop,
    Continue,
}

/// A running `snapshot-bot`.
pub(crate) struct Process {
    child: Child,
    stdout: PathBuf,
    stderr: PathBuf,
}

/// How it ended, and its output.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Process {
    /// Starts it in a folder, where its output is kept under `name`, with only this environment.
    pub(crate) fn start(
        folder: &Path,
        name: &str,
        arguments: &[&str],
        environment: &BTreeMap<&'static str, String>,
    ) -> Self {
        let [stdout, stderr] = ["out", "err"].map(|stream| folder.join(format!("{name}.{stream}")));
        let child = Command::new(env!("CARGO_BIN_EXE_snapshot-bot"))
            .args(arguments)
            .env_clear()
            .envs(environment)
            .current_dir(folder)
            .stdin(Stdio::null())
            .stdout(File::create(&stdout).unwrap())
            .stderr(File::create(&stderr).unwrap())
            .spawn()
            .unwrap();
        Self { child, stdout, stderr }
    }

    /// Its process id.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Its standard output so far.
    pub(crate) fn said(&self) -> String {
        fs::read_to_string(&self.stdout).unwrap()
    }

    /// Its standard error so far.
    pub(crate) fn logged(&self) -> String {
        fs::read_to_string(&self.stderr).unwrap()
    }

    /// Sends it a signal.
    pub(crate) fn signal(&self, signal: Signal) {
        let name = match signal {
            Signal::Terminate => "-TERM",
            Signal::Interrupt => "-INT",
            Signal::Hangup => "-HUP",
            Signal::Kill => "-KILL",
            Signal::Stop => "-STOP",
            Signal::Continue => "-CONT",
        };
        let sent = Command::new("kill").args([name, &self.id().to_string()]).status().unwrap();
        assert!(sent.success(), "{signal:?} could not be sent");
    }

    /// Waits until it ends.
    pub(crate) async fn end(mut self) -> Ended {
        let child = &mut self.child;
        let ending = async {
            loop {
                if let Some(status) = child.try_wait().unwrap() {
                    return status;
                }
                tokio::time::sleep(LOOK).await;
            }
        };
        let output = [&self.stdout, &self.stderr];
        let read = || output.map(|path| fs::read_to_string(path).unwrap());
        let status = within(PATIENCE, ending, async || format!("it ends\n{}", read().join("\n"))).await;
        let [stdout, stderr] = read();
        Ended { code: status.code(), stdout, stderr }
    }

    /// Waits until its log contains a text.
    pub(crate) async fn logs(&self, text: &str) {
        self.until(text, || self.logged().contains(text)).await;
    }

    /// Waits until it has written a whole line to standard output, and returns it.
    pub(crate) async fn line(&self) -> String {
        self.until("a line", || self.said().contains('\n')).await;
        self.said().lines().next().unwrap().to_owned()
    }

    async fn until(&self, what: &str, instruction: impl Fn() -> bool) {
        let waiting = async {
            while !instruction() {
                tokio::time::sleep(LOOK).await;
            }
        };
        within(PATIENCE, waiting, async || format!("{what}\n{}\n{}", self.said(), self.logged())).await;
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended on its own.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Sends a request to an operators' address; `None` if nothing listens.
pub(crate) async fn ask(address: &str, path: &str) -> Option<(u16, String)> {
    let mut stream = TcpStream::connect(address).await.ok()?;
    let request = format!("GET {path} HTTP/1.1\r\nHost: address\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.ok()?;
    let (head, body) = answer.split_once("\r\n\r\n")?;
    Some((head.split(' ').nth(1)?.parse().ok()?, body.to_owned()))
}

/// Waits until the address gives this answer.
pub(crate) async fn until_answered(address: &str, path: &str, status: u16, text: &str) {
    let waiting = async {
        loop {
            let answer = ask(address, path).await;
            if answer.as_ref().is_some_and(|(code, body)| *code == status && body.contains(text)) {
                return;
            }
            tokio::time::sleep(LOOK).await;
        }
    };
    let seen = async || format!("{path} answers {status} {text}; it answers {:?}", ask(address, path).await);
    within(PATIENCE, waiting, seen).await;
}
