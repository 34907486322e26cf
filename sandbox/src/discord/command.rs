//! Application commands, as they are registered and as a person runs them.

use serde_json::Value;

use super::snowflake::Snowflake;

/// A registered command.
#[derive(Clone, Debug)]
pub struct Command {
    /// Its id, which an overwrite of the same name keeps.
    pub id: Snowflake,
    /// Its Guild; none for global ones.
    pub guild: Option<Snowflake>,
    /// Its first word.
    pub name: String,
    /// What Discord gives back of it.
    pub json: Value,
}

/// A command, or one of its subcommands, as a person runs it.
#[derive(Clone, Debug)]
pub struct Leaf {
    /// The command it belongs to.
    pub command: Snowflake,
    /// All of its words, without the slash.
    pub path: Vec<String>,
    /// Its description.
    pub description: String,
    /// Its options, as registered.
    pub options: Vec<Value>,
}
