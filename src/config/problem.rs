//! What is wrong with the configuration: every problem at once, each with what was found, what is wanted and an example.
//!
//! Made by `config`, printed by `main`, which then ends with exit code 2. A secret's value never gets in here.

use std::fmt;

use super::env_file::{EnvFile, Line};

/// One variable that cannot be used as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    pub(super) variable: &'static str,
    /// Where in `.env` it stands, if it comes from there.
    pub(super) line: Option<Line>,
    pub(super) found: String,
    pub(super) wanted: String,
    pub(super) example: &'static str,
}

impl Problem {
    /// The variable that has it.
    pub fn variable(&self) -> &'static str {
        self.variable
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { variable, line, found, wanted, example } = self;
        match line {
            Some(line) => writeln!(f, "{line}: {variable}")?,
            None => writeln!(f, "{variable}")?,
        }
        writeln!(f, "  found    {found}")?;
        writeln!(f, "  wanted   {wanted}")?;
        writeln!(f, "  example  {variable}={example}")
    }
}

/// Everything that is wrong, in the order of the table of variables.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problems(pub(super) Vec<Problem>);

impl Problems {
    /// The same, each with its line in this file.
    #[must_use]
    pub fn located(mut self, file: &EnvFile) -> Self {
        for problem in &mut self.0 {
            problem.line = file.line(problem.variable);
        }
        self
    }

    /// One after the other.
    pub fn iter(&self) -> impl Iterator<Item = &Problem> {
        self.0.iter()
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.0.len();
        let noun = if count == 1 { "problem" } else { "problems" };
        writeln!(f, "{count} {noun} in the configuration:")?;
        for problem in &self.0 {
            write!(f, "\n{problem}")?;
        }
        write!(f, "\nVariables are read from the environment and from `.env`; `.env.example` explains each one.")
    }
}

impl std::error::Error for Problems {}

/// Something that does not keep the bot from starting, but is probably not what was meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Warning {
    /// A variable whose name is nearly one of ours.
    Misspelled {
        /// As it is spelled.
        unknown: String,
        /// What was probably meant.
        meant: &'static str,
    },
    /// The connection to PostgreSQL may be unencrypted on its way through a network.
    DatabaseInTheClear {
        /// `sslmode` as it is in force.
        sslmode: String,
    },
    /// The file `.env` holds secrets, and everybody on this machine may read it.
    ReadableByOthers,
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Misspelled { unknown, meant } => {
                write!(f, "the variable {unknown} is not known and was ignored: did you mean {meant}?")
            }
            Self::DatabaseInTheClear { sslmode } => write!(
                f,
                "DATABASE_URL leads to another host with sslmode={sslmode}, so the password and all data may travel unencrypted: \
                 add ?sslmode=verify-full, with sslrootcert=FILE where the server's certificate is signed by an authority of its own"
            ),
            Self::ReadableByOthers => {
                write!(f, "everybody on this machine may read the file .env, and it holds secrets: chmod 600 .env")
            }
        }
    }
}
