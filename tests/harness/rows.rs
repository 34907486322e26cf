//! Operations as read back from rows with a different content.

use serde_json::Value;
use snapshot_bot::operation::Operation;

/// The operation with this change to the power in its row.
pub(crate) fn with_power(operation: &Operation, change: impl FnOnce(&mut Value)) -> Operation {
    let mut row = serde_json::to_value(operation).expect("every operation can be written");
    change(&mut row["power"]);
    serde_json::from_value(row).expect("the changed row can be read")
}
