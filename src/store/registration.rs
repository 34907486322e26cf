//! The commands last registered in each guild, so that they are registered again only after a change.

use super::{
    Error, Store,
    row::{Row, bits, without_nul},
};
use crate::operation::ids::GuildId;

impl Store {
    /// The digest of the commands last registered in a guild.
    pub async fn registered_commands(&self, guild: GuildId) -> Result<Option<String>, Error> {
        let row = sqlx::query("SELECT digest FROM registered_commands WHERE guild_id = $1")
            .bind(bits(guild.0))
            .fetch_optional(&self.pool)
            .await?;
        Ok(row.and_then(|row| Row(&row).text("digest").map(str::to_owned)))
    }

    /// Records the digest of the commands just registered in a guild.
    pub async fn set_registered_commands(&self, guild: GuildId, digest: &str) -> Result<(), Error> {
        let mut transaction = self.begin_as_owner().await?;
        sqlx::query(
            "INSERT INTO registered_commands (guild_id, digest) VALUES ($1, $2) \
             ON CONFLICT (guild_id) DO UPDATE SET digest = excluded.digest",
        )
        .bind(bits(guild.0))
        .bind(without_nul(digest))
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await.map_err(Error::from)
    }
}
