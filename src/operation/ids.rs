//! Ids that several rooms share: DigitalOcean's and Discord's numbers as newtypes, and our own operation id.
//!
//! Every room may import this file; it imports nothing of ours. Elsewhere no function takes a bare integer as an id.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

macro_rules! numeric_id {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub u64);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = std::num::ParseIntError;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                text.parse().map(Self)
            }
        }
    )*};
}

numeric_id! {
    /// A Droplet.
    DropletId;
    /// An Action: DigitalOcean's record of something it does to a Droplet.
    ActionId;
    /// A Snapshot of a Droplet. `/v2/snapshots` lists its id as text, a Droplet lists it as a number. Here it is always numeric, because
    /// only Volume Snapshots have other ids.
    SnapshotId;
    /// A Discord user.
    UserId;
    /// A Discord guild.
    GuildId;
    /// A Discord channel or thread.
    ChannelId;
    /// A Discord message.
    MessageId;
    /// A Discord role.
    RoleId;
    /// A Discord interaction: one button press or one command. Discord may deliver it twice.
    InteractionId;
}

/// Crockford's base 32 without i, l, o and u, which people misread.
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

macro_rules! letter_id {
    ($($(#[$doc:meta])* $name:ident($len:literal), $error:ident($message:literal);)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name([u8; Self::LEN]);

        impl $name {
            /// The number of characters.
            pub const LEN: usize = $len;

            /// The id made of the lowest bits of `random`, five for each character.
            pub fn from_random(random: u64) -> Self {
                let mut rest = random;
                Self(std::array::from_fn(|_| {
                    let five_bits = usize::try_from(rest % 32).unwrap_or_default();
                    rest /= 32;
                    ALPHABET[five_bits]
                }))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                for byte in self.0 {
                    fmt::Write::write_char(f, char::from(byte))?;
                }
                Ok(())
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self)
            }
        }

        /// The error for a text that is not such an id.
        #[derive(Debug, thiserror::Error, PartialEq, Eq)]
        #[error($message)]
        pub struct $error;

        impl FromStr for $name {
            type Err = $error;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                let bytes: [u8; Self::LEN] = text.as_bytes().try_into().map_err(|_| $error)?;
                if bytes.iter().all(|byte| ALPHABET.contains(byte)) { Ok(Self(bytes)) } else { Err($error) }
            }
        }

        impl TryFrom<String> for $name {
            type Error = $error;

            fn try_from(text: String) -> Result<Self, Self::Error> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.to_string()
            }
        }
    )*};
}

letter_id! {
    /// Our id of an operation: eight characters of Crockford's alphabet in lower case, such as `7f3kq2xa`.
    ///
    /// It ends the name of every Snapshot that we take and seeds every nonce, so it must be unique, short and safe in both.
    OperationId(8), NotAnOperationId("an operation id is eight characters of 0-9 and a-z without i, l, o, u");
    /// Our id of a schedule: six characters of the same alphabet. People read it aloud and type it.
    ScheduleId(6), NotAScheduleId("a schedule id is six characters of 0-9 and a-z without i, l, o, u");
    /// Our id of a group's run: seven characters of the same alphabet.
    RunId(7), NotARunId("a run id is seven characters of 0-9 and a-z without i, l, o, u");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_operation_id_survives_text() {
        for random in [0, 1, u64::MAX, 0x0123_4567_89ab_cdef] {
            let id = OperationId::from_random(random);
            assert_eq!(id.to_string().parse(), Ok(id));
        }
    }

    #[test]
    fn misreadable_letters_are_refused() {
        assert_eq!("7f3kq2xl".parse::<OperationId>(), Err(NotAnOperationId));
        assert_eq!("7f3kq2x".parse::<OperationId>(), Err(NotAnOperationId));
    }
}
