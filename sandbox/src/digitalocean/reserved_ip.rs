//! A reserved address: it stays with the account, and costs money while it is assigned to no Droplet.

use serde_json::{Value, json};

use super::catalogue::find_region;

/// A reserved address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReservedIp {
    /// The address.
    pub ip: String,
    /// The region in which it is.
    pub region: String,
    /// The Droplet that it is assigned to.
    pub droplet: Option<u64>,
}

impl ReservedIp {
    pub(super) fn render(&self) -> Value {
        json!({
            "ip": self.ip,
            "region": find_region(&self.region),
            "droplet": self.droplet.map(|id| json!({"id": id})),
            "locked": false,
        })
    }
}
