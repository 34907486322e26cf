//! Checks whether a Droplet works again: a port accepts connections, or a page is answered. It connects only to the Droplet's own public
//! address, and follows no redirect.

use std::{
    net::{Ipv4Addr, SocketAddr},
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

use crate::schedule::group::Check;

/// The time limit for one attempt.
const DEADLINE: Duration = Duration::from_secs(5);
/// The length of `HTTP/1.1 200`, with which an answer begins.
const STATUS_LINE: usize = 12;

/// Whether a Droplet at this address passes the check.
pub(super) async fn passes(address: Ipv4Addr, check: &Check) -> bool {
    let tried = async {
        match check {
            Check::Tcp { port } => connect(address, *port).await.is_ok(),
            Check::Http { port, path } => answers(address, *port, path).await.unwrap_or_default(),
        }
    };
    timeout(DEADLINE, tried).await.unwrap_or_default()
}

async fn connect(address: Ipv4Addr, port: u16) -> std::io::Result<TcpStream> {
    TcpStream::connect(SocketAddr::from((address, port))).await
}

/// Requests a page and reads only the status, which decides.
async fn answers(address: Ipv4Addr, port: u16, path: &str) -> std::io::Result<bool> {
    let mut connection = connect(address, port).await?;
    let request = format!("GET {path} HTTP/1.1\r\nHost: {address}:{port}\r\nConnection: close\r\n\r\n");
    connection.write_all(request.as_bytes()).await?;
    let mut status = [0; STATUS_LINE];
    connection.read_exact(&mut status).await?;
    let is_http = status.starts_with(b"HTTP/1.");
    let code = std::str::from_utf8(&status[9..]).ok().and_then(|code| code.parse::<u16>().ok());
    Ok(is_http && code.is_some_and(|code| (200..400).contains(&code)))
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    #[expect(clippy::disallowed_methods, reason = "it ends with the test's runtime")]
    async fn answering(answer: &'static str) -> u16 {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(async move {
            while let Ok((mut connection, _)) = listener.accept().await {
                let mut request = [0; 512];
                let read = connection.read(&mut request).await.unwrap_or_default();
                if request[..read].starts_with(b"GET /health HTTP/1.1\r\nHost: 127.0.0.1:") {
                    drop(connection.write_all(answer.as_bytes()).await);
                }
            }
        });
        port
    }

    async fn page(port: u16) -> bool {
        passes(Ipv4Addr::LOCALHOST, &Check::Http { port, path: "/health".to_owned() }).await
    }

    #[tokio::test]
    async fn a_port_passes_that_takes_connections_and_a_page_that_is_answered_well() {
        assert!(page(answering("HTTP/1.1 204 No Content\r\n\r\n").await).await);
        assert!(page(answering("HTTP/1.0 302 Found\r\n\r\n").await).await);
        assert!(!page(answering("HTTP/1.1 503 Unavailable\r\n\r\n").await).await);
        assert!(!page(answering("SSH-2.0-OpenSSH_9.6\r\n").await).await);
        let port = answering("").await;
        assert!(!page(port).await, "no answer at all");
        assert!(passes(Ipv4Addr::LOCALHOST, &Check::Tcp { port }).await);
        let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let closed = free.local_addr().unwrap().port();
        drop(free);
        assert!(!passes(Ipv4Addr::LOCALHOST, &Check::Tcp { port: closed }).await);
    }
}
