//! How answers are read: leniently, except for what decides.
//!
//! Used by [`super::model`], [`super::call`] and everything else that reads an answer. A strict reader would make a whole Droplet, or a
//! whole list, unreadable because of one field that nobody needs, and then a Droplet would stay off. So each field is read separately: one
//! that *decides* must be present and valid; any other counts as absent if it is not. Values are kept as text until they are needed, so
//! that neither a number that fits no type nor a repeated key does harm; of two equal keys the last one counts.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    fmt,
};

use parking_lot::Mutex;
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::value::RawValue;

use super::vendor_text::short_line;

/// A body that does not match the API's description: where, and how.
#[derive(Debug)]
pub(super) struct Mismatch {
    pub(super) path: String,
    pub(super) detail: String,
}

impl Mismatch {
    pub(super) fn at(path: &str, detail: impl Into<String>) -> Self {
        Self { path: path.to_owned(), detail: detail.into() }
    }
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}`: {}", self.path, self.detail)
    }
}

/// A JSON object whose fields are yet to be read. Fields are named by their full path, such as `droplet.created_at`: the key is the part
/// after the last dot, and the log shows the whole.
#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Fields(HashMap<String, Box<RawValue>>);

impl Fields {
    /// Reads a body as an object.
    pub(super) fn of_body(body: &[u8]) -> Result<Self, Mismatch> {
        let body = String::from_utf8_lossy(body);
        let body = body.trim_start_matches('\u{feff}');
        serde_json::from_str(body).map_err(|error| Mismatch::at(".", error.to_string()))
    }

    /// Whether a field of this name is present, even if null.
    pub(super) fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// Whether a field of this name is present and not null.
    pub(super) fn has_value(&self, name: &str) -> bool {
        self.raw(name).is_some_and(|value| value != "null")
    }

    /// Reads a field without which the answer is meaningless.
    pub(super) fn decisive<T: DeserializeOwned>(&self, place: &str) -> Result<T, Mismatch> {
        let name = name(place);
        let value = self.0.get(name).ok_or_else(|| Mismatch::at(name, "it is missing"))?;
        serde_json::from_str(value.get()).map_err(|error| Mismatch::at(name, reason(&error)))
    }

    /// Reads a field that decides nothing; `None` if it is absent, null or has an unexpected form.
    pub(super) fn known<T: DeserializeOwned>(&self, place: &'static str) -> Option<T> {
        let value = self.0.get(name(place))?;
        let read = serde_json::from_str::<Option<T>>(value.get());
        read.map_err(|error| note(Odd::Field, place, &error)).ok().flatten()
    }

    /// Reads a list that decides nothing, without its unreadable items. `None` also if nothing in it can be read,
    /// since that is not the same as an empty list.
    pub(super) fn known_list<T: DeserializeOwned>(&self, place: &'static str) -> Option<Vec<T>> {
        let items: Vec<Box<RawValue>> = self.known(place)?;
        let read = readable(&items, place);
        (items.is_empty() || !read.is_empty()).then_some(read)
    }

    /// Converts the object itself.
    pub(super) fn whole<T: TryFrom<Self, Error = Mismatch>>(&self) -> Result<T, Mismatch> {
        T::try_from(self.clone())
    }

    /// The items of a list, or the values of an object in its place.
    pub(super) fn items(&self, field: &'static str) -> Result<Vec<Box<RawValue>>, Mismatch> {
        if self.raw(field).is_some_and(|value| value.starts_with('{')) {
            let by_key: BTreeMap<String, Box<RawValue>> = self.decisive(field)?;
            return Ok(by_key.into_values().collect());
        }
        self.decisive(field)
    }

    /// The raw JSON text of a field, for finding words in it.
    pub(super) fn raw(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(|value| value.get())
    }
}

/// The items of the list `place` that can be read; the others are skipped and counted.
pub(super) fn readable<T: DeserializeOwned>(items: &[Box<RawValue>], place: &'static str) -> Vec<T> {
    let read = items
        .iter()
        .filter_map(|item| serde_json::from_str(item.get()).map_err(|error| note(Odd::Item, place, &error)).ok());
    read.collect()
}

fn name(place: &str) -> &str {
    place.rsplit('.').next().unwrap_or(place)
}

/// The message without the position, which is meaningless within a single value.
fn reason(error: &serde_json::Error) -> String {
    let text = error.to_string();
    text.rsplit_once(" at line ").map_or(text.as_str(), |(reason, _)| reason).to_owned()
}

/// A whole number in any of the forms that occur: `25`, `25.0`, `"25"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "NumberForm")]
pub(super) struct Whole(pub(super) u64);

#[derive(Deserialize)]
#[serde(untagged, expecting = "a whole number is wanted, or its text")]
enum NumberForm {
    Whole(u64),
    Float(f64),
    Text(String),
}

impl TryFrom<NumberForm> for Whole {
    type Error = &'static str;

    fn try_from(form: NumberForm) -> Result<Self, Self::Error> {
        let number = match form {
            NumberForm::Whole(number) => Ok(number),
            // Formatted, a float without a fraction is the integer, and one that fits no integer fails to parse.
            NumberForm::Float(number) => number.to_string().parse(),
            NumberForm::Text(text) => text.parse(),
        };
        number.map(Self).map_err(|_| "a whole number is wanted")
    }
}

/// The irregularities that are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Odd {
    Field,
    Item,
}

/// Counts an unreadable value, and logs it once for each place. Places are static strings of ours, so the memory for them is bounded.
fn note(odd: Odd, place: &'static str, error: &serde_json::Error) {
    static SAID: Mutex<BTreeSet<(Odd, &str)>> = Mutex::new(BTreeSet::new());
    metrics::counter!("snapshot_bot_odd_answers_total", "place" => place).increment(1);
    if !SAID.lock().insert((odd, place)) {
        return;
    }
    let why = short_line(&reason(error));
    let what = match odd {
        Odd::Field => "a field comes in a form that is not known; it counts as absent",
        Odd::Item => "something in a list cannot be read; it is skipped",
    };
    tracing::warn!(place, why, "an odd answer of DigitalOcean: {what}");
}

#[cfg(test)]
mod tests {
    use metrics_exporter_prometheus::PrometheusBuilder;
    use serde_json::json;

    use super::*;
    use crate::telemetry::captured::logged;

    fn fields(json: &str) -> Fields {
        Fields::of_body(json.as_bytes()).unwrap()
    }

    #[test]
    fn whole_numbers_come_in_three_forms() {
        let read = |json: &str| fields(&format!(r#"{{"disk":{json}}}"#)).known::<Whole>("test.disk").map(|Whole(n)| n);
        for form in ["25", "25.0", "\"25\"", "2.5e1"] {
            assert_eq!(read(form), Some(25), "{form}");
        }
        for form in ["25.5", "-1", "\"\"", "\"25 GB\"", "1e400", "1e30", "[25]", "true", "null", "{}"] {
            assert_eq!(read(form), None, "{form}");
        }
        assert_eq!(read("18446744073709551615"), Some(u64::MAX));
    }

    #[test]
    fn of_a_key_that_stands_there_twice_the_last_counts() {
        assert_eq!(fields(r#"{"id":1,"name":"a","id":2}"#).decisive::<Whole>("id").unwrap(), Whole(2));
    }

    #[test]
    fn a_number_beyond_any_type_harms_only_its_own_field() {
        let object = fields(&format!(r#"{{"id":7,"price":1e999,"count":{}}}"#, "9".repeat(400)));
        assert_eq!(object.decisive::<Whole>("id").unwrap(), Whole(7));
        assert_eq!((object.known::<f64>("test.price"), object.known::<Whole>("test.count")), (None, None));
    }

    #[test]
    fn bytes_that_are_no_text_and_a_mark_at_the_front_do_no_harm() {
        let object = Fields::of_body(b"\xef\xbb\xbf{\"id\":7,\"name\":\"a\xffb\",\"half\":\"\\ud800\"}").unwrap();
        assert_eq!(object.known::<String>("test.name").as_deref(), Some("a\u{fffd}b"));
        assert_eq!((object.known::<String>("test.half"), object.decisive::<Whole>("id").unwrap()), (None, Whole(7)));
    }

    #[test]
    fn a_list_loses_its_odd_items_and_is_unknown_where_nothing_is_left() {
        let list =
            |items: serde_json::Value| fields(&json!({ "tags": items }).to_string()).known_list::<String>("test.tags");
        assert_eq!(list(json!([])), Some(vec![]));
        assert_eq!(list(json!(["a", 5, null, { "name": "b" }])), Some(vec!["a".to_owned()]));
        assert_eq!(list(json!([5])), None, "that there are none is not said");
        assert_eq!((list(json!("a")), list(json!(null)), list(json!({ "a": 1 }))), (None, None, None));
    }

    #[test]
    fn an_odd_field_is_said_once_and_counted_each_time() {
        let recorder = PrometheusBuilder::new().build_recorder();
        let log = logged(|| {
            metrics::with_local_recorder(&recorder, || {
                for _ in 0..3 {
                    assert_eq!(fields(r#"{"once":"?"}"#).known::<Whole>("test.once"), None);
                }
            });
        });
        assert_eq!(log.matches("test.once").count(), 1, "{log}");
        let counted = recorder.handle().render();
        assert!(counted.contains(r#"snapshot_bot_odd_answers_total{place="test.once"} 3"#), "{counted}");
    }

    #[test]
    fn what_decides_must_be_there() {
        let object = fields(r#"{"status":5,"id":null}"#);
        let why = |place: &str| object.decisive::<String>(place).unwrap_err().to_string();
        assert_eq!(why("droplet.name"), "`name`: it is missing");
        assert_eq!(why("droplet.status"), "`status`: invalid type: integer `5`, expected a string");
        assert_eq!(why("droplet.id"), "`id`: invalid type: null, expected a string");
    }
}
