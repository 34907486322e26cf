//! Embeds: validated against Discord's limits and converted to the form in which Discord returns them.
//!
//! Called for every Message body; knows nothing of the world.
//! <https://discord.com/developers/docs/resources/message#embed-object-embed-limits>

use serde_json::{Map, Value, json};

use super::api_error::Form;

const MOST: usize = 10;
const TITLE: usize = 256;
const DESCRIPTION: usize = 4096;
const FIELDS: usize = 25;
const FIELD_NAME: usize = 256;
const FIELD_VALUE: usize = 1024;
const FOOTER: usize = 2048;
const AUTHOR: usize = 256;
const TOGETHER: usize = 6000;

/// The embeds as Discord stores them; errors are recorded in the form.
pub(super) fn normalised(embeds: &Value, form: &mut Form) -> Vec<Value> {
    let list = match embeds {
        Value::Null => return Vec::new(),
        Value::Array(list) => list,
        _ => {
            form.wrong("embeds", "BASE_TYPE_BAD_TYPE", "Only iterables may be used in a ListType");
            return Vec::new();
        }
    };
    if list.len() > MOST {
        form.wrong("embeds", "BASE_TYPE_MAX_LENGTH", format!("Must be {MOST} or fewer in length."));
    }
    let kept: Vec<_> = list.iter().enumerate().map(|(at, embed)| one(&format!("embeds.{at}"), embed, form)).collect();
    // The limit applies to all embeds of one Message together.
    if kept.iter().map(characters).sum::<usize>() > TOGETHER {
        form.wrong("embeds", "MAX_EMBED_SIZE_EXCEEDED", format!("Embed size exceeds maximum size of {TOGETHER}"));
    }
    kept
}

fn one(path: &str, embed: &Value, form: &mut Form) -> Value {
    let mut kept = Map::from_iter([("type".to_owned(), json!("rich"))]);
    let mut text = |key: &str, most: usize, form: &mut Form| {
        if let Some(text) = trimmed(&embed[key]) {
            form.length(&format!("{path}.{key}"), &text, 0..=most);
            kept.insert(key.to_owned(), text.into());
        }
    };
    text("title", TITLE, form);
    text("description", DESCRIPTION, form);
    text("url", 2048, form);
    if let Some(colour) = embed["color"].as_i64() {
        if !(0..=0xFF_FFFF).contains(&colour) {
            form.wrong(
                format!("{path}.color"),
                "NUMBER_TYPE_MAX",
                "int value should be less than or equal to 16777215.",
            );
        }
        kept.insert("color".to_owned(), colour.into());
    }
    if let Some(time) = embed["timestamp"].as_str() {
        if let Ok(time) = time.parse::<jiff::Timestamp>() {
            kept.insert("timestamp".to_owned(), time.to_string().into());
        } else {
            let what = format!("Could not parse {time}. Should be ISO8601.");
            form.wrong(format!("{path}.timestamp"), "DATE_TIME_TYPE_PARSE", what);
        }
    }
    if let Some(footer) = trimmed(&embed["footer"]["text"]) {
        form.length(&format!("{path}.footer.text"), &footer, 0..=FOOTER);
        kept.insert("footer".to_owned(), json!({"text": footer}));
    }
    if let Some(author) = trimmed(&embed["author"]["name"]) {
        form.length(&format!("{path}.author.name"), &author, 0..=AUTHOR);
        kept.insert("author".to_owned(), json!({"name": author}));
    }
    for picture in ["image", "thumbnail"] {
        if let Some(url) = embed[picture]["url"].as_str() {
            kept.insert(picture.to_owned(), json!({"url": url}));
        }
    }
    let fields = fields(path, &embed["fields"], form);
    if !fields.is_empty() {
        kept.insert("fields".to_owned(), fields.into());
    }
    if kept.len() == 1 {
        form.required(format!("{path}.description"));
    }
    Value::Object(kept)
}

fn fields(path: &str, fields: &Value, form: &mut Form) -> Vec<Value> {
    let Some(list) = fields.as_array() else { return Vec::new() };
    if list.len() > FIELDS {
        form.wrong(format!("{path}.fields"), "BASE_TYPE_MAX_LENGTH", format!("Must be {FIELDS} or fewer in length."));
    }
    let mut kept = Vec::new();
    for (at, field) in list.iter().enumerate() {
        let mut part = |key: &str, most: usize| {
            let path = format!("{path}.fields.{at}.{key}");
            let text = trimmed(&field[key]);
            match &text {
                Some(text) => form.length(&path, text, 0..=most),
                None => form.required(path),
            }
            text
        };
        let (name, value) = (part("name", FIELD_NAME), part("value", FIELD_VALUE));
        kept.push(json!({"name": name, "value": value, "inline": field["inline"].as_bool().unwrap_or(false)}));
    }
    kept
}

/// Discord trims texts and treats an empty one as absent.
fn trimmed(text: &Value) -> Option<String> {
    text.as_str().map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned)
}

fn characters(embed: &Value) -> usize {
    let of = |text: &Value| text.as_str().map_or(0, |text| text.chars().count());
    let fields = embed["fields"].as_array().into_iter().flatten();
    of(&embed["title"])
        + of(&embed["description"])
        + of(&embed["footer"]["text"])
        + of(&embed["author"]["name"])
        + fields.map(|field| of(&field["name"]) + of(&field["value"])).sum::<usize>()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn errors(embeds: &Value) -> Value {
        let mut form = Form::default();
        normalised(embeds, &mut form);
        form.done().map_or_else(|error| error.body()["errors"].clone(), |()| Value::Null)
    }

    #[test]
    fn each_limit_is_exact() {
        for (field, most) in [("title", TITLE), ("description", DESCRIPTION)] {
            assert_eq!(errors(&json!([{field: "ä".repeat(most)}])), Value::Null);
            let wrong = errors(&json!([{field: "ä".repeat(most + 1)}]));
            assert_eq!(wrong["embeds"]["0"][field]["_errors"][0]["code"], "BASE_TYPE_MAX_LENGTH");
        }
        let fields = |count: usize| json!([{"fields": vec![json!({"name": "a", "value": "b"}); count]}]);
        assert_eq!(errors(&fields(25)), Value::Null);
        assert_ne!(errors(&fields(26)), Value::Null);
    }

    #[test]
    fn all_embeds_together_hold_6000_characters() {
        let long = |last: usize| json!([{"description": "x".repeat(4096)}, {"description": "x".repeat(last)}]);
        assert_eq!(errors(&long(1904)), Value::Null);
        assert_eq!(errors(&long(1905))["embeds"]["_errors"][0]["code"], "MAX_EMBED_SIZE_EXCEEDED");
    }

    #[test]
    fn a_field_needs_name_and_value() {
        let wrong = errors(&json!([{"fields": [{"name": " ", "value": "b"}]}]));
        assert_eq!(wrong["embeds"]["0"]["fields"]["0"]["name"]["_errors"][0]["code"], "BASE_TYPE_REQUIRED");
    }
}
