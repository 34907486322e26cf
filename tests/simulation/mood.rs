//! What a world is like beyond the usual trouble: a DigitalOcean, people and clocks that exceed what we believe of them.
//!
//! A world has at most two moods, drawn by its seed. Where a law yields to a mood, the law says so.

use std::fmt;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use snapshot_bot::operation::effect::Look;

/// One way in which a world disagrees with us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mood {
    /// Nothing goes wrong, and nobody meddles.
    Healthy,
    /// A shutdown may turn its Droplet off up to an hour later.
    LateOffs,
    /// Droplets are denied for as long as it likes; the complete list alone is true.
    Denials,
    /// Lists come in any order.
    Reordered,
    /// For 5 to 40 minutes nothing is answered, or no look.
    Outages,
    /// A server error or a full budget asks for a day's silence.
    Silences,
    /// A lone 401 or 403 now and then.
    Refusals,
    /// Fields are missing, or of other forms, and lists have items that nobody can read.
    OddFields,
    /// Statuses that nobody documents.
    OddStatuses,
    /// Others take Snapshots, restore, rebuild, and turn Droplets on and off while we work.
    Strangers,
    /// For 5 to 40 minutes Actions cannot be read while their Droplet can.
    HiddenActions,
    /// People press everything, all the time.
    Impatience,
    /// Each new process has a clock that was set: back by up to two hours, or forward by up to twenty minutes.
    Clocks,
    /// Between two processes there may be hours.
    Absences,
    /// There are a dozen Droplets, and people ask for all of them at once.
    Crowd,
    /// Others use the token as well, in bursts.
    OtherUsers,
    /// What is written down fails now and then, before or after it was written, and for minutes the disk is full.
    BadDisk,
    /// In the run loop of some operations this process panics.
    Panics,
    /// The process stands still for seconds to days, and goes on with what it had in memory; another may have taken over meanwhile.
    Sleeps,
    /// For 5 to 40 minutes the token is refused, or not known to be of the account.
    UnfitTokens,
}

impl Mood {
    /// All that can be drawn beside another one.
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
    /// Those of a world; `needed` is one without which it would show nothing of what it is played for.
    pub(crate) fn draw(dice: &mut fastrand::Rng, needed: Option<Mood>) -> Self {
        let moods = Self::draw_any(dice);
        needed.map_or(moods, |needed| Self(vec![needed]))
    }

    /// Nothing goes wrong.
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

    /// Whether something in it lasts for many minutes, so that trouble must go on for longer to show what follows.
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

/// What does not work for a while.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Spell {
    /// Every request fails.
    Silent,
    /// Every look fails; commands are carried out.
    Blind,
    /// Actions cannot be read.
    HiddenActions,
    /// Droplets are not known.
    Denied,
    /// Nothing can be written down.
    DiskFull,
    /// The token is refused, whatever it is used for.
    TokenRefused,
}

impl Spell {
    /// One that fits the moods, if there is any.
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
        // Where nothing can be written down, nothing happens either.
        let brief = SignedDuration::from_secs(dice.i64(20..5 * 60));
        let lasts = |spell| if spell == Self::DiskFull { brief } else { lasts };
        dice.choice(&fitting).map(|spell| (*spell, lasts(*spell)))
    }

    /// Whether it meets this look.
    pub(crate) fn meets(self, look: &Look) -> bool {
        match self {
            Self::Silent | Self::Blind | Self::TokenRefused => true,
            Self::HiddenActions => matches!(look, Look::Action(_) | Look::Actions(_)),
            Self::Denied => matches!(look, Look::Droplet(_) | Look::Actions(_) | Look::Snapshots(_)),
            Self::DiskFull => false,
        }
    }
}

/// A spell, and when it ends.
pub(crate) type Lasting = (Spell, Timestamp);

/// How the body of an answer differs from what we expect.
#[derive(Clone, Debug)]
pub(crate) struct Twist {
    dice: fastrand::Rng,
    reordered: bool,
    fields: bool,
    statuses: bool,
}

impl Twist {
    /// The twist of one answer, in a world that twists them.
    pub(crate) fn draw(dice: &mut fastrand::Rng, moods: &Moods) -> Option<Self> {
        let twist = Self {
            reordered: moods.has(Mood::Reordered),
            fields: moods.has(Mood::OddFields) && dice.u8(..3) != 0,
            statuses: moods.has(Mood::OddStatuses) && dice.u8(..6) == 0,
            dice: fastrand::Rng::with_seed(dice.u64(..)),
        };
        (twist.reordered || twist.fields || twist.statuses).then_some(twist)
    }

    /// Twists a body that is JSON.
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
            // One that is there, and cannot be read all the same.
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
