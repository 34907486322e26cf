//! Detects a pooler in transaction mode, such as pgbouncer, between the bot and PostgreSQL.
//!
//! Such a pooler gives each transaction whatever server process is free. The bot prepares statements, sets deadlines and locks migrations
//! per connection; with a pooler these would reach other server processes than intended, or block other clients. So the start and `check`
//! detect a pooler and refuse it. The bot needs only a few connections anyway.

use std::collections::HashSet;

use sqlx::{AnyConnection, Connection as _, Executor as _};

use super::{Error, row::Row};

/// The order in which the two connections query. Some query twice in a row, so that no rotation of the pooler looks like two processes.
const ORDER: [Who; 8] = [Who::One, Who::Other, Who::One, Who::One, Who::Other, Who::Other, Who::One, Who::Other];

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Who {
    One,
    Other,
}

/// Refuses a pooler in transaction mode. The statements here are not prepared, so that they work through one.
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

/// Whether the connections share server processes. Two connections that are open simultaneously do not, unless a pooler is in between.
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
