//! The options that choose how other people hear about an operation, before it and at its end.

use serenity::model::{Permissions, id};

use super::{Context, choices::OneOf};
use crate::{
    discord::{
        messages::{refusal::Refusal, warning::WarningRefusal},
        posting,
    },
    operation::{
        announce::{Announce, Tell},
        ids::{ChannelId, GuildId},
        warning::Warn,
    },
};

/// The longest warning, in minutes.
const LONGEST: u8 = 60;
/// How many minutes before a shutdown people are warned if the command does not say.
const USUAL: u8 = 5;

/// The values of these options, across all commands that have them.
#[derive(Clone, Debug, Default)]
pub(super) struct Chosen {
    pub(super) tell: Option<OneOf<Tell>>,
    pub(super) warn: Option<String>,
    pub(super) warn_in: Option<id::ChannelId>,
}

impl Chosen {
    /// Reads how people hear about the operation. If they are warned, the bot first asks Discord whether it may post in that channel.
    pub(super) async fn read(self, context: Context<'_>, guild: GuildId) -> Result<Announce, Refusal> {
        let minutes = match (&self.warn, self.warn_in) {
            (Some(text), _) => Some(minutes(text)?),
            (None, Some(_)) => Some(USUAL),
            (None, None) => None,
        };
        let here = context.interaction.channel_id;
        let elsewhere = self.warn_in.filter(|channel| *channel != here);
        if let Some(channel) = elsewhere {
            check_may_write(context, channel)?;
            posting::check(&context.serenity_context().http, guild, ChannelId(channel.get())).await?;
        }
        let channel = ChannelId(elsewhere.unwrap_or(here).get());
        let warn = minutes.map(|minutes| Warn { channel, minutes });
        Ok(Announce { warn, ..told(self.tell) })
    }
}

impl Chosen {
    /// Who is warned from now on, when an earlier choice exists: an option that is left out keeps it, and `none` removes it.
    pub(super) async fn changed(
        self,
        context: Context<'_>,
        guild: GuildId,
        was: Option<Warn>,
    ) -> Result<Option<Warn>, Refusal> {
        let typed = self.warn.as_deref().map(str::trim);
        if typed.is_some_and(|typed| typed.eq_ignore_ascii_case("none")) {
            return Ok(None);
        }
        if typed.is_none() && self.warn_in.is_none() {
            return Ok(was);
        }
        let (is_timed, is_placed) = (typed.is_some(), self.warn_in.is_some());
        let chosen = self.read(context, guild).await?.warn;
        Ok(chosen.map(|chosen| Warn {
            channel: was.filter(|_| !is_placed).map_or(chosen.channel, |was| was.channel),
            minutes: was.filter(|_| !is_timed).map_or(chosen.minutes, |was| was.minutes),
        }))
    }
}

/// A person may warn a channel only if they can post there themselves. Discord reports their rights, and they can submit something else.
fn check_may_write(context: Context<'_>, channel: id::ChannelId) -> Result<(), Refusal> {
    let chosen = context.interaction.data.resolved.channels.get(&channel);
    let Some(may) = chosen.and_then(|chosen| chosen.permissions) else { return Ok(()) };
    let send = if chosen.is_some_and(|chosen| chosen.thread_metadata.is_some()) {
        Permissions::SEND_MESSAGES_IN_THREADS
    } else {
        Permissions::SEND_MESSAGES
    };
    if may.administrator() || may.contains(Permissions::VIEW_CHANNEL | send) {
        Ok(())
    } else {
        Err(Refusal::Warning(WarningRefusal::NotYours { channel: ChannelId(channel.get()) }))
    }
}

/// How people hear about the end, from the chosen option.
pub(super) fn told(tell: Option<OneOf<Tell>>) -> Announce {
    Announce { tell: tell.map_or(Tell::default(), |OneOf(tell)| tell), warn: None }
}

/// Parses `5m`, `5 min`, `5` or `1h`.
fn minutes(text: &str) -> Result<u8, Refusal> {
    let bad = || Refusal::Warning(WarningRefusal::Time { text: text.to_owned() });
    let typed = text.trim().to_lowercase();
    let digits = typed.trim_end_matches(|letter: char| !letter.is_ascii_digit());
    let unit: u8 = match typed[digits.len()..].trim() {
        "" | "m" | "min" | "minutes" => 1,
        "h" => LONGEST,
        _ => return Err(bad()),
    };
    let number: u8 = digits.parse().map_err(|_| bad())?;
    number.checked_mul(unit).filter(|minutes| (1..=LONGEST).contains(minutes)).ok_or_else(bad)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_warning_is_given_in_minutes_up_to_an_hour() {
        for (text, read) in [("5m", 5), ("5", 5), (" 10 min ", 10), ("60m", 60), ("1h", 60)] {
            assert_eq!(minutes(text), Ok(read), "{text}");
        }
        for text in ["", "m", "0", "0m", "61m", "2h", "5s", "-5m", "300m", "five", "5m 3m"] {
            assert!(minutes(text).is_err(), "{text}");
        }
    }
}
