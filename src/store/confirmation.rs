//! Confirmations: questions to one person before something destructive. Each has a row, so that its button works after a restart, and only
//! once.
//!
//! Only the Discord front end knows what is confirmed; the store treats it as text.

use std::{fmt, str::FromStr};

use jiff::Timestamp;
use sqlx::AnyConnection;

use super::{
    Act, Deed, Error, Store,
    row::{Row, bits, due_millis, without_nul},
};
use crate::operation::ids::{GuildId, InteractionId, OperationId, UserId};

/// The bot's id of a confirmation, short enough for a button.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ConfirmationId(u64);

impl fmt::Display for ConfirmationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl FromStr for ConfirmationId {
    type Err = std::num::ParseIntError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        u64::from_str_radix(text, 16).map(Self)
    }
}

/// A question to one person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Confirmation {
    /// The only person who may answer.
    pub requester: UserId,
    /// The guild in which they were asked.
    pub guild: GuildId,
    /// What will be done, in the Discord front end's own format.
    pub what: String,
    /// When the confirmation expires.
    pub expires_at: Timestamp,
}

/// A person's positive answer to a confirmation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Consent {
    /// The confirmation that they answer.
    pub id: ConfirmationId,
    /// The person who answers.
    pub by: UserId,
    /// The guild in which they answer.
    pub guild: GuildId,
    /// When they answer.
    pub at: Timestamp,
    /// The interaction of the button press; Discord may deliver it twice.
    pub interaction: InteractionId,
    /// The failed operation that this answer retries. Only one operation can retry it.
    pub retries: Option<OperationId>,
}

impl Consent {
    /// The action that this answer amounts to.
    pub(super) fn act(&self, what: Deed) -> Act {
        Act { by: self.by, guild: self.guild, what }
    }
}

/// Why an answer to a confirmation does not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConfirmationRefused {
    /// There is no confirmation with this id.
    Unknown,
    /// Another person was asked, or in another guild.
    NotYours,
    /// It has expired.
    Expired,
    /// It was already used.
    Used,
}

impl Store {
    /// Stores a confirmation; its button carries the returned id.
    pub async fn create_confirmation(&self, confirmation: &Confirmation) -> Result<ConfirmationId, Error> {
        let id = ConfirmationId(fastrand::u64(..));
        let mut transaction = self.begin_as_owner().await?;
        sqlx::query("INSERT INTO confirmations (id, asker_id, guild_id, what, expires_at) VALUES ($1, $2, $3, $4, $5)")
            .bind(id.to_string())
            .bind(bits(confirmation.requester.0))
            .bind(bits(confirmation.guild.0))
            .bind(without_nul(&confirmation.what))
            .bind(due_millis(confirmation.expires_at))
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(id)
    }

    /// What a person who presses *Yes* confirms, if the answer counts. This does not use up the confirmation. The transaction that starts
    /// the confirmed operation does, so a press either starts something or can be repeated.
    pub async fn confirmation(&self, consent: &Consent) -> Result<Result<String, ConfirmationRefused>, Error> {
        let mut connection = self.pool.acquire().await?;
        read(&mut connection, consent).await
    }

    /// Closes a confirmation without doing what it asks for.
    pub async fn close_confirmation(&self, consent: &Consent) -> Result<Result<(), ConfirmationRefused>, Error> {
        let mut transaction = self.begin_as_owner().await?;
        let outcome = use_up(&mut transaction, consent).await?;
        transaction.commit().await?;
        Ok(outcome)
    }
}

/// Uses up an answer, in the transaction of its consequences. It counts for one press only, and for a repetition of the same press.
pub(super) async fn use_up(
    connection: &mut AnyConnection,
    consent: &Consent,
) -> Result<Result<(), ConfirmationRefused>, Error> {
    // The condition decides between two simultaneous presses; the code below only finds the reason.
    let claimed = sqlx::query(
        "UPDATE confirmations SET used_by = $1 WHERE id = $2 AND asker_id = $3 AND guild_id = $4 \
         AND expires_at > $5 AND used_by IS NULL",
    )
    .bind(bits(consent.interaction.0))
    .bind(consent.id.to_string())
    .bind(bits(consent.by.0))
    .bind(bits(consent.guild.0))
    .bind(consent.at.as_millisecond())
    .execute(&mut *connection)
    .await?;
    if claimed.rows_affected() > 0 {
        return Ok(Ok(()));
    }
    Ok(read(connection, consent).await?.map(drop))
}

/// What the confirmation asks for, or why this answer does not count.
async fn read(connection: &mut AnyConnection, consent: &Consent) -> Result<Result<String, ConfirmationRefused>, Error> {
    let row = sqlx::query("SELECT asker_id, guild_id, what, expires_at, used_by FROM confirmations WHERE id = $1")
        .bind(consent.id.to_string())
        .fetch_optional(connection)
        .await?;
    let Some(row) = row else { return Ok(Err(ConfirmationRefused::Unknown)) };
    let row = Row(&row);
    let theirs = row.id("asker_id") == Some(consent.by.0) && row.id("guild_id") == Some(consent.guild.0);
    let by_this_press = row.id("used_by") == Some(consent.interaction.0);
    let is_open = row.number("expires_at").is_some_and(|expires_at| consent.at.as_millisecond() < expires_at);
    Ok(if !theirs {
        Err(ConfirmationRefused::NotYours)
    } else if row.number("used_by").is_some() && !by_this_press {
        Err(ConfirmationRefused::Used)
    } else if is_open || by_this_press {
        Ok(row.text("what").unwrap_or_default().to_owned())
    } else {
        Err(ConfirmationRefused::Expired)
    })
}
