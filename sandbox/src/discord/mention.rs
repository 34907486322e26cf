//! Mentions: whom a text mentions, and whom `allowed_mentions` permits.
//!
//! <https://discord.com/developers/docs/resources/message#allowed-mentions-object>

use std::collections::BTreeSet;

use serde_json::Value;

use super::{
    api_error::Form,
    snowflake::{Snowflake, from_json},
};

/// Whom a text mentions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Mentions {
    pub(super) users: BTreeSet<Snowflake>,
    pub(super) roles: BTreeSet<Snowflake>,
    pub(super) everyone: bool,
}

impl Mentions {
    /// Finds the mentions in a text; code contains no mentions.
    pub(super) fn in_text(text: &str) -> Self {
        let mut found = Self::default();
        // Every second part is inside backticks.
        for part in text.split('`').step_by(2) {
            found.everyone |= part.contains("@everyone") || part.contains("@here");
            for piece in part.split("<@").skip(1) {
                let Some((inside, _)) = piece.split_once('>') else { continue };
                if let Some(role) = inside.strip_prefix('&') {
                    found.roles.extend(role.parse::<Snowflake>());
                } else {
                    found.users.extend(inside.trim_start_matches('!').parse::<Snowflake>());
                }
            }
        }
        found
    }
}

/// Whom a Message may ping, as specified by its author.
#[derive(Clone, Debug)]
pub(super) struct Allowed {
    users: Option<BTreeSet<Snowflake>>,
    roles: Option<BTreeSet<Snowflake>>,
    everyone: bool,
    replied_user: bool,
}

impl Allowed {
    /// Parses `allowed_mentions`; if it is missing, every mention may ping, which is Discord's default.
    pub(super) fn read(allowed: &Value, form: &mut Form) -> Self {
        if allowed.is_null() {
            return Self { users: None, roles: None, everyone: true, replied_user: true };
        }
        let parse: Vec<&str> = allowed["parse"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        for (at, kind) in parse.iter().enumerate() {
            if !["users", "roles", "everyone"].contains(kind) {
                let what = "Value must be one of {'roles', 'users', 'everyone'}.";
                form.wrong(format!("allowed_mentions.parse.{at}"), "BASE_TYPE_CHOICES", what);
            }
        }
        let mut of = |kind: &str| {
            let list = allowed[kind].as_array().map_or(&[][..], Vec::as_slice);
            if list.len() > 100 {
                form.length(&format!("allowed_mentions.{kind}"), &"x".repeat(list.len()), 0..=100);
            }
            if parse.contains(&kind) && !list.is_empty() {
                let what = format!("parse:[\"{kind}\"] and {kind}: [ids...] are mutually exclusive.");
                form.wrong("allowed_mentions", "MESSAGE_ALLOWED_MENTIONS_PARSE_EXCLUSIVE", what);
            }
            if parse.contains(&kind) { None } else { Some(list.iter().filter_map(from_json).collect()) }
        };
        Self {
            users: of("users"),
            roles: of("roles"),
            everyone: parse.contains(&"everyone"),
            replied_user: allowed["replied_user"].as_bool().unwrap_or(false),
        }
    }

    /// The mentions that are permitted.
    pub(super) fn of(&self, named: Mentions) -> Mentions {
        let through = |names: BTreeSet<Snowflake>, allowed: &Option<BTreeSet<Snowflake>>| match allowed {
            None => names,
            Some(list) => names.into_iter().filter(|name| list.contains(name)).collect(),
        };
        Mentions {
            users: through(named.users, &self.users),
            roles: through(named.roles, &self.roles),
            everyone: named.everyone && self.everyone,
        }
    }

    pub(super) fn replied_user(&self) -> bool {
        self.replied_user
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn allowed(json: &Value) -> Allowed {
        let mut form = Form::default();
        let allowed = Allowed::read(json, &mut form);
        form.done().expect("these are well formed");
        allowed
    }

    #[test]
    fn mentions_are_read_from_text_but_not_from_code() {
        let found = Mentions::in_text("<@1> and <@!2> of <@&3>, not `<@4> @everyone`");
        assert_eq!(found.users, [1, 2].map(Snowflake::new).into());
        assert_eq!(found.roles, [Snowflake::new(3)].into());
        assert!(!found.everyone);
        assert!(Mentions::in_text("hi @here").everyone);
    }

    #[test]
    fn only_what_is_allowed_is_let_through() {
        let named = || Mentions::in_text("<@1> <@2> <@&3> @everyone");
        assert_eq!(allowed(&Value::Null).of(named()), named(), "the default lets everything through");
        assert_eq!(allowed(&json!({"parse": []})).of(named()), Mentions::default());
        let one = allowed(&json!({"parse": [], "users": ["1"]})).of(named());
        assert_eq!(one.users, [Snowflake::new(1)].into());
        assert!(one.roles.is_empty() && !one.everyone);
    }

    #[test]
    fn parse_and_a_list_of_the_same_kind_exclude_each_other() {
        let mut form = Form::default();
        Allowed::read(&json!({"parse": ["users"], "users": ["1"]}), &mut form);
        assert!(form.done().is_err());
    }
}
