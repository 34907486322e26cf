//! Application commands, as they are registered and as a person runs them.

use serde_json::Value;

use super::snowflake::Snowflake;

/// A registered command.
#[derive(Clone, Debug)]
pub struct Command {
    /// Its id, which is kept if a command of the same name overwrites it.
    pub id: Snowflake,
    /// Its Guild; `None` for global commands.
    pub guild: Option<Snowflake>,
    /// Its first word.
    pub name: String,
    /// The JSON that Discord returns for it.
    pub json: Value,
}

/// A command, or one of its subcommands, as a person runs it.
#[derive(Clone, Debug)]
pub struct Leaf {
    /// The command that it belongs to.
    pub command: Snowflake,
    /// All of its words, without the slash.
    pub path: Vec<String>,
    /// Its description.
    pub description: String,
    /// Its options, as registered.
    pub options: Vec<Value>,
}
