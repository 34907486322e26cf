//! Calls for help: one message for all operations in a channel that need people for the same cause within half an hour.
//!
//! The first of them leads: its report carries the message, which lists them all. Later ones join it in the commit that calls people. If
//! the message mentions a later operation's requester, or will, the operation is only listed and the message is edited. Otherwise its own
//! report is posted too, because an edit would not notify the requester.
//!
//! Membership in a call changes only while holding the row of the table `calls` for that channel and cause, which is locked before any
//! report's row.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use sqlx::{AnyConnection, AssertSqlSafe};

use super::{
    Error, Report, Store,
    operation_row::{self, Stored, select_operation},
    report,
    row::{Row, bits, places, without_nul},
};
use crate::operation::{
    Operation,
    ids::{ChannelId, MessageId, OperationId},
};

/// How long others can join a call: people who look at it then still remember it. Later operations are news, and notify people.
const YOUNG: SignedDuration = SignedDuration::from_mins(30);
/// How far the clocks of two simultaneous commits may differ.
const AT_ONCE: SignedDuration = SignedDuration::from_mins(1);
/// The maximum number of people that one message mentions, so that the Droplets have room too.
const MOST_MENTIONED: i64 = 20;
/// Where a cause is cut off, since PostgreSQL limits the size of an index entry.
const LONGEST_CAUSE: usize = 200;

/// An operation listed in a call.
#[derive(Clone, Debug, PartialEq)]
pub struct Called {
    /// The operation, as committed last.
    pub operation: Operation,
    /// Whether its report carries the message.
    pub leads: bool,
    /// Whether another message calls its requester.
    pub is_called_elsewhere: bool,
}

/// The channel of a call, and its cause.
type Key = (i64, String);

impl Store {
    /// The operations listed in the call that this one leads, including itself, ordered by id. If another call lists this operation, only
    /// itself.
    pub async fn called_with(&self, leader: OperationId) -> Result<Vec<Called>, Error> {
        let rows = sqlx::query(select_operation!(
            "o.state, r.given_up",
            "JOIN reports r ON r.operation = o.id WHERE r.kind = 'stuck' AND (r.operation = $1 OR r.leader = $1) ORDER BY o.id"
        ))
        .bind(leader.to_string())
        .fetch_all(&self.pool)
        .await?;
        let mut called = Vec::new();
        let mut called_elsewhere = BTreeSet::new();
        for row in rows.iter().map(Row) {
            let Some((Stored { operation, .. }, _)) = operation_row::read(row) else { continue };
            let leads = operation.id == leader;
            if !leads && row.text("given_up").is_none() {
                called_elsewhere.insert(operation.requester.user);
            }
            called.push(Called { operation, leads, is_called_elsewhere: false });
        }
        for one in &mut called {
            one.is_called_elsewhere = called_elsewhere.contains(&one.operation.requester.user);
        }
        Ok(called)
    }

    /// The message of the call that an operation leads, once posted.
    pub async fn call_message(&self, leader: OperationId) -> Result<Option<(ChannelId, MessageId)>, Error> {
        let row = sqlx::query("SELECT COALESCE(moved_to, channel_id) AS posted_in, message_id FROM reports WHERE operation = $1 AND kind = 'stuck'")
            .bind(leader.to_string())
            .fetch_optional(&self.pool)
            .await?;
        Ok(row.and_then(|row| {
            let row = Row(&row);
            Some((ChannelId(row.id("posted_in")?), MessageId(row.id("message_id")?)))
        }))
    }

    /// Gives up posting a call in this channel, for the reason `why`. Operations that it lists and that are not in `told` get messages of
    /// their own.
    pub async fn call_given_up(&self, report: &Report, told: &[OperationId], why: &str) -> Result<(), Error> {
        let leader = report.operation.operation.id;
        let mut transaction = self.begin_as_owner().await?;
        if let Some(key) = key_of(&mut transaction, leader).await? {
            lock(&mut transaction, &key, leader).await?;
        }
        report::give_up(&mut transaction, report, why).await?;
        let told: BTreeSet<_> = told.iter().copied().chain([leader]).collect();
        let (from, at) = (told.len() + 1, told.len() + 2);
        let statement = format!(
            "UPDATE reports SET leader = NULL, given_up = NULL, due_at = ${at} WHERE kind = 'stuck' AND leader = ${from} \
             AND given_up IS NOT NULL AND operation NOT IN ({})",
            places(told.len())
        );
        let mut query = sqlx::query(AssertSqlSafe(statement));
        for id in &told {
            query = query.bind(id.to_string());
        }
        query.bind(leader.to_string()).bind(self.clock.now().as_millisecond()).execute(&mut *transaction).await?;
        transaction.commit().await?;
        Ok(())
    }
}

/// Whether a call may have to say something different after a commit.
pub(super) fn changed(before: &Operation, after: &Operation) -> bool {
    let shown = |it: &Operation| it.active_step().map(|step| (step.task(), step.began.is_some()));
    before.power.calls() > 0
        && (before.power.status() != after.power.status()
            || before.power.was_seen_off() != after.power.was_seen_off()
            || before.cause_of_call() != after.cause_of_call()
            || shown(before) != shown(after))
}

/// Marks the messages that call people about an operation as due for an edit.
pub(super) async fn outdate(connection: &mut AnyConnection, id: OperationId) -> Result<(), Error> {
    if let Some(key) = key_of(connection, id).await? {
        lock(connection, &key, id).await?;
    }
    sqlx::query(
        "UPDATE reports SET changes = changes + 1 WHERE kind = 'stuck' AND (operation = $1 \
         OR operation = (SELECT r.leader FROM reports r WHERE r.operation = $1 AND r.kind = 'stuck'))",
    )
    .bind(id.to_string())
    .execute(connection)
    .await?;
    Ok(())
}

/// Records that people are called about an operation: in a recent call, or in a new one. Text that was already posted stays unchanged,
/// since edits notify nobody.
pub(super) async fn call(connection: &mut AnyConnection, operation: &Operation, now: Timestamp) -> Result<(), Error> {
    let cause: String = without_nul(&operation.cause_of_call()).chars().take(LONGEST_CAUSE).collect();
    let key = (bits(operation.requester.channel.0), cause);
    let earlier = key_of(connection, operation.id).await?;
    // Lock in a fixed order, so that two commits never wait for each other.
    for key in earlier.iter().chain([&key]).collect::<BTreeSet<_>>() {
        lock(connection, key, operation.id).await?;
    }
    if let Some(earlier) = &earlier {
        leave(connection, earlier, operation.id).await?;
    }
    if !join(connection, &key, operation, now).await? {
        write(connection, &key, operation.id, None, now).await?;
        sqlx::query("UPDATE calls SET leader = $3, began_at = $4 WHERE channel_id = $1 AND cause = $2")
            .bind(key.0)
            .bind(&key.1)
            .bind(operation.id.to_string())
            .bind(now.as_millisecond())
            .execute(connection)
            .await?;
    }
    Ok(())
}

/// The channel and cause of an operation's last call; `None` for a call of an earlier version, which lists no other operation.
async fn key_of(connection: &mut AnyConnection, id: OperationId) -> Result<Option<Key>, Error> {
    let row = sqlx::query("SELECT channel_id, cause FROM reports WHERE operation = $1 AND kind = 'stuck'")
        .bind(id.to_string())
        .fetch_optional(connection)
        .await?;
    Ok(row.and_then(|row| Some((Row(&row).number("channel_id")?, Row(&row).text("cause")?.to_owned()))))
}

/// Locks the membership of a call against other transactions.
async fn lock(connection: &mut AnyConnection, (channel, cause): &Key, id: OperationId) -> Result<(), Error> {
    sqlx::query(
        "INSERT INTO calls (channel_id, cause, leader, began_at) VALUES ($1, $2, $3, 0) \
         ON CONFLICT (channel_id, cause) DO UPDATE SET leader = calls.leader",
    )
    .bind(*channel)
    .bind(cause)
    .bind(id.to_string())
    .execute(connection)
    .await?;
    Ok(())
}

/// Removes an operation from the call that lists it. If it led, one of the others takes over the message.
async fn leave(connection: &mut AnyConnection, (channel, cause): &Key, id: OperationId) -> Result<(), Error> {
    let id = id.to_string();
    sqlx::query(
        "UPDATE reports SET changes = changes + 1 WHERE kind = 'stuck' \
         AND operation = (SELECT r.leader FROM reports r WHERE r.operation = $1 AND r.kind = 'stuck')",
    )
    .bind(&id)
    .execute(&mut *connection)
    .await?;
    let heir = sqlx::query(
        "SELECT operation FROM reports WHERE kind = 'stuck' AND leader = $1 ORDER BY \
         CASE WHEN given_up IS NULL THEN 1 ELSE 0 END, operation LIMIT 1",
    )
    .bind(&id)
    .fetch_optional(&mut *connection)
    .await?;
    let Some(heir) = heir.and_then(|row| Row(&row).text("operation").map(str::to_owned)) else { return Ok(()) };
    // Use a nonce of its own, in case it has to be posted again.
    sqlx::query(
        "UPDATE reports SET leader = NULL, generation = reports.generation + 1, message_id = l.message_id, \
         shown_version = l.shown_version, shown_digest = l.shown_digest, shown_at = l.shown_at, moved_to = l.moved_to, changes = l.changes + 1, \
         attempts = l.attempts, posting_since = NULL, given_up = l.given_up, due_at = l.due_at FROM reports l \
         WHERE reports.operation = $2 AND reports.kind = 'stuck' AND l.operation = $1 AND l.kind = 'stuck'",
    )
    .bind(&id)
    .bind(&heir)
    .execute(&mut *connection)
    .await?;
    sqlx::query("UPDATE reports SET leader = $2 WHERE kind = 'stuck' AND leader = $1 AND operation <> $2")
        .bind(&id)
        .bind(&heir)
        .execute(&mut *connection)
        .await?;
    sqlx::query("UPDATE calls SET leader = $2 WHERE channel_id = $3 AND cause = $4 AND leader = $1")
        .bind(&id)
        .bind(&heir)
        .bind(*channel)
        .bind(cause)
        .execute(connection)
        .await?;
    Ok(())
}

/// Adds an operation to a recent call with the same cause. Returns false if there is none.
async fn join(connection: &mut AnyConnection, key: &Key, operation: &Operation, now: Timestamp) -> Result<bool, Error> {
    let moment = |at: Result<Timestamp, jiff::Error>| at.unwrap_or(now).as_millisecond();
    // Change the leader's row before reading it, so that a post that is about to be sent is either known to have been sent, or lists this
    // operation.
    let leader = sqlx::query(
        "UPDATE reports SET changes = changes + 1 WHERE kind = 'stuck' AND leader IS NULL AND given_up IS NULL \
         AND channel_id = $1 AND cause = $2 AND operation = (SELECT leader FROM calls WHERE channel_id = $1 AND cause = $2 \
         AND leader <> $3 AND began_at > $4 AND began_at < $5) RETURNING operation, message_id, posting_since",
    )
    .bind(key.0)
    .bind(&key.1)
    .bind(operation.id.to_string())
    .bind(moment(now.checked_sub(YOUNG)))
    .bind(moment(now.checked_add(AT_ONCE)))
    .fetch_optional(&mut *connection)
    .await?;
    let Some(row) = leader else { return Ok(false) };
    let row = Row(&row);
    let Some(leader) = row.text("operation") else { return Ok(false) };
    let is_unsaid = row.number("message_id").is_none() && row.number("posting_since").is_none();
    let mentioned = sqlx::query(
        "SELECT COUNT(DISTINCT o.asker_id) AS people, COUNT(CASE WHEN o.asker_id = $2 THEN 1 END) AS own FROM reports r \
         JOIN operations o ON o.id = r.operation WHERE r.kind = 'stuck' AND (r.operation = $1 OR r.leader = $1) AND o.id <> $3",
    )
    .bind(leader)
    .bind(bits(operation.requester.user.0))
    .bind(operation.id.to_string())
    .fetch_one(&mut *connection)
    .await?;
    let count = |column| Row(&mentioned).number(column).unwrap_or_default();
    let is_mentioned = count("own") > 0 || (is_unsaid && count("people") < MOST_MENTIONED);
    write(connection, key, operation.id, Some((leader, is_mentioned)), now).await?;
    Ok(true)
}

/// Writes the operation's own report, to be posted unless another message lists the operation and mentions its requester.
async fn write(
    connection: &mut AnyConnection,
    (channel, cause): &Key,
    id: OperationId,
    leader: Option<(&str, bool)>,
    now: Timestamp,
) -> Result<(), Error> {
    let listed =
        leader.filter(|(_, is_mentioned)| *is_mentioned).map(|(leader, _)| format!("listed in the call of {leader}"));
    sqlx::query(
        "INSERT INTO reports (operation, kind, channel_id, generation, attempts, due_at, cause, leader, given_up) \
         VALUES ($1, 'stuck', $2, 1, 0, $3, $4, $5, $6) \
         ON CONFLICT (operation, kind) DO UPDATE SET generation = reports.generation + 1, message_id = NULL, \
         shown_version = NULL, shown_digest = NULL, shown_at = NULL, posting_since = NULL, attempts = 0, moved_to = NULL, \
         due_at = excluded.due_at, cause = excluded.cause, leader = excluded.leader, given_up = excluded.given_up",
    )
    .bind(id.to_string())
    .bind(*channel)
    .bind(now.as_millisecond())
    .bind(cause)
    .bind(leader.map(|(leader, _)| leader.to_owned()))
    .bind(listed)
    .execute(connection)
    .await?;
    Ok(())
}
