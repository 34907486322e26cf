//! Gives what Discord sends the form that serenity 0.12 expects.
//!
//! serenity cannot read an object if one field has an unexpected form, such as a user's flag beyond 32 bits or a member without `deaf`.
//! [`super::relay`] mends the events that serenity handles itself, and [`super::interactions`] interactions.

use serde_json::{Value, json};

/// Converts known differences: flags of 32 bits, and members with all their fields.
pub(super) fn mend(json: &mut Value) {
    match json {
        Value::Object(fields) => {
            for key in ["flags", "public_flags"] {
                if let Some(flags) = fields.get_mut(key).filter(|flags| !flags.is_null()) {
                    *flags = json!(flags.as_u64().unwrap_or_default() & u64::from(u32::MAX));
                }
            }
            let is_member = fields.get("user").is_some_and(Value::is_object)
                && ["roles", "joined_at", "permissions", "nick"].iter().any(|key| fields.contains_key(*key));
            if is_member {
                for (key, usual) in
                    [("deaf", json!(false)), ("mute", json!(false)), ("flags", json!(0)), ("roles", json!([]))]
                {
                    let field = fields.entry(key).or_insert(Value::Null);
                    if field.is_null() {
                        *field = usual;
                    }
                }
            }
            fields.values_mut().for_each(mend);
        }
        Value::Array(items) => items.iter_mut().for_each(mend),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
