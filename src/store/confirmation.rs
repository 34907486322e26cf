//! Questions to one person before something destructive: a row each, so that a press works after a restart, and once.
//!
//! What is confirmed is the face's business; here it is text.

use jiff::Timestamp;
use std::{fmt, str::FromStr};

use super::{
    Error, Store,
    row::{Row, bits, due_millis, without_nul},
};
use crate::operation::ids::{GuildId, InteractionId, UserId};

/// Our id of a confirmation; short enough for a button.
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
    /// Who may answer.
    pub asker: UserId,
    /// Where.
    pub guild: GuildId,
    /// What is to be done, in the face's own words.
    pub what: String,
    /// From when on it is too late.
    pub expires_at: Timestamp,
}

/// Why a confirmation does not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConfirmationRefused {
    /// There is none under this id.
    Unknown,
    /// Somebody else was asked, or in another guild.
    NotYours,
    /// Too late.
    Expired,
    /// It has done its work.
    Used,
}

impl Store {
    /// Writes a question down; its button carries the id.
    pub async fn create_confirmation(&self, confirmation: &Confirmation) -> Result<ConfirmationId, Error> {
        let id = ConfirmationId(fastrand::u64(..));
        sqlx::query("INSERT INTO confirmations (id, asker_id, guild_id, what, expires_at) VALUES ($1, $2, $3, $4, $5)")
            .bind(id.to_string())
            .bind(bits(confirmation.asker.0))
            .bind(bits(confirmation.guild.0))
            .bind(without_nul(&confirmation.what))
            .bind(due_millis(confirmation.expires_at))
            .execute(&self.pool)
            .await?;
        Ok(id)
    }

    /// Takes the answer of a person: what was confirmed, to one press only. The same press delivered again gets it again, so that
    /// what it creates can be recognised as created.
    pub async fn use_confirmation(
        &self,
        id: ConfirmationId,
        user: UserId,
        guild: GuildId,
        now: Timestamp,
        interaction: InteractionId,
    ) -> Result<Result<String, ConfirmationRefused>, Error> {
        let mut transaction = self.begin().await?;
        // The condition decides between two presses at once; what follows only names the reason.
        let claimed = sqlx::query(
            "UPDATE confirmations SET used_by = $1 WHERE id = $2 AND asker_id = $3 AND guild_id = $4 \
             AND expires_at > $5 AND used_by IS NULL",
        )
        .bind(bits(interaction.0))
        .bind(id.to_string())
        .bind(bits(user.0))
        .bind(bits(guild.0))
        .bind(now.as_millisecond())
        .execute(&mut *transaction)
        .await?;
        let row = sqlx::query("SELECT asker_id, guild_id, what, used_by FROM confirmations WHERE id = $1")
            .bind(id.to_string())
            .fetch_optional(&mut *transaction)
            .await?;
        transaction.commit().await?;
        let Some(row) = row else { return Ok(Err(ConfirmationRefused::Unknown)) };
        let row = Row(&row);
        let theirs = row.id("asker_id") == Some(user.0) && row.id("guild_id") == Some(guild.0);
        let by_this_press = row.id("used_by") == Some(interaction.0);
        Ok(if !theirs {
            Err(ConfirmationRefused::NotYours)
        } else if claimed.rows_affected() > 0 || by_this_press {
            Ok(row.text("what").unwrap_or_default().to_owned())
        } else if row.number("used_by").is_some() {
            Err(ConfirmationRefused::Used)
        } else {
            Err(ConfirmationRefused::Expired)
        })
    }
}
