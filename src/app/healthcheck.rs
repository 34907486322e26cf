//! `snapshot-bot healthcheck`: queries the bot on this machine at `HTTP_ADDR`, so that an image needs no other program for that.
//!
//! Called by `main`.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::timeout,
};

/// How long the complete answer may take.
const PATIENCE: Duration = Duration::from_secs(3);
/// More bytes than any answer has.
const LONGEST: u64 = 64 << 10;

/// What to ask the bot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Question {
    /// Whether the process is alive.
    Alive,
    /// Whether the bot can do its work now, which a standby cannot.
    Ready,
}

/// Why the check fails.
#[derive(Debug, thiserror::Error)]
pub enum Unwell {
    /// Nothing answers.
    #[error("nothing answers at {0}: {1}")]
    Silent(SocketAddr, std::io::Error),
    /// The answer is not from this program.
    #[error("what answers at {0} is no snapshot-bot")]
    Foreign(SocketAddr),
    /// The bot says that something is missing.
    #[error("{0}")]
    Missing(String),
}

/// Queries the bot that listens at `address`, over loopback if possible.
pub async fn run(address: SocketAddr, question: Question) -> Result<String, Unwell> {
    let address = reachable(address);
    let path = match question {
        Question::Alive => "/healthz",
        Question::Ready => "/readyz",
    };
    let answer =
        timeout(PATIENCE, ask(address, path)).await.unwrap_or_else(|_| Err(std::io::ErrorKind::TimedOut.into()));
    let answer = answer.map_err(|error| Unwell::Silent(address, error))?;
    let parts = answer.split_once("\r\n\r\n").zip(answer.split(' ').nth(1));
    let ((_, body), status) = parts.ok_or(Unwell::Foreign(address))?;
    let body = body.trim_end().to_owned();
    match status {
        "200" => Ok(body),
        "503" => Err(Unwell::Missing(body)),
        _ => Err(Unwell::Foreign(address)),
    }
}

async fn ask(address: SocketAddr, path: &str) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(address).await?;
    let request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut answer = String::new();
    stream.take(LONGEST).read_to_string(&mut answer).await?;
    Ok(answer)
}

/// The address to connect to: loopback for a server that listens on every address.
fn reachable(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        ip => ip,
    };
    SocketAddr::new(ip, address.port())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_listens_everywhere_is_asked_at_loopback() {
        for (listens, asked) in
            [("0.0.0.0:8080", "127.0.0.1:8080"), ("[::]:8080", "[::1]:8080"), ("10.0.0.5:80", "10.0.0.5:80")]
        {
            assert_eq!(reachable(listens.parse().unwrap()).to_string(), asked);
        }
    }
}
