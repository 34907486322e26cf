//! Fields of a state that this version of the program does not know, because a newer version wrote them.
//!
//! They are found when a row is read and put back when it is written, so that a temporary downgrade loses nothing.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::Error;
use crate::operation::Operation;

/// The unknown fields of a JSON value, each at its position.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) enum Unknown {
    /// There are no unknown fields.
    #[default]
    Nothing,
    Object {
        fields: Map<String, Value>,
        within: BTreeMap<String, Unknown>,
    },
    /// Items are identified by their index, which is meaningful only while their number is unchanged.
    Array {
        length: usize,
        within: BTreeMap<usize, Unknown>,
    },
}

impl Unknown {
    /// The fields in a state's text that are not part of the operation read from it.
    pub(super) fn of(operation: &Operation, text: &str) -> Self {
        let Ok(known) = serde_json::to_string(operation) else { return Self::Nothing };
        if known == text {
            // The text is exactly what this version writes: the usual case, and the cheap one.
            return Self::Nothing;
        }
        match (serde_json::from_str(&known), serde_json::from_str(text)) {
            (Ok(known), Ok(found)) => Self::between(&known, &found),
            (Ok(_) | Err(_), _) => Self::Nothing,
        }
    }

    fn between(known: &Value, found: &Value) -> Self {
        match (known, found) {
            (Value::Object(known), Value::Object(found)) => {
                // A field that is null means the same as an absent one.
                let is_unknown = |(name, value): &(&String, &Value)| !known.contains_key(*name) && !value.is_null();
                let fields: Map<_, _> =
                    found.iter().filter(is_unknown).map(|(name, value)| (name.clone(), value.clone())).collect();
                let both = known.iter().filter_map(|(name, value)| Some((name, value, found.get(name)?)));
                let within: BTreeMap<_, _> = both
                    .map(|(name, known, found)| (name.clone(), Self::between(known, found)))
                    .filter(|(_, unknown)| *unknown != Self::Nothing)
                    .collect();
                if fields.is_empty() && within.is_empty() { Self::Nothing } else { Self::Object { fields, within } }
            }
            (Value::Array(known), Value::Array(found)) if known.len() == found.len() => {
                let items = known.iter().zip(found).map(|(known, found)| Self::between(known, found));
                let within: BTreeMap<_, _> =
                    items.enumerate().filter(|(_, unknown)| *unknown != Self::Nothing).collect();
                if within.is_empty() { Self::Nothing } else { Self::Array { length: known.len(), within } }
            }
            _ => Self::Nothing,
        }
    }

    /// The text of an operation's state, including these fields as far as there is still a place for them.
    pub(super) fn with(&self, operation: &Operation) -> Result<String, Error> {
        if *self != Self::Nothing {
            let mut state = serde_json::to_value(operation).map_err(Error::Unwritable)?;
            self.put_back(&mut state);
            let text = state.to_string();
            // A field that was merely renamed would appear twice, which would make the state unreadable.
            if serde_json::from_str::<Operation>(&text).is_ok_and(|read| read == *operation) {
                return Ok(text);
            }
            tracing::warn!(operation.id = %operation.id, "what a newer version knew of the operation cannot be kept");
        }
        serde_json::to_string(operation).map_err(Error::Unwritable)
    }

    fn put_back(&self, state: &mut Value) {
        match (self, state) {
            (Self::Object { fields, within }, Value::Object(state)) => {
                for (name, value) in fields {
                    state.entry(name).or_insert_with(|| value.clone());
                }
                for (name, unknown) in within {
                    if let Some(value) = state.get_mut(name) {
                        unknown.put_back(value);
                    }
                }
            }
            (Self::Array { length, within }, Value::Array(state)) if *length == state.len() => {
                for (place, unknown) in within {
                    if let Some(value) = state.get_mut(*place) {
                        unknown.put_back(value);
                    }
                }
            }
            (Self::Nothing | Self::Object { .. } | Self::Array { .. }, _) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn kept(known: &Value, found: &Value, mut written: Value) -> Value {
        Unknown::between(known, found).put_back(&mut written);
        written
    }

    #[test]
    fn unknown_fields_are_kept_at_every_depth() {
        let known = json!({"a": 1, "steps": [{"s": 1}, {"s": 2}]});
        let found = json!({"a": 1, "new": {"x": [1]}, "steps": [{"s": 1}, {"s": 2, "why": "so"}]});
        let written = json!({"a": 2, "steps": [{"s": 3}, {"s": 4}]});
        let expected = json!({"a": 2, "new": {"x": [1]}, "steps": [{"s": 3}, {"s": 4, "why": "so"}]});
        assert_eq!(kept(&known, &found, written), expected);
    }

    #[test]
    fn what_belonged_to_something_that_is_gone_goes_with_it() {
        let known = json!({"state": {"waiting": {"since": 1}}, "list": [{"a": 1}]});
        let found = json!({"state": {"waiting": {"since": 1, "why": "so"}}, "list": [{"a": 1, "b": 2}]});
        for written in [json!({"state": "done", "list": []}), json!({"state": {"running": {}}, "list": [{}, {}]})] {
            assert_eq!(kept(&known, &found, written.clone()), written);
        }
    }

    #[test]
    fn what_is_known_by_now_wins() {
        let written = json!({"a": null});
        assert_eq!(kept(&json!({}), &json!({"a": 1, "b": null}), written.clone()), written);
    }
}
