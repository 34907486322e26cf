//! A tiny HTTP server on loopback that answers as a test scripts it, cuts the connection, or never answers.

use std::sync::{Arc, Mutex};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinSet,
};

/// A request as it arrived.
#[derive(Clone, Debug)]
pub(crate) struct Arrived {
    /// The method and target, such as `GET /v2/account`.
    pub(crate) line: String,
    /// The head, as text.
    pub(crate) head: String,
    /// The body.
    pub(crate) body: String,
}

/// The server's reaction to a request.
pub(crate) enum Reply {
    /// Answers with status, headers and body.
    Answer(u16, Vec<(&'static str, String)>, String),
    /// Closes the connection without an answer.
    Cut,
    /// Sends a part of the answer and closes.
    Half,
    /// Keeps the connection open without an answer.
    Hold,
    /// Waits until the gate is open, then continues with this reply.
    After(watch::Receiver<bool>, Box<Self>),
}

/// A 200 answer with this body.
pub(crate) fn ok(body: &serde_json::Value) -> Reply {
    Reply::Answer(200, Vec::new(), body.to_string())
}

type Script = dyn FnMut(&Arrived) -> Reply + Send;

/// The server. It ends when it is dropped.
pub(crate) struct Vendor {
    pub(crate) url: url::Url,
    journal: Arc<Mutex<Vec<Arrived>>>,
    _tasks: JoinSet<()>,
}

impl Vendor {
    /// Starts a server that follows the script.
    pub(crate) async fn start(script: impl FnMut(&Arrived) -> Reply + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
        let journal = Arc::default();
        let mut tasks = JoinSet::new();
        let script: Arc<Mutex<Script>> = Arc::new(Mutex::new(script));
        tasks.spawn(serve(listener, script, Arc::clone(&journal)));
        Self { url, journal, _tasks: tasks }
    }

    /// The requests that have arrived so far.
    pub(crate) fn journal(&self) -> Vec<Arrived> {
        self.journal.lock().unwrap().clone()
    }

    /// The first lines of the requests that have arrived so far.
    pub(crate) fn lines(&self) -> Vec<String> {
        self.journal().into_iter().map(|arrived| arrived.line).collect()
    }
}

async fn serve(listener: TcpListener, script: Arc<Mutex<Script>>, journal: Arc<Mutex<Vec<Arrived>>>) {
    let mut connections = JoinSet::new();
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        connections.spawn(converse(stream, Arc::clone(&script), Arc::clone(&journal)));
    }
}

async fn converse(mut stream: TcpStream, script: Arc<Mutex<Script>>, journal: Arc<Mutex<Vec<Arrived>>>) {
    let Some(arrived) = read(&mut stream).await else { return };
    journal.lock().unwrap().push(arrived.clone());
    let mut reply = (script.lock().unwrap())(&arrived);
    while let Reply::After(mut gate, then) = reply {
        gate.wait_for(|is_open| *is_open).await.unwrap();
        reply = *then;
    }
    match reply {
        Reply::Answer(status, headers, body) => {
            let headers: Vec<_> = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
            let (headers, length) = (headers.concat(), body.len());
            let answer =
                format!("HTTP/1.1 {status} X\r\n{headers}content-length: {length}\r\nconnection: close\r\n\r\n");
            let _ = stream.write_all(answer.as_bytes()).await;
            let _ = stream.write_all(body.as_bytes()).await;
        }
        Reply::Cut => {}
        Reply::Half => {
            let _ = stream.write_all(b"HTTP/1.1 201 Created\r\ncontent-length: 500\r\n\r\n{\"action\":").await;
        }
        Reply::Hold | Reply::After(..) => std::future::pending().await,
    }
}

async fn read(stream: &mut TcpStream) -> Option<Arrived> {
    let mut bytes = Vec::new();
    loop {
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let length = head.lines().find_map(|line| line.to_lowercase().strip_prefix("content-length: ")?.parse().ok());
        if body.len() >= length.unwrap_or(0) {
            let line = head.lines().next()?.trim_end_matches(" HTTP/1.1").to_owned();
            return Some(Arrived { line, head: head.to_owned(), body: body.to_owned() });
        }
    }
}
