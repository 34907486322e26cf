//! What happens to a request on its way to the simulated DigitalOcean and back, and what the worker receives.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use snapshot_bot::{
    digitalocean::http_types::{self, HttpAnswer, HttpRequest, TransportError},
    operation::effect::{Command, Look},
};
use snapshot_bot_sandbox::digitalocean::{
    corrupt::Malformation,
    fault::{Disturbance, Fault, HungAction, Pattern, Quirk},
    http_types::{Delivery, Method, Request},
    image::SizeShown,
    world::{TOKEN, World},
};

use super::{
    fleet::Tally,
    mood::{Mood, Moods, Twist},
};

/// The client's deadline for a request.
pub(crate) const DEADLINE: SignedDuration = SignedDuration::from_secs(10);

/// What happens to a request.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Transit {
    Fine,
    /// There is no connection, so it is never sent.
    NotSent,
    /// DigitalOcean applies a fault to it.
    Disturbed(Disturbance),
    /// It is carried out, and answered with a server error.
    FailedAfter,
    /// It is carried out, and refused with this message: something on the way sent it twice.
    RefusedAfter(&'static str),
    /// It is not carried out, and the answer asks for a day's silence.
    Silenced,
}

/// DigitalOcean's message when another event is pending.
const PENDING: &str = "Droplet already has a pending event.";

/// The result of a request, and when it arrives.
pub(crate) struct Delivered {
    pub(crate) answer: Result<HttpAnswer, TransportError>,
    pub(crate) at: Timestamp,
    /// A ticket and a moment, if DigitalOcean carries it out later.
    pub(crate) postponed: Option<(u64, Timestamp)>,
}

fn refuse(status: u16, id: &str, message: &str) -> Transit {
    Transit::Disturbed(Disturbance::Refuse { status, id: id.to_owned(), message: message.to_owned() })
}

fn not_found() -> Transit {
    refuse(404, "not_found", "The resource you were accessing could not be found.")
}

fn is_of_a_droplet(look: &Look) -> bool {
    match look {
        Look::Droplet(_) | Look::Actions(_) | Look::Snapshots(_) | Look::Backups(_) => true,
        Look::Action(_)
        | Look::Snapshot(_)
        | Look::Launched(_)
        | Look::CreatedAs(_)
        | Look::Listed(_)
        | Look::Image(_) => false,
    }
}

fn malformation(dice: &mut fastrand::Rng) -> Malformation {
    use Malformation::{Empty, Html, NoFields, Nulls, Truncated, WrongTypes};
    [Truncated, Html, Empty, WrongTypes, Nulls, NoFields][dice.usize(..6)]
}

impl Transit {
    /// The transit of a look. DigitalOcean may deny a Droplet as often as it likes; only its complete list is true.
    pub(crate) fn of_look(dice: &mut fastrand::Rng, look: &Look, moods: &Moods) -> Self {
        if let Some(transit) = Self::of_any(dice, moods) {
            return transit;
        }
        if moods.has(Mood::Denials) && dice.u8(..6) == 0 && (is_of_a_droplet(look) || matches!(look, Look::Action(_))) {
            return not_found();
        }
        match dice.u8(..80) {
            0 => Self::NotSent,
            1 | 2 => Self::Disturbed(Disturbance::CutBefore),
            3 => Self::Disturbed(Disturbance::AnswerLate { after: DEADLINE * 2 }),
            4 => Self::Disturbed(Disturbance::Down),
            5 => Self::Disturbed(Disturbance::Throttle { retry_after: None }),
            6 => Self::Disturbed(Disturbance::Throttle { retry_after: Some(dice.u64(1..90)) }),
            7 | 8 => Self::Disturbed(Disturbance::Malform { how: malformation(dice) }),
            // The bot takes the complete list for true.
            9 | 10 if !matches!(look, Look::Listed(_)) => Self::Disturbed(Disturbance::Lie),
            11 => refuse(500, "server_error", "Unexpected server-side error"),
            12 if dice.u8(..6) == 0 => refuse(401, "unauthorized", "Unable to authenticate you"),
            13 if dice.u8(..6) == 0 => refuse(403, "forbidden", "You are not authorized to perform this operation"),
            14 | 15 if is_of_a_droplet(look) => not_found(),
            14 if matches!(look, Look::Action(_)) => not_found(),
            _ => Self::Fine,
        }
    }

    /// The effect of a mood on looks and commands alike.
    fn of_any(dice: &mut fastrand::Rng, moods: &Moods) -> Option<Self> {
        if moods.has(Mood::Silences) && dice.u8(..8) == 0 {
            return Some(match dice.u8(..2) {
                0 => Self::Silenced,
                _ => Self::Disturbed(Disturbance::Throttle { retry_after: Some(86_400) }),
            });
        }
        if moods.has(Mood::Refusals) && dice.u8(..10) == 0 {
            return Some(match dice.u8(..2) {
                0 => refuse(401, "unauthorized", "Unable to authenticate you"),
                _ => refuse(403, "forbidden", "Your account is locked until its billing is settled"),
            });
        }
        None
    }

    /// The transit of a request during an outage.
    pub(crate) fn of_an_outage(dice: &mut fastrand::Rng) -> Self {
        match dice.u8(..4) {
            0 => Self::NotSent,
            1 => Self::Disturbed(Disturbance::CutBefore),
            2 => Self::Disturbed(Disturbance::Down),
            _ => Self::Silenced,
        }
    }

    /// DigitalOcean answers that the resource does not exist.
    pub(crate) fn denied() -> Self {
        not_found()
    }

    /// DigitalOcean refuses the token.
    pub(crate) fn unauthorized() -> Self {
        refuse(401, "unauthorized", "Unable to authenticate you")
    }

    /// The transit of a command, which a lost answer makes ambiguous.
    pub(crate) fn of_command(
        dice: &mut fastrand::Rng,
        command: &Command,
        settle: SignedDuration,
        moods: &Moods,
    ) -> Self {
        if let Some(transit) = Self::of_any(dice, moods) {
            return transit;
        }
        match dice.u8(..40) {
            0 => Self::NotSent,
            1 | 2 => Self::Disturbed(Disturbance::CutBefore),
            3..=5 => Self::Disturbed(Disturbance::CutAfter),
            6..=8 => Self::Disturbed(Disturbance::ExecuteLate { after: lateness(dice, command, settle) }),
            9 | 10 => Self::Disturbed(Disturbance::AnswerLate { after: DEADLINE * 2 }),
            11 => Self::FailedAfter,
            12 => Self::Disturbed(Disturbance::Down),
            13 => Self::Disturbed(Disturbance::Throttle { retry_after: None }),
            14 => Self::Disturbed(Disturbance::Throttle { retry_after: Some(dice.u64(1..90)) }),
            15 => Self::Disturbed(Disturbance::Malform { how: malformation(dice) }),
            16 => Self::Disturbed(Disturbance::Lie),
            17 => refuse(422, "unprocessable_entity", PENDING),
            22 | 23 => Self::RefusedAfter(PENDING),
            // A refused shutdown and a Droplet that is off mean that someone else turned it off.
            24 if !matches!(command, Command::ShutDown(_)) => Self::RefusedAfter("No."),
            18 if dice.u8(..3) == 0 => refuse(422, "unprocessable_entity", "No."),
            19 if dice.u8(..3) == 0 => refuse(401, "unauthorized", "Unable to authenticate you"),
            20 if dice.u8(..3) == 0 => refuse(403, "forbidden", "You are not authorized to perform this operation"),
            // A Snapshot that does not exist counts as deleted.
            21 if dice.bool() && !matches!(command, Command::Delete(_)) => not_found(),
            _ => Self::Fine,
        }
    }
}

/// The maximum delay with which DigitalOcean carries something out: within the time that the rules allow for it.
fn lateness(dice: &mut fastrand::Rng, command: &Command, settle: SignedDuration) -> SignedDuration {
    let longest = match command {
        Command::Create(_) => settle * 4,
        Command::ShutDown(_)
        | Command::PowerOff(_)
        | Command::PowerOn(_)
        | Command::Restart(_)
        | Command::TakeSnapshot { .. }
        | Command::Restore { .. }
        | Command::Delete(_)
        | Command::EnableBackups { .. }
        | Command::ChangeBackups { .. }
        | Command::DisableBackups(_)
        | Command::KeepBackup(_) => settle,
    };
    // The request itself takes up to two seconds.
    let millis = i64::try_from(longest.as_millis()).unwrap_or_default() - 2_500;
    SignedDuration::from_millis(dice.i64(100..millis.max(101)))
}

/// A fault of an Action that a command begins.
pub(crate) fn quirk(dice: &mut fastrand::Rng, command: &Command, moods: &Moods) -> Option<Quirk> {
    let seconds = |dice: &mut fastrand::Rng, longest| SignedDuration::from_secs(dice.i64(1..longest));
    match command {
        Command::ShutDown(_) => match dice.u8(..12) {
            0..=3 => {
                let action = [HungAction::InProgress, HungAction::Completes, HungAction::Errs][dice.usize(..3)];
                // By design, the bot no longer watches for a late power-off after fifteen minutes.
                let longest = if moods.has(Mood::LateOffs) { 60 * 60 } else { 13 * 60 };
                let off_after = (dice.u8(..3) != 0).then(|| seconds(dice, longest));
                Some(Quirk::ShutdownHangs { action, off_after })
            }
            4 => Some(Quirk::Err),
            _ => None,
        },
        Command::PowerOff(_) | Command::PowerOn(_) | Command::Restart(_) => match dice.u8(..12) {
            0 => Some(Quirk::NeverFinish),
            1 | 2 => Some(Quirk::Err),
            _ => None,
        },
        Command::TakeSnapshot { .. } => match dice.u8(..16) {
            0 => Some(Quirk::NeverFinish),
            1 => Some(Quirk::Err),
            2 => {
                let shown = [SizeShown::Absent, SizeShown::Null, SizeShown::Zero][dice.usize(..3)];
                let until = (dice.u8(..3) != 0).then(|| seconds(dice, 600));
                Some(Quirk::Sizeless { shown, until })
            }
            3 | 4 => Some(Quirk::ListedLate { after: (dice.u8(..3) != 0).then(|| seconds(dice, 2_400)) }),
            _ => None,
        },
        Command::Restore { .. }
        | Command::Create(_)
        | Command::EnableBackups { .. }
        | Command::ChangeBackups { .. }
        | Command::DisableBackups(_)
        | Command::KeepBackup(_) => match dice.u8(..16) {
            0 => Some(Quirk::NeverFinish),
            1 => Some(Quirk::Err),
            _ => None,
        },
        Command::Delete(_) => None,
    }
}

/// The path of a request: when it is sent, how long it takes, and what it meets.
pub(crate) struct Road<'a> {
    pub(crate) world: &'a mut World,
    /// Where requests are counted.
    pub(crate) tally: Option<&'a mut Tally>,
    pub(crate) transit: &'a Transit,
    pub(crate) quirk: Option<Quirk>,
    pub(crate) twist: Option<Twist>,
    pub(crate) now: Timestamp,
    pub(crate) arrival: Timestamp,
    /// How far the process's own clock is ahead.
    pub(crate) ahead: SignedDuration,
}

impl Road<'_> {
    /// Sends a request along this path.
    pub(crate) fn send(self, request: &HttpRequest) -> Delivered {
        let timed_out = TransportError::TimedOut { deadline: Duration::from_secs(10) };
        let (deadline, received_at) = (self.now + DEADLINE, self.arrival + self.ahead);
        let prompt = |answer| Delivered { answer, at: self.arrival, postponed: None };
        let (mut fails, mut refused) = (false, None);
        match self.transit {
            Transit::Fine => {}
            Transit::NotSent => return prompt(Err(TransportError::Connect { reason: "refused".to_owned() })),
            Transit::Disturbed(disturbance) => {
                self.world.add_fault(Fault::once(Pattern::any(), disturbance.clone()));
            }
            Transit::FailedAfter => fails = true,
            Transit::RefusedAfter(message) => refused = Some(*message),
            Transit::Silenced => {
                let headers = vec![("retry-after".to_owned(), "86400".to_owned())];
                return prompt(Ok(HttpAnswer { status: 503, headers, body: Vec::new(), received_at }));
            }
        }
        if let Some(quirk) = self.quirk {
            self.world.add_fault(Fault::once(Pattern::any(), quirk));
        }
        let mut answer = self.world.handle(&wire(request), self.now);
        if let Some(tally) = self.tally {
            tally.count(request, answer.status);
        }
        if let Some(twist) = self.twist {
            twist.apply(&mut answer.body);
        }
        match answer.delivery {
            Delivery::Prompt => {}
            Delivery::Cut => return prompt(Err(TransportError::Cut { reason: "reset".to_owned() })),
            Delivery::Late(_) => return Delivered { answer: Err(timed_out), at: deadline, postponed: None },
            Delivery::Postponed { ticket, until } => {
                return Delivered { answer: Err(timed_out), at: deadline, postponed: Some((ticket, until)) };
            }
        }
        let headers = answer.headers.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        let (status, body) = match refused {
            _ if fails => (502, b"Bad Gateway".to_vec()),
            Some(message) => {
                let body = serde_json::json!({"id": "unprocessable_entity", "message": message});
                (422, body.to_string().into_bytes())
            }
            None => (answer.status, answer.body),
        };
        prompt(Ok(HttpAnswer { status, headers, body, received_at }))
    }
}

fn wire(request: &HttpRequest) -> Request {
    let method = match request.method {
        http_types::Method::Get => Method::Get,
        http_types::Method::Post => Method::Post,
        http_types::Method::Delete => Method::Delete,
    };
    let body = request.body.clone().unwrap_or_default().into_bytes();
    Request { body, ..Request::new(method, &request.path_and_query).bearer(TOKEN) }
}
