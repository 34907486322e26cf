//! Invalid answers: broken JSON, wrong types, nulls, and false content.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::http_types::Answer;

/// How an answer is broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Malformation {
    /// The JSON is truncated.
    Truncated,
    /// An HTML page instead of JSON.
    Html,
    /// No body.
    Empty,
    /// Numbers become strings, strings become numbers, lists become objects.
    WrongTypes,
    /// Every value of every object is null.
    Nulls,
    /// An empty object.
    NoFields,
}

/// Breaks an answer.
pub(super) fn malform(answer: &mut Answer, how: Malformation) {
    answer.body = match how {
        Malformation::Truncated => answer.body[..answer.body.len() / 2].to_vec(),
        Malformation::Html => b"<html><body><h1>502 Bad Gateway</h1></body></html>".to_vec(),
        Malformation::Empty => Vec::new(),
        Malformation::NoFields => b"{}".to_vec(),
        Malformation::WrongTypes => rewrite(answer, wrong_type),
        Malformation::Nulls => rewrite(answer, |_| Value::Null),
    };
}

/// Replaces every leaf of the body.
fn rewrite(answer: &Answer, leaf: fn(&Value) -> Value) -> Vec<u8> {
    let mut body = answer.json();
    replace(&mut body, leaf);
    body.to_string().into_bytes()
}

fn replace(value: &mut Value, leaf: fn(&Value) -> Value) {
    match value {
        Value::Object(fields) => fields.values_mut().for_each(|field| replace(field, leaf)),
        Value::Array(items) => items.iter_mut().for_each(|item| replace(item, leaf)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => *value = leaf(value),
    }
}

fn wrong_type(leaf: &Value) -> Value {
    match leaf {
        Value::Number(_) => Value::from("not a number"),
        Value::String(_) => Value::from(42),
        Value::Bool(_) => Value::from("perhaps"),
        Value::Null | Value::Array(_) | Value::Object(_) => Value::from(-1),
    }
}

/// Turns an answer into one about another Droplet.
pub(super) fn lie(answer: &mut Answer) {
    let mut body = answer.json();
    let Some(fields) = body.as_object_mut() else { return };
    for (name, value) in fields {
        let key = if name.starts_with("droplet") { "id" } else { "resource_id" };
        match value {
            Value::Array(items) => items.iter_mut().for_each(|item| shift(item, key)),
            other => shift(other, key),
        }
    }
    answer.body = body.to_string().into_bytes();
}

fn shift(object: &mut Value, key: &str) {
    let Some(field) = object.get_mut(key) else { return };
    match field {
        Value::Number(number) => *field = Value::from(number.as_u64().unwrap_or_default() + 1_000_000),
        Value::String(text) => *field = Value::from(format!("1{text}")),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::digitalocean::http_types::Delivery;

    fn answer(body: &Value) -> Answer {
        Answer { status: 200, headers: Vec::new(), body: body.to_string().into_bytes(), delivery: Delivery::Prompt }
    }

    #[test]
    fn a_lie_names_another_droplet() {
        let mut told = answer(&json!({"action": {"id": 7, "resource_id": 3}}));
        lie(&mut told);
        assert_eq!(told.json(), json!({"action": {"id": 7, "resource_id": 1_000_003}}));
    }

    #[test]
    fn wrong_types_keep_the_shape() {
        let mut told = answer(&json!({"droplets": [{"id": 7, "name": "a"}]}));
        malform(&mut told, Malformation::WrongTypes);
        assert_eq!(told.json(), json!({"droplets": [{"id": "not a number", "name": 42}]}));
    }
}
