//! Secrets in files: Docker and Kubernetes secrets, systemd credentials.
//!
//! `config` reads each file once; `app` reads it again on request, or when a token is refused.

use std::{
    fmt, fs,
    io::Read as _,
    path::{Path, PathBuf},
};

use secrecy::SecretString;

use super::{
    value::{self, Mismatch, mismatch},
    variable::{self, Variable},
};

/// No secret is longer; a larger file is the wrong one.
const LONGEST: u64 = 16 << 10;

/// The kind of secret in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Content {
    DiscordToken,
    DigitalOceanToken,
    DatabaseUrl,
}

impl Content {
    /// The variable that contains the secret itself, and the one that contains the file's path.
    pub(super) fn variables(self) -> (Variable, Variable) {
        match self {
            Self::DiscordToken => (variable::DISCORD_TOKEN, variable::DISCORD_TOKEN_FILE),
            Self::DigitalOceanToken => (variable::DIGITALOCEAN_TOKEN, variable::DIGITALOCEAN_TOKEN_FILE),
            Self::DatabaseUrl => (variable::DATABASE_URL, variable::DATABASE_URL_FILE),
        }
    }

    pub(super) fn parse(self, text: &str) -> Result<SecretString, Mismatch> {
        match self {
            Self::DiscordToken | Self::DigitalOceanToken => value::token(text),
            Self::DatabaseUrl => value::database(text),
        }
    }
}

/// A file that contains a secret. Its `Debug` output shows only the path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretFile {
    path: PathBuf,
    content: Content,
}

/// Why no secret could be read from a file. The error never contains the file's contents.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct Unusable {
    variable: &'static str,
    found: String,
}

impl fmt::Display for Unusable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.variable, self.found)
    }
}

impl SecretFile {
    pub(super) fn new(path: &str, content: Content) -> Self {
        Self { path: PathBuf::from(path), content }
    }

    /// The current secret in the file, without surrounding white space.
    pub fn read(&self) -> Result<SecretString, Unusable> {
        let (_, variable) = self.content.variables();
        self.read_as_value().map_err(|Mismatch { found, .. }| Unusable { variable: variable.name, found })
    }

    pub(super) fn read_as_value(&self) -> Result<SecretString, Mismatch> {
        let wanted = "a readable file that holds the secret and nothing else";
        let wrong = |found: String| mismatch(format!("{}: {found}", shown(&self.path)), wanted);
        let text = text_of(&self.path).map_err(|why| wrong(why.to_string()))?;
        let text = text.trim();
        if text.is_empty() {
            return Err(wrong("the file is empty".to_owned()));
        }
        self.content
            .parse(text)
            .map_err(|Mismatch { found, wanted }| mismatch(format!("{}: {found}", shown(&self.path)), wanted))
    }
}

fn text_of(path: &Path) -> std::io::Result<String> {
    let mut text = String::new();
    fs::File::open(path)?.take(LONGEST).read_to_string(&mut text)?;
    Ok(text)
}

/// The path as displayed; text without a slash may be a secret in the wrong variable.
fn shown(path: &Path) -> String {
    let text = path.to_string_lossy();
    if text.contains('/') { format!("{text:?}") } else { value::shown(&text) }
}
