//! The file `.env`: the line of each variable, and the first line that cannot be read. Values are not kept.

use std::{collections::BTreeMap, fmt, path::Path};

/// The file in the working directory that is read in addition to the environment.
pub const ENV_FILE: &str = ".env";

/// A line number in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Line(pub usize);

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{ENV_FILE}:{}", self.0)
    }
}

/// The lines of the variables that come from the file. Empty if there is no file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EnvFile(BTreeMap<String, Line>);

impl EnvFile {
    /// Reads the variable names in a file, except those that `is_set` knows: the environment takes precedence over the file.
    pub fn read(path: &Path, is_set: impl Fn(&str) -> bool) -> Self {
        let text = std::fs::read_to_string(path).unwrap_or_default();
        Self::of(&text, is_set)
    }

    fn of(text: &str, is_set: impl Fn(&str) -> bool) -> Self {
        let mut lines = BTreeMap::new();
        for (number, line) in (1..).zip(text.lines()) {
            let line = line.trim_start();
            let Some((name, _)) = line.strip_prefix("export ").unwrap_or(line).split_once('=') else { continue };
            let name = name.trim();
            let is_name =
                !name.is_empty() && name.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_');
            if is_name && !is_set(name) {
                // If a variable occurs twice, the first one counts.
                lines.entry(name.to_owned()).or_insert(Line(number));
            }
        }
        Self(lines)
    }

    /// The line of a variable, if it comes from the file.
    pub fn line(&self, variable: &str) -> Option<Line> {
        self.0.get(variable).copied()
    }

    /// The variable on this line, if it is one of these. Any other name may be a part of a secret.
    pub fn variable<'n>(&self, line: Line, names: impl IntoIterator<Item = &'n str>) -> Option<&'n str> {
        names.into_iter().find(|name| self.line(name) == Some(line))
    }

    /// The first line that is not `NAME=value`; an unclosed quote counts at the line where it was opened.
    pub fn unreadable(path: &Path) -> Line {
        let text = std::fs::read_to_string(path).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        let is_read = |count: &usize| {
            let start = lines[..*count].join("\n");
            dotenvy::from_read_iter(start.as_bytes()).all(|item| item.is_ok())
        };
        Line((0..=lines.len()).rev().find(is_read).unwrap_or_default() + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_variable_of_the_file_has_its_line_unless_the_environment_sets_it() {
        let text = "# comment\nDISCORD_TOKEN='a=b'\n\n  export DROPLET_TAG = web\nPOLL_INTERVAL=5s\nPOLL_INTERVAL=6s\nno variable\n";
        let file = EnvFile::of(text, |name| name == "DROPLET_TAG");
        assert_eq!(file.line("DISCORD_TOKEN"), Some(Line(2)));
        assert_eq!(file.line("POLL_INTERVAL"), Some(Line(5)));
        assert_eq!((file.line("DROPLET_TAG"), file.line("comment")), (None, None));
        let names = ["DISCORD_TOKEN", "POLL_INTERVAL"];
        assert_eq!((file.variable(Line(2), names), file.variable(Line(7), names)), (Some("DISCORD_TOKEN"), None));
        assert_eq!(EnvFile::of("c2VjcmV0=\n", |_| false).variable(Line(1), names), None, "a token that was put alone");
        assert_eq!(Line(2).to_string(), ".env:2");
    }

    #[test]
    fn the_line_that_cannot_be_read_is_found() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(".env");
        for (text, line) in [
            ("A='1\nB=2\n", 1),
            ("A=1\n\nB=2 3\nC=4\n", 3),
            ("A=1\nB='two\nlines'\nC=x y\n", 4),
            ("A=1\nB=\"open\nC=3\n", 2),
        ] {
            std::fs::write(&path, text).unwrap();
            assert_eq!(EnvFile::unreadable(&path), Line(line), "{text}");
        }
    }
}
