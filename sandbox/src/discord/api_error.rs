//! Discord's error answers: status, code, message and, for a form, the tree that names each invalid field.
//!
//! Created by REST and the validators. The texts are Discord's own, so that clients which match on them work.
//! <https://discord.com/developers/docs/topics/opcodes-and-status-codes#json>

use std::borrow::Cow;

use serde_json::{Map, Value, json};

/// An unsuccessful answer.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct ApiError {
    pub(super) status: u16,
    pub(super) code: u32,
    pub(super) message: Cow<'static, str>,
    pub(super) errors: Option<Value>,
}

const fn known(status: u16, code: u32, message: &'static str) -> ApiError {
    ApiError { status, code, message: Cow::Borrowed(message), errors: None }
}

impl ApiError {
    pub(super) const UNAUTHORIZED: Self = known(401, 0, "401: Unauthorized");
    pub(super) const NOT_FOUND: Self = known(404, 0, "404: Not Found");
    pub(super) const METHOD_NOT_ALLOWED: Self = known(405, 0, "405: Method Not Allowed");
    pub(super) const UNKNOWN_CHANNEL: Self = known(404, 10003, "Unknown Channel");
    pub(super) const UNKNOWN_GUILD: Self = known(404, 10004, "Unknown Guild");
    pub(super) const UNKNOWN_MEMBER: Self = known(404, 10007, "Unknown Member");
    pub(super) const UNKNOWN_MESSAGE: Self = known(404, 10008, "Unknown Message");
    pub(super) const UNKNOWN_USER: Self = known(404, 10013, "Unknown User");
    pub(super) const UNKNOWN_WEBHOOK: Self = known(404, 10015, "Unknown Webhook");
    pub(super) const UNKNOWN_INTERACTION: Self = known(404, 10062, "Unknown interaction");
    pub(super) const UNKNOWN_COMMAND: Self = known(404, 10063, "Unknown application command");
    pub(super) const TOO_MANY_COMMANDS: Self =
        known(400, 30032, "Maximum number of application commands has been reached (100).");
    pub(super) const TOO_MANY_COMMAND_CREATES: Self =
        known(400, 30034, "Max number of daily application command creates has been reached (200)");
    pub(super) const TOO_MANY_OLD_EDITS: Self =
        known(429, 30046, "Maximum number of edits to messages older than 1 hour reached. Try again later.");
    pub(super) const ALREADY_ACKNOWLEDGED: Self = known(400, 40060, "Interaction has already been acknowledged.");
    pub(super) const MISSING_ACCESS: Self = known(403, 50001, "Missing Access");
    pub(super) const NOT_YOUR_MESSAGE: Self = known(403, 50005, "Cannot edit a message authored by another user");
    pub(super) const EMPTY_MESSAGE: Self = known(400, 50006, "Cannot send an empty message");
    pub(super) const DMS_CLOSED: Self = known(403, 50007, "Cannot send messages to this user");
    pub(super) const MISSING_PERMISSIONS: Self = known(403, 50013, "Missing Permissions");
    pub(super) const INVALID_WEBHOOK_TOKEN: Self = known(401, 50027, "Invalid Webhook Token");
    pub(super) const INVALID_JSON: Self = known(400, 50109, "The request body contains invalid JSON.");
    pub(super) const NO_REPLY_WITHOUT_HISTORY: Self =
        known(403, 160_002, "Cannot reply without permission to read message history");

    /// An error that a test asked for.
    pub(super) fn injected(status: u16, code: u32, message: &str) -> Self {
        Self { status, code, message: Cow::Owned(message.to_owned()), errors: None }
    }

    pub(super) fn body(&self) -> Value {
        let mut body = json!({"message": self.message, "code": self.code});
        if let (Some(errors), Some(object)) = (&self.errors, body.as_object_mut()) {
            object.insert("errors".to_owned(), errors.clone());
        }
        body
    }
}

/// The errors of a form, field by field, in the format of code 50035.
#[derive(Debug, Default)]
pub(super) struct Form {
    wrong: Vec<(String, &'static str, String)>,
}

impl Form {
    /// Records that the field at this dotted path is invalid.
    pub(super) fn wrong(&mut self, path: impl Into<String>, code: &'static str, message: impl Into<String>) {
        self.wrong.push((path.into(), code, message.into()));
    }

    /// Records an error if a text's number of characters is out of bounds.
    pub(super) fn length(&mut self, path: &str, text: &str, bounds: std::ops::RangeInclusive<usize>) {
        let (least, most) = (*bounds.start(), *bounds.end());
        if bounds.contains(&text.chars().count()) {
            return;
        }
        if least == 0 {
            self.wrong(path, "BASE_TYPE_MAX_LENGTH", format!("Must be {most} or fewer in length."));
        } else {
            self.wrong(path, "BASE_TYPE_BAD_LENGTH", format!("Must be between {least} and {most} in length."));
        }
    }

    /// Records that a required field is missing.
    pub(super) fn required(&mut self, path: impl Into<String>) {
        self.wrong(path, "BASE_TYPE_REQUIRED", "This field is required");
    }

    /// Returns the error, if any field was invalid.
    pub(super) fn done(self) -> Result<(), ApiError> {
        if self.wrong.is_empty() {
            return Ok(());
        }
        let mut tree = Value::Object(Map::new());
        for (path, code, message) in self.wrong {
            insert(&mut tree, &path, json!({"code": code, "message": message}));
        }
        Err(ApiError { errors: Some(tree), ..known(400, 50035, "Invalid Form Body") })
    }
}

fn insert(tree: &mut Value, path: &str, error: Value) {
    let mut place = tree;
    for key in path.split('.').filter(|key| !key.is_empty()) {
        let Some(object) = place.as_object_mut() else { return };
        place = object.entry(key).or_insert_with(|| json!({}));
    }
    if let Some(object) = place.as_object_mut()
        && let Some(list) = object.entry("_errors").or_insert_with(|| json!([])).as_array_mut()
    {
        list.push(error);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_form_names_each_field_in_a_tree() {
        let mut form = Form::default();
        form.length("embeds.0.title", &"x".repeat(257), 0..=256);
        form.required("name");
        let body = form.done().expect_err("two fields are wrong").body();
        assert_eq!(body["code"], 50035);
        assert_eq!(body["errors"]["embeds"]["0"]["title"]["_errors"][0]["code"], "BASE_TYPE_MAX_LENGTH");
        assert_eq!(body["errors"]["name"]["_errors"][0]["message"], "This field is required");
    }
}
