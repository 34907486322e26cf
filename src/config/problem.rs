//! Problems of the configuration: all of them at once, each with what was found, what is expected and an example.
//!
//! Created by `config`, printed by `main`, which then exits with code 2. They never contain a secret's value.

use std::fmt;

use super::env_file::{EnvFile, Line};

/// A problem with one variable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    pub(super) variable: &'static str,
    /// The variable's line in `.env`, if it comes from there.
    pub(super) line: Option<Line>,
    pub(super) found: String,
    pub(super) wanted: String,
    pub(super) example: &'static str,
}

impl Problem {
    /// The variable that has the problem.
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

/// All problems, in the order of the table of variables.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problems(pub(super) Vec<Problem>);

impl Problems {
    /// These problems, each with its line in this file.
    #[must_use]
    pub fn located(mut self, file: &EnvFile) -> Self {
        for problem in &mut self.0 {
            problem.line = file.line(problem.variable);
        }
        self
    }

    /// Iterates over the problems.
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

/// Something that does not keep the bot from starting, but is probably not intended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Warning {
    /// A variable whose name is nearly that of a known one.
    Misspelled {
        /// The name as spelled.
        unknown: String,
        /// The name that was probably meant.
        meant: &'static str,
    },
    /// The connection to PostgreSQL may be unencrypted on its way through a network.
    DatabaseInTheClear {
        /// The effective value of `sslmode`.
        sslmode: String,
    },
    /// The file `.env` contains secrets, and everybody on this machine may read it.
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
