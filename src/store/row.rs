//! Columns: how our values are written into the database's few types, and read back from rows that anybody may have changed.
//!
//! Reading never fails: what is not as it should be becomes the nearest harmless value, and the log says so.

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

    /// Discord's and DigitalOcean's ids are unsigned; the database keeps their bits.
    pub(super) fn id(self, column: &str) -> Option<u64> {
        self.number(column).map(i64::cast_unsigned)
    }

    pub(super) fn at(self, column: &str) -> Option<Timestamp> {
        self.number(column).map(moment)
    }
}

/// The last moment that a row may name, in the year 9000: far from jiff's last, so that rules may add to it.
const LAST: i64 = 221_845_392_000_000;

/// A moment from the database; one beyond reason becomes the nearest within.
pub(super) fn moment(millis: i64) -> Timestamp {
    Timestamp::from_millisecond(millis.clamp(0, LAST)).unwrap_or(Timestamp::UNIX_EPOCH)
}

/// When something is due, rounded up: nothing is ever due before its time, which would have its worker turn in circles.
pub(super) fn due_millis(at: Timestamp) -> i64 {
    let whole = at.as_millisecond();
    let beyond = at.subsec_nanosecond() % 1_000_000 > 0;
    whole.saturating_add(i64::from(beyond))
}

/// PostgreSQL refuses NUL in text; names from outside may hold it.
pub(super) fn without_nul(text: &str) -> String {
    text.replace('\0', "")
}

/// An id's bits, for a BIGINT.
pub(super) fn bits(id: u64) -> i64 {
    id.cast_signed()
}

/// The places of so many parameters: `$1, $2, $3`.
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
