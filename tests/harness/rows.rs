//! Operations as they would be read back from rows that say something else.

use serde_json::Value;
use snapshot_bot::operation::Operation;

/// The same operation, whose power stands otherwise in its row.
pub(crate) fn with_power(operation: &Operation, change: impl FnOnce(&mut Value)) -> Operation {
    let mut row = serde_json::to_value(operation).expect("every operation can be written");
    change(&mut row["power"]);
    serde_json::from_value(row).expect("the changed row can be read")
}
