//! The last filter for every log line: registered secrets and Discord's interaction tokens become `[redacted]`.
//!
//! `telemetry` puts it between the formatter and standard error. It knows the secrets that it was given and three forms of text in which
//! tokens occur, and nothing about what is logged.

use std::{
    borrow::Cow,
    io::{self, Write},
    sync::Arc,
};

use parking_lot::RwLock;
use secrecy::{ExposeSecret, SecretString};
use tracing_subscriber::fmt::MakeWriter;

const REDACTED: &str = "[redacted]";
/// Redacting anything shorter would remove innocent words, and so reveal the secret.
const SHORTEST: usize = 8;

/// The secrets that must not appear in any line. Clones share them; secrets are only added.
#[derive(Clone, Default)]
pub(super) struct Sealed(Arc<RwLock<Vec<String>>>);

impl Sealed {
    pub(super) fn add(&self, secrets: &[SecretString]) {
        let mut sealed = self.0.write();
        for secret in secrets.iter().map(ExposeSecret::expose_secret).filter(|secret| secret.len() >= SHORTEST) {
            // A formatter may have escaped quotes and backslashes in the secret.
            for form in [secret.to_owned(), secret.escape_debug().to_string()] {
                if !sealed.contains(&form) {
                    sealed.push(form);
                }
            }
        }
    }
}

/// Creates writers that redact what they pass on to the writers of `inner`.
pub(super) struct Redacting<M> {
    secrets: Sealed,
    inner: M,
}

impl<M> Redacting<M> {
    pub(super) fn new(secrets: Sealed, inner: M) -> Self {
        Self { secrets, inner }
    }
}

impl<'a, M: MakeWriter<'a>> MakeWriter<'a> for Redacting<M> {
    type Writer = Line<M::Writer>;

    fn make_writer(&'a self) -> Self::Writer {
        Line { text: Vec::new(), secrets: self.secrets.clone(), inner: self.inner.make_writer() }
    }
}

/// The text of one event, held back until it is complete: a token that is split in two would not be recognized.
pub(super) struct Line<W: Write> {
    text: Vec<u8>,
    secrets: Sealed,
    inner: W,
}

impl<W: Write> Write for Line<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.text.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<W: Write> Drop for Line<W> {
    fn drop(&mut self) {
        let text = String::from_utf8_lossy(&self.text);
        let secrets = self.secrets.0.read();
        // There is nowhere to report that standard error is gone.
        let _ = self.inner.write_all(redact(&text, &secrets).as_bytes());
    }
}

/// `text` without the `secrets` and without anything in a place where Discord puts a token.
fn redact<'t>(text: &'t str, secrets: &[String]) -> Cow<'t, str> {
    let mut text = Cow::Borrowed(text);
    for secret in secrets {
        if text.contains(secret.as_str()) {
            text = Cow::Owned(text.replace(secret.as_str(), REDACTED));
        }
    }
    for (marker, token_after) in SHAPES {
        if text.contains(marker) {
            text = Cow::Owned(redact_shape(&text, marker, *token_after));
        }
    }
    text
}

/// Finds where a token begins in the text after a marker, if there is one.
type TokenAfter = fn(&str) -> Option<usize>;

/// Paths with an interaction's or webhook's token in them, and fields named `token`.
const SHAPES: &[(&str, TokenAfter)] =
    &[("/interactions/", after_id), ("/webhooks/", after_id), ("token", after_field_name)];

fn redact_shape(text: &str, marker: &str, token_after: TokenAfter) -> String {
    let mut redacted = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(marker) {
        let after = at + marker.len();
        let begin = after + token_after(&rest[after..]).unwrap_or_default();
        let token = if begin > after { token_length(&rest[begin..]) } else { 0 };
        redacted.push_str(&rest[..begin]);
        if token >= SHORTEST {
            redacted.push_str(REDACTED);
        } else {
            redacted.push_str(&rest[begin..begin + token]);
        }
        rest = &rest[begin + token..];
    }
    redacted + rest
}

/// `1234/` in `/webhooks/1234/<token>`.
fn after_id(text: &str) -> Option<usize> {
    let digits = text.find(|character: char| !character.is_ascii_digit())?;
    (digits > 0 && text[digits..].starts_with('/')).then_some(digits + 1)
}

/// `": "` in `"token": "<token>"`, however often it was escaped, or `=` in `token=<token>`.
fn after_field_name(text: &str) -> Option<usize> {
    let decoration = |character: char| r#""\ "#.contains(character);
    let value = text.trim_start_matches(decoration).strip_prefix([':', '='])?.trim_start_matches(decoration);
    let value = value.strip_prefix("Some(").unwrap_or(value).trim_start_matches(decoration);
    Some(text.len() - value.len())
}

fn token_length(text: &str) -> usize {
    let in_token = |character: char| character.is_ascii_alphanumeric() || "-_.~+%=".contains(character);
    text.find(|character| !in_token(character)).unwrap_or(text.len())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn redacted(text: &str) -> String {
        redact(text, &["s3cr3t-value".to_owned()]).into_owned()
    }

    #[test]
    fn tokens_are_found_wherever_discord_puts_them() {
        for (text, expected) in [
            ("Bot s3cr3t-value!", "Bot [redacted]!"),
            ("/interactions/1/abcdefgh/callback", "/interactions/1/[redacted]/callback"),
            ("/webhooks/1/abcdefgh?wait=true", "/webhooks/1/[redacted]?wait=true"),
            (r#"{"token":"abcdefgh","id":1}"#, r#"{"token":"[redacted]","id":1}"#),
            (r#"{\"token\": \"abcdefgh\"}"#, r#"{\"token\": \"[redacted]\"}"#),
            (r#"Route { token: "abcdefgh" }"#, r#"Route { token: "[redacted]" }"#),
            (r#"token: Some("abcdefgh")"#, r#"token: Some("[redacted]")"#),
            ("token=abcdefgh token=ijklmnop", "token=[redacted] token=[redacted]"),
            ("/webhooks/1/abcdefgh /webhooks/2/ijklmnop", "/webhooks/1/[redacted] /webhooks/2/[redacted]"),
        ] {
            assert_eq!(redacted(text), expected);
        }
    }

    #[test]
    fn innocent_text_stays_as_it_is() {
        for text in [
            "the token was refused",
            "/webhooks/abc/abcdefgh",
            "/interactions/",
            "token",
            "token:",
            "tokens: 2",
            "a token: none",
            "/channels/1/messages/2",
        ] {
            assert_eq!(redacted(text), text);
        }
    }

    #[test]
    fn short_secrets_are_not_sealed_because_that_would_point_at_them() {
        let sealed = Sealed::default();
        sealed.add(&["bot".into(), "long-enough".into(), "long-enough".into()]);
        assert_eq!(*sealed.0.read(), ["long-enough"]);
    }

    proptest! {
        #[test]
        fn whatever_surrounds_a_secret_it_is_gone_and_nothing_panics(before in "\\PC{0,40}", after in "\\PC{0,40}") {
            let text = format!("{before}s3cr3t-value{after}");
            prop_assert!(!redacted(&text).contains("s3cr3t-value"));
        }

        #[test]
        fn text_around_the_markers_never_panics(parts in proptest::collection::vec(
            prop_oneof![Just("token".to_owned()), Just("/webhooks/".to_owned()), Just("1/".to_owned()), "\\PC{0,5}"], 0..12,
        )) {
            redacted(&parts.concat());
        }
    }
}
