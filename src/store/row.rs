//! Columns: how values are stored in the database's few types, and read back from rows that may have been edited.
//!
//! Reading never fails: an invalid value becomes the nearest harmless one, and the log reports it.

use jiff::Timestamp;
use sqlx::{Any, Decode, Row as _, Type, any::AnyRow};

/// A row, read leniently.
#[derive(Clone, Copy)]
pub(super) struct Row<'r>(pub(super) &'r AnyRow);

impl<'r> Row<'r> {
    fn get<T: Decode<'r, Any> + Type<Any>>(self, column: &str) -> Option<T> {
        match self.0.try_get::<Option<T>, _>(column) {
            Ok(value) => value,
            Err(error) => {
                tracing::error!(column, %error, "a column of the database holds something else than it should");
                None
            }
        }
    }

    pub(super) fn text(self, column: &str) -> Option<&'r str> {
        self.get(column)
    }

    pub(super) fn number(self, column: &str) -> Option<i64> {
        self.get(column)
    }

    /// An id of Discord or DigitalOcean. Those are unsigned; the database stores their bits.
    pub(super) fn id(self, column: &str) -> Option<u64> {
        self.number(column).map(i64::cast_unsigned)
    }

    pub(super) fn at(self, column: &str) -> Option<Timestamp> {
        self.number(column).map(moment)
    }
}

/// The last time that a row may hold, in the year 9000: far enough from jiff's maximum for the rules to add to it.
const LAST: i64 = 221_845_392_000_000;

/// A time from the database; one out of range becomes the nearest within.
pub(super) fn moment(millis: i64) -> Timestamp {
    Timestamp::from_millisecond(millis.clamp(0, LAST)).unwrap_or(Timestamp::UNIX_EPOCH)
}

/// A due time in milliseconds, rounded up: nothing may be due before its time, or its worker would spin.
pub(super) fn due_millis(at: Timestamp) -> i64 {
    let whole = at.as_millisecond();
    let beyond = at.subsec_nanosecond() % 1_000_000 > 0;
    whole.saturating_add(i64::from(beyond))
}

/// Removes NUL, which PostgreSQL refuses in text; names from outside may contain it.
pub(super) fn without_nul(text: &str) -> String {
    text.replace('\0', "")
}

/// An id's bits, for a BIGINT.
pub(super) fn bits(id: u64) -> i64 {
    id.cast_signed()
}

/// The placeholders for this many parameters: `$1, $2, $3`.
pub(super) fn places(count: usize) -> String {
    let places: Vec<String> = (1..=count).map(|place| format!("${place}")).collect();
    places.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_due_before_its_time() {
        let late = Timestamp::new(1, 1).unwrap();
        assert_eq!(due_millis(late), 1001);
        assert_eq!(due_millis(moment(1000)), 1000);
    }

    #[test]
    fn any_number_is_some_moment() {
        assert_eq!(moment(i64::MIN), Timestamp::UNIX_EPOCH);
        assert_eq!(moment(i64::MAX).strftime("%Y").to_string(), "9000");
    }
}
