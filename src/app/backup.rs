//! `snapshot-bot backup FILE`: a whole copy of the SQLite database, while the bot runs.
//!
//! Called by `main`. The database's address is all it needs of the configuration.

use std::path::Path;

use secrecy::SecretString;

pub use crate::store::BackupError as Error;
use crate::store::Store;

/// Writes the copy into a new file that only its owner may read.
pub async fn run(database: &SecretString, copy: &Path) -> Result<(), Error> {
    Store::back_up(database, copy).await
}
