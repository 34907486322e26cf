//! Which application commands Discord accepts: names, lengths, numbers and the order of options.
//!
//! Called when commands are registered; knows nothing of the world.
//! <https://discord.com/developers/docs/interactions/application-commands#application-command-object>

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::api_error::Form;

const OPTIONS: usize = 25;
const TOGETHER: usize = 8000;

/// Option type: a subcommand.
pub(super) const SUBCOMMAND: u64 = 1;
/// Option type: a group of subcommands.
pub(super) const GROUP: u64 = 2;
/// Option type: text.
pub(super) const STRING: u64 = 3;
/// Option type: a whole number.
pub(super) const INTEGER: u64 = 4;
/// Option type: any number.
pub(super) const NUMBER: u64 = 10;
const ATTACHMENT: u64 = 11;

/// Records what is wrong with a command.
pub(super) fn check(path: &str, command: &Value, form: &mut Form) {
    let kind = command["type"].as_u64().unwrap_or(1);
    let at = |key: &str| join(path, key);
    match kind {
        1 => {
            name(&at("name"), &command["name"], form);
            description(&at("description"), &command["description"], form);
            options(&at("options"), &command["options"], form, 0);
        }
        2 | 3 => {
            if let Some(text) = command["name"].as_str() {
                form.length(&at("name"), text, 1..=32);
            } else {
                form.required(at("name"));
            }
            if command["description"].as_str().is_some_and(|text| !text.is_empty()) {
                let what = "Context menu commands cannot have description";
                form.wrong(at("description"), "APPLICATION_COMMAND_CONTEXT_MENU_DESCRIPTION_NOT_ALLOWED", what);
            }
        }
        _ => form.wrong(at("type"), "BASE_TYPE_CHOICES", "Value must be one of {1, 2, 3}."),
    }
    if characters(command) > TOGETHER {
        let what = format!("Command exceeds maximum size ({TOGETHER})");
        form.wrong(path, "APPLICATION_COMMAND_TOO_LARGE", what);
    }
}

/// An option as Discord returns it: values that are null or false by default are omitted.
pub(super) fn kept_option(option: &Value) -> Value {
    let mut kept = json!({});
    for (key, value) in option.as_object().into_iter().flatten() {
        let unsaid = value.is_null()
            || (key == "required" || key == "autocomplete") && value == false
            || (key == "options" || key == "choices" || key == "channel_types")
                && value.as_array().is_some_and(Vec::is_empty);
        if unsaid {
            continue;
        }
        kept[key] = match (key.as_str(), value.as_array()) {
            ("options", Some(below)) => below.iter().map(kept_option).collect(),
            _ => value.clone(),
        };
    }
    kept
}

fn join(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}

/// `^[-_'\p{L}\p{N}]{1,32}$`, in lower case if the letters have one.
fn name(path: &str, name: &Value, form: &mut Form) {
    let Some(text) = name.as_str() else {
        form.required(path);
        return;
    };
    form.length(path, text, 1..=32);
    let fine = |c: char| matches!(c, '-' | '_' | '\'') || c.is_alphanumeric();
    if !text.chars().all(fine) || text.to_lowercase() != text {
        form.wrong(path, "APPLICATION_COMMAND_INVALID_NAME", "Command name is invalid");
    }
}

fn description(path: &str, description: &Value, form: &mut Form) {
    match description.as_str() {
        Some(text) => form.length(path, text, 1..=100),
        None => form.required(path),
    }
}

fn options(path: &str, list: &Value, form: &mut Form, depth: u64) {
    let list = list.as_array().map_or(&[][..], Vec::as_slice);
    if list.len() > OPTIONS {
        form.wrong(path, "BASE_TYPE_MAX_LENGTH", format!("Must be {OPTIONS} or fewer in length."));
    }
    let mut names = BTreeSet::new();
    let mut optional_seen = false;
    for (at, option) in list.iter().enumerate() {
        let path = format!("{path}.{at}");
        let kind = option["type"].as_u64().unwrap_or(0);
        name(&format!("{path}.name"), &option["name"], form);
        description(&format!("{path}.description"), &option["description"], form);
        if !(SUBCOMMAND..=ATTACHMENT).contains(&kind) {
            let what = "Value must be one of {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}.";
            form.wrong(format!("{path}.type"), "BASE_TYPE_CHOICES", what);
        }
        if !names.insert(option["name"].as_str()) {
            let what = "Option name already exists in this options array";
            form.wrong(format!("{path}.name"), "APPLICATION_COMMAND_OPTIONS_NAME_ALREADY_EXISTS", what);
        }
        let below = matches!(kind, SUBCOMMAND | GROUP);
        if below && (kind == GROUP && depth > 0 || depth > 1) {
            let what = "Sub-command groups may only be on the first level";
            form.wrong(format!("{path}.type"), "APPLICATION_COMMAND_OPTIONS_TYPE_INVALID", what);
        }
        let required = option["required"] == true;
        if required && optional_seen {
            let what = "Required options must be placed before non-required options";
            form.wrong(&path, "APPLICATION_COMMAND_OPTIONS_REQUIRED_INVALID", what);
        }
        optional_seen |= !required && !below;
        if below {
            // A subcommand in the place of a group: its own options must be plain.
            let depth = if kind == GROUP { 1 } else { 2 };
            options(&format!("{path}.options"), &option["options"], form, depth);
        }
        choices(&path, option, kind, form);
    }
    let below = list.iter().filter(|option| matches!(option["type"].as_u64(), Some(SUBCOMMAND | GROUP))).count();
    if below != 0 && below != list.len() {
        let what = "Sub-commands and plain options cannot be mixed";
        form.wrong(path, "APPLICATION_COMMAND_OPTIONS_TYPE_INVALID", what);
    }
}

fn choices(path: &str, option: &Value, kind: u64, form: &mut Form) {
    let list = option["choices"].as_array().map_or(&[][..], Vec::as_slice);
    if list.len() > OPTIONS {
        form.wrong(format!("{path}.choices"), "BASE_TYPE_MAX_LENGTH", "Must be 25 or fewer in length.");
    }
    if option["autocomplete"] == true && (!list.is_empty() || !matches!(kind, STRING | INTEGER | NUMBER)) {
        let what = "autocomplete may not be set to true if choices are present";
        form.wrong(format!("{path}.autocomplete"), "APPLICATION_COMMAND_OPTIONS_AUTOCOMPLETE_INVALID", what);
    }
    for (at, choice) in list.iter().enumerate() {
        self::choice(&format!("{path}.choices.{at}"), choice, form);
    }
}

/// Records what is wrong with a choice, whether registered or offered by autocomplete.
pub(super) fn choice(path: &str, choice: &Value, form: &mut Form) {
    match choice["name"].as_str() {
        Some(text) => form.length(&format!("{path}.name"), text, 1..=100),
        None => form.required(format!("{path}.name")),
    }
    match &choice["value"] {
        Value::String(text) => form.length(&format!("{path}.value"), text, 1..=100),
        Value::Number(_) => {}
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => form.required(format!("{path}.value")),
    }
}

/// The characters of names, descriptions and choices' values of a command and everything below it; of translations the longest.
fn characters(node: &Value) -> usize {
    let length = |text: &Value| text.as_str().map_or(0, |text| text.chars().count());
    let longest = |key: &str, translations: &str| {
        let others = node[translations].as_object().into_iter().flatten().map(|(_, text)| length(text));
        others.chain([length(&node[key])]).max().unwrap_or(0)
    };
    let below = ["options", "choices"].into_iter().filter_map(|key| node[key].as_array()).flatten();
    longest("name", "name_localizations")
        + longest("description", "description_localizations")
        + length(&node["value"])
        + below.map(characters).sum::<usize>()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn errors(command: &Value) -> Value {
        let mut form = Form::default();
        check("", command, &mut form);
        form.done().map_or_else(|error| error.body()["errors"].clone(), |()| Value::Null)
    }

    fn option(name: &str, required: bool) -> Value {
        json!({"type": 3, "name": name, "description": "d", "required": required})
    }

    #[test]
    fn names_are_lower_case_words_of_at_most_32_characters() {
        let named = |name: &str| errors(&json!({"name": name, "description": "d"}));
        for fine in ["snapshot", "if-hung", "größe", "日本"] {
            assert_eq!(named(fine), Value::Null, "{fine}");
        }
        for wrong in ["Snapshot", "two words", "", "a/b", &"x".repeat(33)] {
            assert_ne!(named(wrong), Value::Null, "{wrong}");
        }
    }

    #[test]
    fn a_description_has_1_to_100_characters() {
        let described = |text: String| errors(&json!({"name": "a", "description": text}));
        assert_eq!(described("x".repeat(100)), Value::Null);
        assert_ne!(described("x".repeat(101)), Value::Null);
        assert_ne!(described(String::new()), Value::Null);
    }

    #[test]
    fn required_options_come_first_and_there_are_at_most_25() {
        let with = |options: Vec<Value>| errors(&json!({"name": "a", "description": "d", "options": options}));
        assert_eq!(with(vec![option("a", true), option("b", false)]), Value::Null);
        let wrong = with(vec![option("a", false), option("b", true)]);
        assert_eq!(wrong["options"]["1"]["_errors"][0]["code"], "APPLICATION_COMMAND_OPTIONS_REQUIRED_INVALID");
        assert_ne!(with((0..26).map(|at| option(&format!("o{at}"), false)).collect()), Value::Null);
        assert_ne!(with(vec![option("a", false), option("a", false)]), Value::Null);
    }

    #[test]
    fn a_command_holds_8000_characters() {
        let options: Vec<_> = (0..25)
            .map(|at| {
                let choices: Vec<_> =
                    (0..4).map(|choice| json!({"name": format!("{choice}"), "value": "x".repeat(80)})).collect();
                json!({"type": 3, "name": format!("o{at}"), "description": "d", "choices": choices})
            })
            .collect();
        let wrong = errors(&json!({"name": "a", "description": "d", "options": options}));
        assert_eq!(wrong["_errors"][0]["code"], "APPLICATION_COMMAND_TOO_LARGE");
    }
}
