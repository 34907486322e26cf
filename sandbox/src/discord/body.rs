//! The body of a Message as sent by a bot, validated: content, embeds, components, flags, nonce and allowed pings.
//!
//! Called by REST for Messages, responses and follow-ups. Knows the formats, but not the world.

use serde_json::{Value, json};

use super::{
    api_error::{ApiError, Form},
    attachment::{self, Attachment, Upload},
    component, embed,
    mention::Allowed,
    snowflake::{Snowflake, from_json},
};

/// Flag: embeds are hidden.
pub(super) const SUPPRESS_EMBEDS: u64 = 1 << 2;
/// Flag: only one Member sees it.
pub(super) const EPHEMERAL: u64 = 1 << 6;
/// Flag: the bot is thinking.
pub(super) const LOADING: u64 = 1 << 7;
/// Flag: it triggers no notifications.
pub(super) const SUPPRESS_NOTIFICATIONS: u64 = 1 << 12;

/// The contents of a Message.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Body {
    /// The text.
    pub content: String,
    /// The embeds, as Discord returns them.
    pub embeds: Vec<Value>,
    /// The rows of components, as Discord returns them.
    pub components: Vec<Value>,
    /// The files.
    pub attachments: Vec<Attachment>,
}

impl Body {
    fn is_empty(&self) -> bool {
        self.content.is_empty() && self.embeds.is_empty() && self.components.is_empty() && self.attachments.is_empty()
    }
}

/// The Message to which a new one replies.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reference {
    pub(super) message: Snowflake,
    pub(super) must_exist: bool,
}

/// A validated request for a Message.
#[derive(Clone, Debug)]
pub(super) struct Draft {
    pub(super) body: Body,
    pub(super) flags: u64,
    pub(super) allowed: Allowed,
    pub(super) says_whom_it_pings: bool,
    pub(super) nonce: Option<Value>,
    pub(super) enforce_nonce: bool,
    pub(super) reference: Option<Reference>,
}

impl Draft {
    /// Parses a new Message without files.
    pub(super) fn new(json: &Value) -> Result<Self, ApiError> {
        Self::with_files(json, &[])
    }

    /// Parses a new Message.
    pub(super) fn with_files(json: &Value, files: &[Upload]) -> Result<Self, ApiError> {
        let draft = Self::read(json, files, &Body::default())?;
        if draft.body.is_empty() { Err(ApiError::EMPTY_MESSAGE) } else { Ok(draft) }
    }

    /// Parses an edit: fields that it does not mention stay unchanged.
    pub(super) fn edit(json: &Value, files: &[Upload], before: &Body) -> Result<Self, ApiError> {
        let draft = Self::read(json, files, before)?;
        if draft.body.is_empty() { Err(ApiError::EMPTY_MESSAGE) } else { Ok(draft) }
    }

    fn read(json: &Value, files: &[Upload], before: &Body) -> Result<Self, ApiError> {
        let mut form = Form::default();
        let object = json.as_object().ok_or(ApiError::INVALID_JSON)?;
        let mut body = before.clone();
        if let Some(content) = object.get("content") {
            // Nonces, titles and the like may be numbers, which Discord converts to text.
            let text = content.as_str().map_or_else(|| plain(content), str::to_owned);
            text.trim().clone_into(&mut body.content);
            form.length("content", &body.content, 0..=2000);
        }
        if let Some(embeds) = object.get("embeds") {
            body.embeds = embed::normalised(embeds, &mut form);
        }
        if let Some(components) = object.get("components") {
            body.components = component::normalised(components, &mut form);
        }
        body.attachments = attachment::kept(object.get("attachments"), files, &before.attachments, &mut form);
        let nonce = object.get("nonce").filter(|nonce| !nonce.is_null()).cloned();
        if let Some(nonce) = &nonce {
            form.length("nonce", &plain(nonce), 0..=25);
        }
        let allowed = object.get("allowed_mentions").unwrap_or(&Value::Null);
        let reference = &json["message_reference"];
        let draft = Self {
            body,
            flags: json["flags"].as_u64().unwrap_or(0),
            allowed: Allowed::read(allowed, &mut form),
            says_whom_it_pings: !allowed.is_null(),
            nonce,
            enforce_nonce: json["enforce_nonce"].as_bool().unwrap_or(false),
            reference: from_json(&reference["message_id"]).map(|message| Reference {
                message,
                must_exist: reference["fail_if_not_exists"].as_bool().unwrap_or(true),
            }),
        };
        form.done()?;
        Ok(draft)
    }

    /// The body of the Message that is shown while the bot is thinking.
    pub(super) fn thinking(flags: u64) -> Self {
        let mut form = Form::default();
        let allowed = Allowed::read(&json!({"parse": []}), &mut form);
        Self {
            body: Body::default(),
            flags,
            allowed,
            says_whom_it_pings: true,
            nonce: None,
            enforce_nonce: false,
            reference: None,
        }
    }
}

fn plain(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_holds_2000_characters() {
        assert!(Draft::new(&json!({"content": "ä".repeat(2000)})).is_ok());
        assert_eq!(Draft::new(&json!({"content": "ä".repeat(2001)})).expect_err("too long").code, 50035);
    }

    #[test]
    fn a_message_of_nothing_but_spaces_is_empty() {
        assert_eq!(Draft::new(&json!({"content": "  \n"})).expect_err("empty"), ApiError::EMPTY_MESSAGE);
    }

    #[test]
    fn an_edit_keeps_what_it_does_not_mention() {
        let before = Body {
            content: "before".to_owned(),
            embeds: vec![json!({"title": "kept"})],
            components: vec![],
            attachments: vec![],
        };
        let after = Draft::edit(&json!({"content": "after"}), &[], &before).expect("a fine edit").body;
        assert_eq!((after.content.as_str(), after.embeds.len()), ("after", 1));
        let without = Draft::edit(&json!({"embeds": []}), &[], &before).expect("a fine edit").body;
        assert_eq!((without.content.as_str(), without.embeds.len()), ("before", 0));
    }

    #[test]
    fn a_nonce_has_at_most_25_characters() {
        assert!(Draft::new(&json!({"content": "a", "nonce": "x".repeat(25)})).is_ok());
        assert!(Draft::new(&json!({"content": "a", "nonce": "x".repeat(26)})).is_err());
    }
}
