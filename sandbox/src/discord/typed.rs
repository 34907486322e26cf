//! Parses what a person types after a slash as Discord's client does: words, options, values of the right type.
//!
//! Called by simulated users; knows commands, not the gateway.

use serde_json::Value;

use super::{
    command::Leaf,
    command_form::{INTEGER, NUMBER, STRING},
    refused::Refused,
    snowflake::Snowflake,
    world::World,
};

/// A parsed line.
#[derive(Debug, PartialEq)]
pub(super) struct Typed {
    pub(super) path: Vec<String>,
    pub(super) options: Vec<(String, String)>,
}

/// Parses `/snapshot take droplet:web-1 name:before the update`: a value extends to the next option's name.
pub(super) fn parse(line: &str, offered: &[Leaf]) -> Result<Typed, Refused> {
    let words: Vec<&str> = line.trim().trim_start_matches('/').split(' ').collect();
    let fitting = offered.iter().filter(|leaf| words.len() >= leaf.path.len() && words[..leaf.path.len()] == leaf.path);
    let leaf = fitting.max_by_key(|leaf| leaf.path.len());
    let leaf = leaf.ok_or_else(|| Refused::UnknownCommand(words.join(" ")))?;
    let mut options: Vec<(String, String)> = Vec::new();
    for word in &words[leaf.path.len()..] {
        let known = word.split_once(':').filter(|(name, _)| leaf.options.iter().any(|option| option["name"] == *name));
        match (known, options.last_mut()) {
            (Some((name, start)), _) => options.push((name.to_owned(), start.to_owned())),
            (None, Some((_, value))) => {
                value.push(' ');
                value.push_str(word);
            }
            (None, None) => return Err(Refused::UnknownOption((*word).to_owned())),
        }
    }
    Ok(Typed { path: leaf.path.clone(), options })
}

/// The value that the client sends for an option, or why it would refuse to.
pub(super) fn value(world: &World, channel: Snowflake, option: &Value, given: &Value) -> Result<Value, Refused> {
    let bad = |wanted: String| Refused::BadValue {
        option: option["name"].as_str().unwrap_or_default().to_owned(),
        value: given.as_str().map_or_else(|| given.to_string(), str::to_owned),
        wanted,
    };
    if let Some(choices) = option["choices"].as_array().filter(|choices| !choices.is_empty()) {
        let picked = choices.iter().find(|choice| choice["value"] == *given || choice["name"] == *given);
        return picked.map(|choice| choice["value"].clone()).ok_or_else(|| bad("one of the choices".to_owned()));
    }
    let text = given.as_str();
    match option["type"].as_u64().unwrap_or(0) {
        STRING => {
            let text = text.ok_or_else(|| bad("text".to_owned()))?;
            let length = text.chars().count() as u64;
            let least = option["min_length"].as_u64().unwrap_or(1);
            let most = option["max_length"].as_u64().unwrap_or(6000);
            let fits = (least..=most).contains(&length);
            if fits { Ok(given.clone()) } else { Err(bad(format!("{least} to {most} characters"))) }
        }
        INTEGER => {
            let number =
                given.as_i64().or_else(|| text?.parse().ok()).ok_or_else(|| bad("a whole number".to_owned()))?;
            let fits = option["min_value"].as_i64().is_none_or(|least| number >= least)
                && option["max_value"].as_i64().is_none_or(|most| number <= most);
            if fits { Ok(number.into()) } else { Err(bad("a number within bounds".to_owned())) }
        }
        NUMBER => {
            let number = given.as_f64().or_else(|| text?.parse().ok()).ok_or_else(|| bad("a number".to_owned()))?;
            let fits = option["min_value"].as_f64().is_none_or(|least| number >= least)
                && option["max_value"].as_f64().is_none_or(|most| number <= most);
            if fits { Ok(number.into()) } else { Err(bad("a number within bounds".to_owned())) }
        }
        5 => given
            .as_bool()
            .or_else(|| text?.to_lowercase().parse().ok())
            .map(Value::from)
            .ok_or_else(|| bad("true or false".to_owned())),
        6..=9 => text
            .and_then(|text| named(world, channel, text))
            .map(Value::from)
            .ok_or_else(|| bad("somebody or something of this Guild".to_owned())),
        _ => Err(bad("a type that the sandbox knows".to_owned())),
    }
}

/// A user, Channel or Role by id, mention or name.
fn named(world: &World, channel: Snowflake, text: &str) -> Option<Snowflake> {
    if let Ok(id) = text.trim_matches(['<', '>', '@', '#', '&', '!']).parse() {
        return Some(id);
    }
    let plain = text.trim_start_matches(['@', '#']);
    let guild = world.channels.get(&channel).and_then(|channel| channel.guild);
    let role = || {
        let roles = &world.guilds.get(&guild?)?.roles;
        roles.values().find(|role| role.name == plain).map(|role| role.id)
    };
    world.user_named(plain).or_else(|| world.channel_named(plain)).or_else(role)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn take() -> Leaf {
        Leaf {
            command: Snowflake::new(1),
            path: vec!["snapshot".to_owned(), "take".to_owned()],
            description: String::new(),
            options: vec![json!({"name": "droplet", "type": 3}), json!({"name": "name", "type": 3})],
        }
    }

    #[test]
    fn a_value_lasts_until_the_next_options_name() {
        let typed = parse("/snapshot take name:before: the update droplet:web-1", &[take()]).expect("a fine line");
        let wanted = [("name", "before: the update"), ("droplet", "web-1")];
        assert_eq!(typed.options, wanted.map(|(name, value)| (name.to_owned(), value.to_owned())));
    }

    #[test]
    fn words_that_name_no_command_are_refused() {
        assert!(matches!(parse("/snapshot destroy", &[take()]), Err(Refused::UnknownCommand(_))));
        assert!(matches!(parse("/snapshot take what:ever", &[take()]), Err(Refused::UnknownOption(_))));
    }
}
