//! Whether a pooler in transaction mode, such as pgbouncer, stands between the bot and PostgreSQL.
//!
//! It gives each transaction whatever server process is free. The bot's statements are prepared, its deadlines set and its migrations
//! locked for a connection, and would meet other processes than those they were meant for, or lock out somebody else. So it is found
//! out at the start, in `check` too, and refused: the bot needs no more than a few connections.

use std::collections::HashSet;

use sqlx::{AnyConnection, Connection as _, Executor as _};

use super::{Error, row::Row};

/// Who asks in which order. One asks twice in a row here and there, so that no turn-taking of the pooler looks like two processes.
const ORDER: [Who; 8] = [Who::One, Who::Other, Who::One, Who::One, Who::Other, Who::Other, Who::One, Who::Other];

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Who {
    One,
    Other,
}

/// Refuses a pooler in transaction mode. Statements here are not prepared, so that they work with one.
pub(super) async fn refuse(url: &str) -> Result<(), Error> {
    let (mut one, mut other) = (AnyConnection::connect(url).await?, AnyConnection::connect(url).await?);
    let mut seen = Vec::new();
    for who in ORDER {
        let connection = match who {
            Who::One => &mut one,
            Who::Other => &mut other,
        };
        let row = connection.fetch_one(sqlx::raw_sql("SELECT CAST(pg_backend_pid() AS BIGINT) AS process")).await?;
        seen.push((who, Row(&row).number("process")));
    }
    one.close().await?;
    other.close().await?;
    if share_processes(&seen) { Err(Error::TransactionPooler) } else { Ok(()) }
}

/// Two connections that are open at once have one process each, unless somebody stands in between.
fn share_processes(seen: &[(Who, Option<i64>)]) -> bool {
    seen.iter().collect::<HashSet<_>>().len() > 2
        || seen.iter().map(|(_, process)| process).collect::<HashSet<_>>().len() < 2
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(processes: impl Iterator<Item = i64>) -> Vec<(Who, Option<i64>)> {
        ORDER.into_iter().zip(processes.map(Some)).collect()
    }

    #[test]
    fn two_connections_of_their_own_are_told_from_any_sharing() {
        let own = ORDER.map(|who| if who == Who::One { 41 } else { 42 });
        assert!(!share_processes(&seen(own.into_iter())));
        for servers in 1..=8 {
            let in_turn = (0..).map(|turn| turn % servers);
            assert!(share_processes(&seen(in_turn)), "{servers}");
        }
    }
}
