//! Modals: forms of text inputs that open over the Channel after a person ran a command or pressed something.
//!
//! Validated when the bot shows one, and again when a person submits what they typed.
//! <https://discord.com/developers/docs/components/reference#text-input>

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{api_error::Form, refused::Refused, snowflake::Snowflake};

/// The maximum length of an input's text.
const LONGEST: u64 = 4000;

/// A form shown to a person.
#[derive(Clone, Debug, PartialEq)]
pub struct Modal {
    /// The id that the bot receives when it is submitted.
    pub custom_id: String,
    /// Its title.
    pub title: String,
    /// Its inputs.
    pub inputs: Vec<Input>,
    /// The Message whose component was pressed, if one was.
    pub source: Option<Snowflake>,
}

/// One input of a form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Input {
    /// The id that the bot receives.
    pub custom_id: String,
    /// The label that people read.
    pub label: String,
    /// The prefilled value.
    pub value: String,
    /// The text shown while it is empty.
    pub placeholder: String,
    /// The minimum number of characters.
    pub shortest: u64,
    /// The maximum number of characters.
    pub longest: u64,
    /// Whether it must not be empty.
    pub required: bool,
    /// Whether it has several lines.
    pub is_long: bool,
}

impl Modal {
    /// Parses a form; errors are recorded.
    pub(super) fn read(json: &Value, source: Option<Snowflake>, form: &mut Form) -> Self {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        form.length("data.title", json["title"].as_str().unwrap_or_default(), 1..=45);
        form.length("data.custom_id", json["custom_id"].as_str().unwrap_or_default(), 1..=100);
        let rows = json["components"].as_array().map_or(&[][..], Vec::as_slice);
        if !(1..=5).contains(&rows.len()) {
            form.wrong("data.components", "BASE_TYPE_BAD_LENGTH", "Must be between 1 and 5 in length.");
        }
        let (mut inputs, mut ids) = (Vec::new(), BTreeSet::new());
        for (at, row) in rows.iter().enumerate() {
            let path = format!("data.components.{at}.components");
            let [input] = row["components"].as_array().map_or(&[][..], Vec::as_slice) else {
                form.wrong(path, "BASE_TYPE_BAD_LENGTH", "Must be 1 in length.");
                continue;
            };
            if row["type"] != 1 || input["type"] != 4 {
                form.wrong(format!("{path}.0.type"), "BASE_TYPE_CHOICES", "Value must be one of {4}.");
            }
            let input = Input::read(&format!("{path}.0"), input, form);
            if !ids.insert(input.custom_id.clone()) {
                let what = "Component custom id cannot be duplicated";
                form.wrong(format!("{path}.0.custom_id"), "COMPONENT_CUSTOM_ID_DUPLICATED", what);
            }
            inputs.push(input);
        }
        Self { custom_id: text(&json["custom_id"]), title: text(&json["title"]), inputs, source }
    }

    /// The data sent when a person has filled in the form, or an error if a client would not send it.
    pub(super) fn filled(&self, typed: &[(&str, &str)]) -> Result<Value, Refused> {
        if let Some((unknown, _)) = typed.iter().find(|(id, _)| self.inputs.iter().all(|input| input.custom_id != *id))
        {
            return Err(Refused::UnknownComponent((*unknown).to_owned()));
        }
        let mut rows = Vec::new();
        for input in &self.inputs {
            let given = typed.iter().find(|(id, _)| *id == input.custom_id);
            let value = given.map_or(input.value.as_str(), |(_, value)| value);
            let length = value.chars().count() as u64;
            if input.required && value.is_empty() {
                return Err(Refused::MissingOption(input.label.clone()));
            }
            if !value.is_empty() && !(input.shortest..=input.longest).contains(&length) {
                let wanted = format!("{} to {} characters", input.shortest, input.longest);
                return Err(Refused::BadValue { option: input.label.clone(), value: value.to_owned(), wanted });
            }
            rows.push((input.custom_id.as_str(), value));
        }
        Ok(submission(&self.custom_id, &rows))
    }
}

/// The data of a submitted form.
pub(super) fn submission(custom_id: &str, typed: &[(&str, &str)]) -> Value {
    let row = |(at, (id, value)): (usize, &(&str, &str))| {
        let input = json!({"type": 4, "id": 2 * at + 2, "custom_id": id, "value": value});
        json!({"type": 1, "id": 2 * at + 1, "components": [input]})
    };
    json!({"custom_id": custom_id, "components": typed.iter().enumerate().map(row).collect::<Value>()})
}

impl Input {
    fn read(path: &str, json: &Value, form: &mut Form) -> Self {
        let text = |key: &str| json[key].as_str().unwrap_or_default().to_owned();
        form.length(&format!("{path}.custom_id"), &text("custom_id"), 1..=100);
        form.length(&format!("{path}.label"), &text("label"), 1..=45);
        form.length(&format!("{path}.placeholder"), &text("placeholder"), 0..=100);
        form.length(&format!("{path}.value"), &text("value"), 0..=4000);
        if !matches!(json["style"].as_u64(), Some(1 | 2)) {
            form.wrong(format!("{path}.style"), "BASE_TYPE_CHOICES", "Value must be one of {1, 2}.");
        }
        let shortest = json["min_length"].as_u64().unwrap_or(0);
        let longest = json["max_length"].as_u64().unwrap_or(LONGEST);
        if shortest > LONGEST || !(1..=LONGEST).contains(&longest) || shortest > longest {
            let what = format!("int value should be between 1 and {LONGEST}.");
            form.wrong(format!("{path}.max_length"), "NUMBER_TYPE_MAX", what);
        }
        Self {
            custom_id: text("custom_id"),
            label: text("label"),
            value: text("value"),
            placeholder: text("placeholder"),
            shortest,
            longest,
            required: json["required"].as_bool().unwrap_or(true),
            is_long: json["style"] == 2,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &Value) -> (Modal, bool) {
        let mut form = Form::default();
        let modal = Modal::read(json, None, &mut form);
        (modal, form.done().is_ok())
    }

    fn form(change: impl FnOnce(&mut Value)) -> Value {
        let input = json!({"type": 4, "custom_id": "name", "style": 1, "label": "Name", "max_length": 5});
        let mut form = json!({"custom_id": "a", "title": "Launch", "components": [{"type": 1, "components": [input]}]});
        change(&mut form);
        form
    }

    #[test]
    fn a_form_has_a_title_of_45_and_one_to_five_inputs_with_different_ids() {
        assert!(read(&form(|_| {})).1);
        assert!(read(&form(|form| form["title"] = "x".repeat(45).into())).1);
        assert!(!read(&form(|form| form["title"] = "x".repeat(46).into())).1);
        assert!(!read(&form(|form| form["components"] = json!([]))).1);
        let twice = form(|form| form["components"] = json!([form["components"][0], form["components"][0]]));
        assert!(!read(&twice).1);
        for (key, value) in [("label", "x".repeat(46)), ("placeholder", "x".repeat(101)), ("custom_id", String::new())]
        {
            assert!(!read(&form(|form| form["components"][0]["components"][0][key] = value.into())).1, "{key}");
        }
    }

    #[test]
    fn what_does_not_fit_is_not_sent() {
        let (modal, _) = read(&form(|_| {}));
        assert_eq!(modal.filled(&[]), Err(Refused::MissingOption("Name".to_owned())));
        assert!(matches!(modal.filled(&[("name", "too long")]), Err(Refused::BadValue { .. })));
        assert_eq!(modal.filled(&[("size", "a")]), Err(Refused::UnknownComponent("size".to_owned())));
        let sent = modal.filled(&[("name", "web-2")]).unwrap();
        assert_eq!(sent["components"][0]["components"][0]["value"], "web-2");
    }
}
