//! The special conditions of a world: a DigitalOcean, people and clocks that go beyond what the bot expects.
//!
//! A world has at most two moods, drawn by its seed. If a law makes an exception for a mood, the law documents that.

use std::fmt;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use snapshot_bot::operation::effect::Look;

/// A special condition of a world.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mood {
    /// Nothing goes wrong, and no stranger interferes.
    Healthy,
    /// A shutdown may turn its Droplet off up to an hour later.
    LateOffs,
    /// DigitalOcean denies that a Droplet exists, as often as it likes; only the complete list is true.
    Denials,
    /// Lists come in any order.
    Reordered,
    /// For 5 to 40 minutes, nothing is answered, or no look is.
    Outages,
    /// A server error or an exhausted budget asks for a day's silence.
    Silences,
    /// Occasionally there is a single 401 or 403.
    Refusals,
    /// Fields are missing or have other forms, and lists have items that cannot be parsed.
    OddFields,
    /// Undocumented statuses.
    OddStatuses,
    /// Strangers take Snapshots, restore, rebuild, and turn Droplets on and off while the bot works.
    Strangers,
    /// For 5 to 40 minutes, Actions cannot be read while their Droplet can.
    HiddenActions,
    /// People press everything, all the time.
    Impatience,
    /// Each new process has a clock that was set: back by up to two hours, or forward by up to twenty minutes.
    Clocks,
    /// There may be hours without a process.
    Absences,
    /// There are a dozen Droplets, and people request operations on all of them at once.
    Crowd,
    /// Other programs use the token too, in bursts.
    OtherUsers,
    /// Writes fail occasionally, before or after they take effect, and for minutes the disk is full.
    BadDisk,
    /// The run loop panics for some operations.
    Panics,
    /// The process stands still for seconds to days, and continues with what it had in memory; another may have taken over meanwhile.
    Sleeps,
    /// For 5 to 40 minutes, the token is refused, or not known to belong to the account.
    UnfitTokens,
}

impl Mood {
    /// The moods that can be combined with another one.
    const MIXED: [Self; 19] = [
        Self::LateOffs,
        Self::Denials,
        Self::Reordered,
        Self::Outages,
        Self::Silences,
        Self::Refusals,
        Self::OddFields,
        Self::OddStatuses,
        Self::Strangers,
        Self::HiddenActions,
        Self::Impatience,
        Self::Clocks,
        Self::Absences,
        Self::Crowd,
        Self::OtherUsers,
        Self::BadDisk,
        Self::Panics,
        Self::Sleeps,
        Self::UnfitTokens,
    ];

    /// Its name in a trace.
    fn word(self) -> &'static str {
        match self {
            Self::Healthy => "healthy",
            Self::LateOffs => "late offs",
            Self::Denials => "denials",
            Self::Reordered => "reordered",
            Self::Outages => "outages",
            Self::Silences => "silences",
            Self::Refusals => "refusals",
            Self::OddFields => "odd fields",
            Self::OddStatuses => "odd statuses",
            Self::Strangers => "strangers",
            Self::HiddenActions => "hidden Actions",
            Self::Impatience => "impatience",
            Self::Clocks => "clocks",
            Self::Absences => "absences",
            Self::Crowd => "a crowd",
            Self::OtherUsers => "other users of the token",
            Self::BadDisk => "a bad disk",
            Self::Panics => "panics",
            Self::Sleeps => "sleeps",
            Self::UnfitTokens => "unfit tokens",
        }
    }
}

/// The moods of one world.
#[derive(Clone, Debug, Default)]
pub(crate) struct Moods(Vec<Mood>);

impl Moods {
    /// Draws the moods of a world. `needed` is one without which the world would not show what it is played for.
    pub(crate) fn draw(dice: &mut fastrand::Rng, needed: Option<Mood>) -> Self {
        let moods = Self::draw_any(dice);
        needed.map_or(moods, |needed| Self(vec![needed]))
    }

    /// The moods of a world in which nothing goes wrong.
    pub(crate) fn healthy() -> Self {
        Self(vec![Mood::Healthy])
    }

    fn draw_any(dice: &mut fastrand::Rng) -> Self {
        let mut one = || Mood::MIXED[dice.usize(..Mood::MIXED.len())];
        let (first, second) = (one(), one());
        Self(match dice.u8(..10) {
            0 => vec![Mood::Healthy],
            1 => vec![Mood::Healthy, [Mood::Crowd, Mood::Panics][dice.usize(..2)]],
            2 | 3 => Vec::new(),
            4..=6 => vec![first],
            _ => vec![first, second],
        })
    }

    pub(crate) fn has(&self, mood: Mood) -> bool {
        self.0.contains(&mood)
    }

    /// Whether some condition lasts for many minutes, so that faults must continue for longer to show what follows.
    pub(crate) fn lasts(&self) -> bool {
        let long =
            [Mood::Outages, Mood::Silences, Mood::HiddenActions, Mood::Denials, Mood::BadDisk, Mood::UnfitTokens];
        long.iter().any(|mood| self.has(*mood))
    }
}

impl fmt::Display for Moods {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.as_slice() {
            [] => f.write_str("the usual trouble"),
            moods => f.write_str(&moods.iter().map(|mood| mood.word()).collect::<Vec<_>>().join(", ")),
        }
    }
}

/// A temporary outage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Spell {
    /// Every request fails.
    Silent,
    /// Every look fails; commands are carried out.
    Blind,
    /// Actions cannot be read.
    HiddenActions,
    /// DigitalOcean denies that Droplets exist.
    Denied,
    /// Nothing can be stored.
    DiskFull,
    /// The token is refused for every use.
    TokenRefused,
}

impl Spell {
    /// An outage that fits the moods, if there is one.
    pub(crate) fn draw(dice: &mut fastrand::Rng, moods: &Moods) -> Option<(Self, SignedDuration)> {
        let lasts = SignedDuration::from_secs(dice.i64(5 * 60..40 * 60));
        let fitting = [
            (Mood::Outages, if dice.bool() { Self::Silent } else { Self::Blind }),
            (Mood::HiddenActions, Self::HiddenActions),
            (Mood::Denials, Self::Denied),
            (Mood::BadDisk, Self::DiskFull),
            (Mood::UnfitTokens, Self::TokenRefused),
        ];
        let fitting: Vec<Self> = fitting.into_iter().filter(|(mood, _)| moods.has(*mood)).map(|(_, it)| it).collect();
        // While nothing can be stored, nothing happens either.
        let brief = SignedDuration::from_secs(dice.i64(20..5 * 60));
        let lasts = |spell| if spell == Self::DiskFull { brief } else { lasts };
        dice.choice(&fitting).map(|spell| (*spell, lasts(*spell)))
    }

    /// Whether it affects this look.
    pub(crate) fn meets(self, look: &Look) -> bool {
        match self {
            Self::Silent | Self::Blind | Self::TokenRefused => true,
            Self::HiddenActions => matches!(look, Look::Action(_) | Look::Actions(_)),
            Self::Denied => matches!(look, Look::Droplet(_) | Look::Actions(_) | Look::Snapshots(_)),
            Self::DiskFull => false,
        }
    }
}

/// An outage, and when it ends.
pub(crate) type Lasting = (Spell, Timestamp);

/// How the body of an answer differs from what the bot expects.
#[derive(Clone, Debug)]
pub(crate) struct Twist {
    dice: fastrand::Rng,
    reordered: bool,
    fields: bool,
    statuses: bool,
}

impl Twist {
    /// The twist of one answer, in a world with odd answers.
    pub(crate) fn draw(dice: &mut fastrand::Rng, moods: &Moods) -> Option<Self> {
        let twist = Self {
            reordered: moods.has(Mood::Reordered),
            fields: moods.has(Mood::OddFields) && dice.u8(..3) != 0,
            statuses: moods.has(Mood::OddStatuses) && dice.u8(..6) == 0,
            dice: fastrand::Rng::with_seed(dice.u64(..)),
        };
        (twist.reordered || twist.fields || twist.statuses).then_some(twist)
    }

    /// Applies the twist to a JSON body.
    pub(crate) fn apply(mut self, body: &mut Vec<u8>) {
        let Ok(mut json) = serde_json::from_slice::<Value>(body) else { return };
        if let Some(fields) = json.as_object_mut() {
            for (name, value) in fields {
                match value {
                    Value::Array(items) if matches!(name.as_str(), "actions" | "droplets" | "snapshots") => {
                        self.list(items);
                    }
                    Value::Object(_) => self.item(value),
                    _ => {}
                }
            }
        }
        *body = json.to_string().into_bytes();
    }

    fn list(&mut self, items: &mut Vec<Value>) {
        for item in items.iter_mut() {
            self.item(item);
        }
        if self.reordered {
            self.dice.shuffle(items);
        }
        if self.fields && self.dice.u8(..4) == 0 {
            // An item that is listed, but cannot be parsed.
            let index = self.dice.usize(..items.len().max(1));
            items.get_mut(index).and_then(Value::as_object_mut).and_then(|item| item.remove("status"));
        }
        if self.fields && self.dice.bool() {
            let odd = [json!({"id": "506f78a4-e098-11e5", "name": null}), json!(null), json!({}), json!("?")];
            items.push(odd[self.dice.usize(..odd.len())].clone());
        }
    }

    fn item(&mut self, item: &mut Value) {
        let Some(fields) = item.as_object_mut() else { return };
        let is_droplet = fields.contains_key("vcpus");
        if self.statuses
            && let Some(status) = fields.get_mut("status")
        {
            let words: &[&str] = if is_droplet { &["migrating", "maintenance"] } else { &["queued", "pending"] };
            let known_end = !is_droplet && *status != "in-progress";
            if !known_end {
                *status = Value::from(words[self.dice.usize(..words.len())]);
            }
        }
        if !self.fields {
            return;
        }
        let names: Vec<String> = fields.keys().cloned().collect();
        for name in names {
            if self.dice.u8(..3) != 0 {
                continue;
            }
            let odd = match name.as_str() {
                "created_at" | "completed_at" | "started_at" => [json!(""), json!(null), json!("yesterday")],
                "disk" | "memory" | "vcpus" | "min_disk_size" => [json!(25.0), json!("25"), json!(null)],
                "size_gigabytes" | "price_monthly" | "size" => [json!(null), json!("2.36"), json!(-0.0)],
                "next_backup_window" | "networks" | "region" | "image" => {
                    [json!(null), json!({"start": ""}), json!(42)]
                }
                "features" | "volume_ids" | "regions" | "snapshot_ids" => [json!(null), json!([null]), json!("none")],
                "resource_id" | "region_slug" | "size_slug" => [json!(null), json!(null), json!({})],
                "tags" if self.dice.u8(..4) == 0 => [json!(null), json!("bot"), json!([1])],
                _ => continue,
            };
            if self.dice.bool() {
                fields.insert(name, odd[self.dice.usize(..odd.len())].clone());
            } else {
                fields.remove(&name);
            }
        }
    }
}
