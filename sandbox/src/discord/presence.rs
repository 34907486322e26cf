//! The presence next to a bot's name: its status and its activity.
//!
//! Set over the gateway. <https://discord.com/developers/docs/events/gateway-events#update-presence>

use serde_json::Value;

/// How often a bot may change its presence within 20 seconds.
pub(super) const UPDATES: usize = 5;
/// The maximum length of an activity's text.
const LONGEST: usize = 128;

/// What a bot displays next to its name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Presence {
    /// `online`, `idle`, `dnd` or `invisible`.
    pub status: String,
    /// Its activity; empty if there is none.
    pub activity: String,
}

impl Presence {
    /// Parses an update; `None` if Discord would close the connection.
    pub(super) fn read(json: &Value) -> Option<Self> {
        let status = json["status"]
            .as_str()
            .filter(|status| ["online", "idle", "dnd", "invisible", "offline"].contains(status))?;
        let activity = match json["activities"].as_array()?.first() {
            None => String::new(),
            // A custom status has its text in `state`.
            Some(activity) if activity["type"] == 4 => activity["state"].as_str()?.to_owned(),
            Some(activity) => activity["name"].as_str()?.to_owned(),
        };
        (activity.chars().count() <= LONGEST).then(|| Self { status: status.to_owned(), activity })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_presence_has_a_status_that_exists_and_a_text_that_fits() {
        let of = |status: &str, text: String| {
            Presence::read(
                &json!({"status": status, "activities": [{"type": 4, "name": "x", "state": text}], "since": null, "afk": false}),
            )
        };
        assert_eq!(of("online", "3 running".to_owned()).unwrap().activity, "3 running");
        assert_eq!(of("busy", "a".to_owned()), None);
        assert_eq!(of("online", "x".repeat(129)), None);
        assert_eq!(Presence::read(&json!({"status": "online"})), None);
    }
}
