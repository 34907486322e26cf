//! Components: rows of buttons and select menus, validated and converted to the form in which Discord returns them.
//!
//! Called for every Message body, and by simulated users to find what can be pressed. Components V2 are not simulated.
//! <https://discord.com/developers/docs/components/reference>

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::api_error::Form;

const ROW: u64 = 1;
const BUTTON: u64 = 2;
const STRING_SELECT: u64 = 3;
const LINK_STYLE: u64 = 5;

/// The rows as Discord stores them; errors are recorded in the form.
pub(super) fn normalised(components: &Value, form: &mut Form) -> Vec<Value> {
    let Some(rows) = components.as_array() else { return Vec::new() };
    if rows.len() > 5 {
        form.wrong("components", "BASE_TYPE_MAX_LENGTH", "Must be 5 or fewer in length.");
    }
    let mut checker = Checker { form, ids: BTreeSet::new(), next: 0 };
    rows.iter().enumerate().map(|(at, row)| checker.row(&format!("components.{at}"), row)).collect()
}

/// The component with this custom id in a Message's rows.
pub(super) fn find<'a>(rows: &'a [Value], custom_id: &str) -> Option<&'a Value> {
    all(rows).find(|component| component["custom_id"] == custom_id)
}

/// Every button and menu of a Message, in order.
pub(super) fn all(rows: &[Value]) -> impl Iterator<Item = &Value> {
    rows.iter().filter_map(|row| row["components"].as_array()).flatten()
}

struct Checker<'a> {
    form: &'a mut Form,
    ids: BTreeSet<String>,
    next: u64,
}

impl Checker<'_> {
    fn number(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    fn row(&mut self, path: &str, row: &Value) -> Value {
        let id = self.number();
        if row["type"] != ROW {
            self.form.wrong(format!("{path}.type"), "BASE_TYPE_CHOICES", "Value must be one of {1}.");
        }
        let parts = row["components"].as_array().map_or(&[][..], Vec::as_slice);
        let width: usize = parts.iter().map(|part| if part["type"] == BUTTON { 1 } else { 5 }).sum();
        if parts.is_empty() {
            let what = "Must be between 1 and 5 in length.";
            self.form.wrong(format!("{path}.components"), "BASE_TYPE_BAD_LENGTH", what);
        } else if width > 5 {
            let what = "The specified components exceed the maximum width";
            self.form.wrong(format!("{path}.components"), "COMPONENT_LAYOUT_WIDTH_EXCEEDED", what);
        }
        let kept: Vec<_> = parts
            .iter()
            .enumerate()
            .map(|(at, part)| {
                let path = format!("{path}.components.{at}");
                match part["type"].as_u64() {
                    Some(BUTTON) => self.button(&path, part),
                    Some(STRING_SELECT) => self.select(&path, part),
                    _ => {
                        let what = "Value must be one of {2, 3}.";
                        self.form.wrong(format!("{path}.type"), "UNION_TYPE_CHOICES", what);
                        Value::Null
                    }
                }
            })
            .collect();
        json!({"type": ROW, "id": id, "components": kept})
    }

    fn button(&mut self, path: &str, button: &Value) -> Value {
        let mut kept = json!({"type": BUTTON, "id": self.number(), "style": button["style"]});
        let style = button["style"].as_u64();
        match style {
            Some(1..=4) => {
                let custom_id = self.custom_id(path, button);
                kept["custom_id"] = custom_id.into();
                if !button["url"].is_null() {
                    let what = "A url and custom id cannot both be specified";
                    self.form.wrong(path, "BUTTON_COMPONENT_CUSTOM_ID_URL_MUTUALLY_EXCLUSIVE", what);
                }
            }
            Some(LINK_STYLE) => match button["url"].as_str().map(url::Url::parse) {
                Some(Ok(address)) if ["http", "https", "discord"].contains(&address.scheme()) => {
                    kept["url"] = address.as_str().into();
                }
                Some(_) => self.form.wrong(format!("{path}.url"), "URL_TYPE_INVALID_URL", "Not a well formed URL."),
                None => self.form.wrong(path, "BUTTON_COMPONENT_URL_REQUIRED", "A url is required"),
            },
            _ => self.form.wrong(format!("{path}.style"), "BASE_TYPE_CHOICES", "Value must be one of {1, 2, 3, 4, 5}."),
        }
        if let Some(label) = button["label"].as_str() {
            self.form.length(&format!("{path}.label"), label, 0..=80);
            kept["label"] = label.into();
        }
        if button["emoji"].is_object() {
            kept["emoji"] = self.emoji(path, &button["emoji"]);
        }
        if button["label"].as_str().is_none_or(str::is_empty) && !button["emoji"].is_object() {
            let what = "A label or emoji is required";
            self.form.wrong(path, "BUTTON_COMPONENT_EMOJI_OR_LABEL_REQUIRED", what);
        }
        if button["disabled"].as_bool() == Some(true) {
            kept["disabled"] = true.into();
        }
        kept
    }

    fn select(&mut self, path: &str, menu: &Value) -> Value {
        let custom_id = self.custom_id(path, menu);
        let options = menu["options"].as_array().map_or(&[][..], Vec::as_slice);
        if !(1..=25).contains(&options.len()) {
            let what = "Must be between 1 and 25 in length.";
            self.form.wrong(format!("{path}.options"), "BASE_TYPE_BAD_LENGTH", what);
        }
        let (least, most) = (menu["min_values"].as_u64().unwrap_or(1), menu["max_values"].as_u64().unwrap_or(1));
        if least > 25 || !(1..=25).contains(&most) || least > most || most > options.len().max(1) as u64 {
            let what = "int value should be between min_values and the number of options.";
            self.form.wrong(format!("{path}.max_values"), "NUMBER_TYPE_MAX", what);
        }
        let preselected = options.iter().filter(|option| option["default"] == true).count() as u64;
        if preselected > most {
            let what = "The number of default options exceeds max_values";
            self.form.wrong(format!("{path}.options"), "SELECT_COMPONENT_TOO_MANY_DEFAULT_VALUES", what);
        }
        let mut values = BTreeSet::new();
        for (at, option) in options.iter().enumerate() {
            for key in ["label", "value"] {
                let path = format!("{path}.options.{at}.{key}");
                match option[key].as_str() {
                    Some(text) => self.form.length(&path, text, 1..=100),
                    None => self.form.required(path),
                }
            }
            if let Some(text) = option["description"].as_str() {
                self.form.length(&format!("{path}.options.{at}.description"), text, 0..=100);
            }
            if option["emoji"].is_object() {
                self.emoji(&format!("{path}.options.{at}"), &option["emoji"]);
            }
            if !values.insert(option["value"].as_str()) {
                let what = "The specified option value is already used";
                self.form.wrong(format!("{path}.options.{at}.value"), "SELECT_COMPONENT_OPTION_VALUE_DUPLICATED", what);
            }
        }
        if let Some(placeholder) = menu["placeholder"].as_str() {
            self.form.length(&format!("{path}.placeholder"), placeholder, 0..=150);
        }
        let mut kept = json!({
            "type": STRING_SELECT, "id": self.number(), "custom_id": custom_id,
            "min_values": least, "max_values": most, "options": options,
        });
        for optional in ["placeholder", "disabled"] {
            if !menu[optional].is_null() {
                kept[optional] = menu[optional].clone();
            }
        }
        kept
    }

    fn custom_id(&mut self, path: &str, component: &Value) -> String {
        let path = format!("{path}.custom_id");
        let Some(id) = component["custom_id"].as_str() else {
            self.form.required(path);
            return String::new();
        };
        self.form.length(&path, id, 1..=100);
        if !self.ids.insert(id.to_owned()) {
            self.form.wrong(path, "COMPONENT_CUSTOM_ID_DUPLICATED", "Component custom id cannot be duplicated");
        }
        id.to_owned()
    }

    /// A custom emoji has an id. Any other must be a Unicode emoji; the check only rejects plain text.
    fn emoji(&mut self, path: &str, emoji: &Value) -> Value {
        let name = emoji["name"].as_str().unwrap_or_default();
        if emoji["id"].is_null() && (name.is_empty() || name.chars().any(char::is_alphabetic)) {
            self.form.wrong(format!("{path}.emoji.name"), "COMPONENT_INVALID_EMOJI", "Invalid emoji");
        }
        let mut kept = json!({"name": name});
        if !emoji["id"].is_null() {
            kept["id"] = emoji["id"].clone();
        }
        kept
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn errors(components: &Value) -> Value {
        let mut form = Form::default();
        normalised(components, &mut form);
        form.done().map_or_else(|error| error.body()["errors"].clone(), |()| Value::Null)
    }

    fn button(id: &str) -> Value {
        json!({"type": 2, "style": 1, "label": "Go", "custom_id": id})
    }

    #[test]
    fn five_buttons_fit_in_a_row_and_five_rows_in_a_message() {
        let rows = |rows: usize, wide: usize| {
            let row = |at: usize| {
                let buttons: Vec<_> = (0..wide).map(|column| button(&format!("{at}-{column}"))).collect();
                json!({"type": 1, "components": buttons})
            };
            (0..rows).map(row).collect::<Value>()
        };
        assert_eq!(errors(&rows(5, 5)), Value::Null);
        assert_ne!(errors(&rows(5, 6)), Value::Null);
        assert_ne!(errors(&rows(6, 5)), Value::Null);
    }

    #[test]
    fn a_custom_id_is_unique_and_of_1_to_100_characters() {
        let row =
            |ids: &[&str]| json!([{"type": 1, "components": ids.iter().map(|id| button(id)).collect::<Vec<_>>()}]);
        assert_eq!(errors(&row(&["a", &"x".repeat(100)])), Value::Null);
        assert_ne!(errors(&row(&[""])), Value::Null);
        assert_ne!(errors(&row(&[&"x".repeat(101)])), Value::Null);
        let twice = errors(&row(&["a", "a"]));
        let code = &twice["components"]["0"]["components"]["1"]["custom_id"]["_errors"][0]["code"];
        assert_eq!(code, "COMPONENT_CUSTOM_ID_DUPLICATED");
    }

    #[test]
    fn a_menu_has_1_to_25_options_with_texts_that_fit_and_values_that_differ() {
        let menu = |options: Vec<Value>| {
            errors(&json!([{"type": 1, "components": [{"type": 3, "custom_id": "a", "options": options}]}]))
        };
        let option = |value: usize| json!({"label": "x".repeat(100), "value": value.to_string(), "description": "x".repeat(100)});
        assert_eq!(menu((0..25).map(option).collect()), Value::Null);
        assert_ne!(menu((0..26).map(option).collect()), Value::Null);
        assert_ne!(menu(Vec::new()), Value::Null);
        assert_ne!(menu(vec![option(1), option(1)]), Value::Null);
        for (key, length) in [("label", 101), ("value", 101), ("description", 101), ("label", 0)] {
            let mut option = option(1);
            option[key] = "x".repeat(length).into();
            assert_ne!(menu(vec![option]), Value::Null, "{key} of {length}");
        }
        let with = |key: &str, value: Value| {
            let mut menu = json!({"type": 3, "custom_id": "a", "options": [option(1), option(2)]});
            menu[key] = value;
            errors(&json!([{"type": 1, "components": [menu]}]))
        };
        assert_eq!(with("max_values", 2.into()), Value::Null);
        assert_ne!(with("max_values", 3.into()), Value::Null);
        assert_ne!(with("min_values", 2.into()), Value::Null);
        assert_ne!(with("placeholder", "x".repeat(151).into()), Value::Null);
        let both =
            json!({"type": 1, "components": [{"type": 3, "custom_id": "a", "options": [option(1)]}, button("b")]});
        assert_ne!(errors(&json!([both])), Value::Null, "a menu fills its row");
    }

    #[test]
    fn a_button_needs_a_label_of_at_most_80_characters_or_an_emoji() {
        let with = |key: &str, value: Value| {
            let mut button = json!({"type": 2, "style": 4, "custom_id": "a"});
            button[key] = value;
            json!([{"type": 1, "components": [button]}])
        };
        assert_eq!(errors(&with("label", "x".repeat(80).into())), Value::Null);
        assert_ne!(errors(&with("label", "x".repeat(81).into())), Value::Null);
        assert_eq!(errors(&with("emoji", json!({"name": "🛑"}))), Value::Null);
        assert_ne!(errors(&with("emoji", json!({"name": "stop"}))), Value::Null);
        assert_ne!(errors(&with("disabled", false.into())), Value::Null);
    }
}
