//! A group: the Droplets with a tag, of which Snapshots are taken one after another. What a person may ask for, who is never a member, and how
//! long it takes.

use std::fmt;

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

use super::{Power, WINDOW};
use crate::operation::{ids::DropletId, warning::Warn};

/// Stands in a schedule for "no single Droplet". DigitalOcean counts from 1.
pub const NO_DROPLET: DropletId = DropletId(0);
/// No group has more members.
pub const MOST_MEMBERS: usize = 100;
/// The pause after each member where nobody says another one, in seconds: what depends on it finds it again.
const GAP: u32 = 30;
/// No more of a group are worked on at once.
pub const MOST_AT_ONCE: u32 = 20;
/// The pause between two members is not longer.
const LONGEST_GAP: SignedDuration = SignedDuration::from_hours(1);
/// What one Snapshot is expected to take where nothing is known.
const GUESS: SignedDuration = SignedDuration::from_mins(5);
/// What begins the name of a group where a Droplet could be named.
const PREFIX: &str = "tag:";

/// Which Droplets, and how they are taken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Group {
    /// Members are the Droplets that have this tag when a run begins.
    pub tag: String,
    /// So many are worked on at once, and so many may be off at once; at least 1.
    pub at_once: u32,
    /// The pause after a member is done, in seconds.
    pub gap: u32,
    /// What a Droplet must do after its Snapshot before the next one begins.
    pub check: Option<Check>,
}

/// How it is seen that a Droplet does its work again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Check {
    /// A TCP port takes connections.
    Tcp {
        /// Which.
        port: u16,
    },
    /// An HTTP server answers with a status below 400.
    Http {
        /// Its port.
        port: u16,
        /// The path that is asked for, beginning with a slash.
        path: String,
    },
}

/// Why a text says nothing about a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BadGroup {
    /// Nobody could have this tag.
    Tag {
        /// What was typed.
        typed: String,
    },
    /// No number of Droplets.
    AtOnce {
        /// What was typed.
        typed: String,
    },
    /// No pause.
    Gap {
        /// What was typed.
        typed: String,
    },
    /// No check.
    Check {
        /// What was typed.
        typed: String,
    },
}

/// Why a Droplet with the tag is no member.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, strum::EnumIter)]
pub enum Excluded {
    /// A worker of a Kubernetes cluster, which replaces it when it is off.
    Kubernetes,
    /// A member of an autoscale pool, which replaces it when it is off.
    Autoscale,
    /// The bot runs on it, and could not turn it on again.
    Own,
    /// Its last take was a moment ago. Counts where a person wants one now, and never for a planned time.
    Lately,
}

impl Excluded {
    /// Why a Droplet is no member; none if it is one. `is_own` says that the bot runs on it and would shut it down. One with a GPU is in no
    /// list of DigitalOcean's, and so never asked about.
    pub fn of(tags: &[String], is_own: bool) -> Option<Self> {
        let has = |wanted: &dyn Fn(&str) -> bool| tags.iter().any(|tag| wanted(&tag.to_lowercase()));
        if has(&|tag| tag == "k8s" || tag == "k8s-worker" || tag.starts_with("k8s:")) {
            Some(Self::Kubernetes)
        } else if has(&|tag| tag == "autoscale" || tag.starts_with("autoscale:")) {
            Some(Self::Autoscale)
        } else {
            is_own.then_some(Self::Own)
        }
    }

    /// A word for the database.
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
    /// The tag in a text such as `tag:prod`; none if the text names no group.
    pub fn tag_in(typed: &str) -> Option<&str> {
        let typed = typed.trim();
        let (prefix, tag) = typed.split_at_checked(PREFIX.len())?;
        prefix.eq_ignore_ascii_case(PREFIX).then_some(tag.trim())
    }

    /// Reads what a person typed: the tag without its prefix, and the options. A check of `none` is none.
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
        })
    }

    /// What it is called where a Droplet's name could stand: `tag:prod`.
    pub fn label(&self) -> String {
        format!("{PREFIX}{}", self.tag)
    }

    /// The pause after a member is done.
    pub fn pause(&self) -> SignedDuration {
        SignedDuration::from_secs(i64::from(self.gap))
    }

    /// How long a run takes with so many members of which each takes so long.
    pub fn length(&self, members: usize, each: SignedDuration) -> SignedDuration {
        self.rounds(members).map_or(SignedDuration::ZERO, |rounds| self.until_round(rounds, each) - self.pause())
    }

    /// Whether the last of so many members can begin within a run's window.
    pub fn fits(&self, members: usize, each: SignedDuration) -> bool {
        self.rounds(members).is_none_or(|rounds| self.until_round(rounds - 1, each) < WINDOW)
    }

    /// The smallest number at once with which so many members fit; none if none does.
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
pub fn turn(usual: Option<SignedDuration>, power: Power, warn: Option<Warn>) -> SignedDuration {
    let warning = warn.filter(|_| power == Power::Off).map_or(SignedDuration::ZERO, |warn| warn.time());
    usual.unwrap_or(GUESS) + warning
}

impl Check {
    /// Reads `tcp:25565` or `http:8080/health`.
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

/// Reads a pause such as `30s` or `5m`.
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
