//! A group: the Droplets with a tag, which are taken one after another. Covers what a person may request, which Droplets are never members,
//! and how long a run takes.

use std::fmt;

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

use super::{Power, WINDOW};
use crate::operation::{ids::DropletId, warning::Warn};

/// Means "no single Droplet" in a schedule. DigitalOcean counts from 1.
pub const NO_DROPLET: DropletId = DropletId(0);
/// The maximum number of members of a group.
pub const MOST_MEMBERS: usize = 100;
/// The default pause after each member, in seconds.
const GAP: u32 = 30;
/// The maximum number of members that are at work at once.
pub const MOST_AT_ONCE: u32 = 20;
/// The longest pause between two members.
const LONGEST_GAP: SignedDuration = SignedDuration::from_hours(1);
/// The assumed duration of one Snapshot if nothing is known.
const GUESS: SignedDuration = SignedDuration::from_mins(5);
/// The prefix of a group's name in places where a Droplet could be named.
const PREFIX: &str = "tag:";

/// Which Droplets are taken, and how.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Group {
    /// The tag. The members are the Droplets that have it when a run begins.
    pub tag: String,
    /// How many members are at work at once, and so may be off at once; at least 1.
    pub at_once: u32,
    /// The pause after a member is done, in seconds.
    pub gap: u32,
    /// What a Droplet must pass after its Snapshot before the next member begins.
    pub check: Option<Check>,
    /// The run stops once this many members did not come back; at least 1.
    #[serde(default = "first")]
    pub stop_after: u32,
}

fn first() -> u32 {
    1
}

/// How the bot checks that a Droplet works again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Check {
    /// A TCP port accepts connections.
    Tcp {
        /// The port.
        port: u16,
    },
    /// An HTTP server answers with a status below 400.
    Http {
        /// The port.
        port: u16,
        /// The path to request, with its leading slash.
        path: String,
    },
}

/// Why a text does not describe a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BadGroup {
    /// The tag is not valid.
    Tag {
        /// What was typed.
        typed: String,
    },
    /// Not a valid number of Droplets.
    AtOnce {
        /// What was typed.
        typed: String,
    },
    /// Not a valid pause.
    Gap {
        /// What was typed.
        typed: String,
    },
    /// Not a valid number of Droplets that do not come back.
    StopAfter {
        /// What was typed.
        typed: String,
    },
    /// Not a valid check.
    Check {
        /// What was typed.
        typed: String,
    },
}

/// Why a Droplet with the tag is not a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, strum::EnumIter)]
pub enum Excluded {
    /// It is a node of a Kubernetes cluster, which replaces a node that is off.
    Kubernetes,
    /// It is a member of an autoscale pool, which replaces a member that is off.
    Autoscale,
    /// The bot runs on it, and could not turn it on again.
    Own,
    /// Its last take was a moment ago. This applies when a person starts a run now, never to a planned time.
    Lately,
}

impl Excluded {
    /// Why a Droplet with these tags is not a member; `None` if it may be one. DigitalOcean's lists omit GPU Droplets, so they never get
    /// here.
    pub fn by_tags(tags: &[String]) -> Option<Self> {
        let has = |wanted: &dyn Fn(&str) -> bool| tags.iter().any(|tag| wanted(&tag.to_lowercase()));
        if has(&|tag| tag == "k8s" || tag == "k8s-worker" || tag.starts_with("k8s:")) {
            Some(Self::Kubernetes)
        } else if has(&|tag| tag == "autoscale" || tag.starts_with("autoscale:")) {
            Some(Self::Autoscale)
        } else {
            None
        }
    }

    /// The word in the database.
    pub fn word(self) -> &'static str {
        match self {
            Self::Kubernetes => "kubernetes",
            Self::Autoscale => "autoscale",
            Self::Own => "own",
            Self::Lately => "lately",
        }
    }
}

impl Group {
    /// The tag in a text such as `tag:prod`; `None` if the text does not name a group.
    pub fn tag_in(typed: &str) -> Option<&str> {
        let typed = typed.trim();
        let (prefix, tag) = typed.split_at_checked(PREFIX.len())?;
        prefix.eq_ignore_ascii_case(PREFIX).then_some(tag.trim())
    }

    /// Reads what a person typed: the tag without its prefix, and the options. `none` means no check.
    pub fn read(tag: &str, at_once: Option<i64>, gap: Option<&str>, check: Option<&str>) -> Result<Self, BadGroup> {
        // DigitalOcean's own rule for tags.
        let is_tag = |tag: &str| {
            (1..=255).contains(&tag.len())
                && tag.chars().all(|letter| letter.is_ascii_alphanumeric() || matches!(letter, ':' | '-' | '_'))
        };
        let tag = Some(tag).filter(|tag| is_tag(tag)).ok_or_else(|| BadGroup::Tag { typed: tag.to_owned() })?;
        let typed = at_once.unwrap_or(1);
        let at_once = u32::try_from(typed).ok().filter(|count| (1..=MOST_AT_ONCE).contains(count));
        Ok(Self {
            tag: tag.to_owned(),
            at_once: at_once.ok_or_else(|| BadGroup::AtOnce { typed: typed.to_string() })?,
            gap: gap.map_or(Ok(GAP), seconds)?,
            check: check.filter(|check| !check.trim().eq_ignore_ascii_case("none")).map(Check::read).transpose()?,
            stop_after: first(),
        })
    }

    /// The group, whose run stops once this many members did not come back.
    pub fn stopping_after(self, typed: Option<i64>) -> Result<Self, BadGroup> {
        let Some(typed) = typed else { return Ok(self) };
        let count = u32::try_from(typed).ok().filter(|count| (1..=MOST_AT_ONCE).contains(count));
        let stop_after = count.ok_or_else(|| BadGroup::StopAfter { typed: typed.to_string() })?;
        Ok(Self { stop_after, ..self })
    }

    /// The name of the group in places where a Droplet's name could be: `tag:prod`.
    pub fn label(&self) -> String {
        format!("{PREFIX}{}", self.tag)
    }

    /// The pause after a member is done.
    pub fn pause(&self) -> SignedDuration {
        SignedDuration::from_secs(i64::from(self.gap))
    }

    /// How long a run takes with this many members, each of which takes this long.
    pub fn length(&self, members: usize, each: SignedDuration) -> SignedDuration {
        self.rounds(members).map_or(SignedDuration::ZERO, |rounds| self.until_round(rounds, each) - self.pause())
    }

    /// Whether the last of this many members can begin within a run's window.
    pub fn fits(&self, members: usize, each: SignedDuration) -> bool {
        self.rounds(members).is_none_or(|rounds| self.until_round(rounds - 1, each) < WINDOW)
    }

    /// The smallest number of members at once with which this many members fit; `None` if no number does.
    pub fn at_once_that_fits(&self, members: usize, each: SignedDuration) -> Option<u32> {
        (self.at_once..=MOST_AT_ONCE).find(|at_once| Self { at_once: *at_once, ..self.clone() }.fits(members, each))
    }

    fn rounds(&self, members: usize) -> Option<i32> {
        let members = u32::try_from(members).unwrap_or(u32::MAX);
        let rounds = i32::try_from(members.div_ceil(self.at_once.max(1))).unwrap_or(i32::MAX);
        (rounds > 0).then_some(rounds)
    }

    fn until_round(&self, rounds: i32, each: SignedDuration) -> SignedDuration {
        let round = each.max(SignedDuration::ZERO) + self.pause();
        round.checked_mul(rounds).unwrap_or(SignedDuration::MAX)
    }
}

/// How long one member takes: the warning before it goes down, and then what a take usually does, or a guess where nothing is known.
pub fn turn(typical: Option<SignedDuration>, power: Power, warn: Option<Warn>) -> SignedDuration {
    let warning = warn.filter(|_| power == Power::Off).map_or(SignedDuration::ZERO, |warn| warn.time());
    typical.unwrap_or(GUESS) + warning
}

impl Check {
    /// Parses `tcp:25565` or `http:8080/health`.
    pub fn read(typed: &str) -> Result<Self, BadGroup> {
        let bad = || BadGroup::Check { typed: typed.to_owned() };
        let (kind, rest) = typed.trim().split_once(':').ok_or_else(bad)?;
        let port = |text: &str| text.parse().ok().filter(|port| *port > 0).ok_or_else(bad);
        match kind.to_lowercase().as_str() {
            "tcp" => Ok(Self::Tcp { port: port(rest)? }),
            "http" => {
                let (number, path) = rest.split_once('/').unwrap_or((rest, ""));
                let is_plain = path.len() <= 200 && path.chars().all(|letter| letter.is_ascii_graphic());
                if !is_plain {
                    return Err(bad());
                }
                Ok(Self::Http { port: port(number)?, path: format!("/{path}") })
            }
            _ => Err(bad()),
        }
    }
}

impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp { port } => write!(f, "tcp:{port}"),
            Self::Http { port, path } => write!(f, "http:{port}{path}"),
        }
    }
}

/// Parses a pause such as `30s` or `5m`.
fn seconds(typed: &str) -> Result<u32, BadGroup> {
    let bad = || BadGroup::Gap { typed: typed.to_owned() };
    let lower = typed.trim().to_lowercase();
    let digits = lower.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(lower.len());
    let (number, unit) = lower.split_at(digits);
    let each = match unit.trim() {
        "" | "s" | "sec" | "seconds" => 1,
        "m" | "min" | "minutes" => 60,
        "h" | "hour" => 3600,
        _ => return Err(bad()),
    };
    let seconds = number.parse::<u32>().ok().and_then(|number| number.checked_mul(each));
    seconds.filter(|seconds| SignedDuration::from_secs(i64::from(*seconds)) <= LONGEST_GAP).ok_or_else(bad)
}
