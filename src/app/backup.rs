//! `snapshot-bot backup FILE`: a complete copy of the SQLite database, made while the bot runs.
//!
//! Called by `main`. Needs only the database's URL from the configuration.

use std::path::Path;

use secrecy::SecretString;

pub use crate::store::BackupError as Error;
use crate::store::Store;

/// Writes the copy to a new file that only its owner may read.
pub async fn run(database: &SecretString, copy: &Path) -> Result<(), Error> {
    Store::back_up(database, copy).await
}
