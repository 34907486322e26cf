//! Resources other than Droplets and Snapshots that cost money and may be left over: Volumes and reserved addresses.
//!
//! The inventory reads them when somebody asks for leftovers. A token need not have the scopes for them.

use serde::Deserialize;

use super::{
    budget::Priority,
    call::Call,
    lenient::{Fields, Mismatch, Whole},
};

/// A Volume.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Fields")]
pub struct Volume {
    /// Its id.
    pub id: String,
    /// Its name; its id if DigitalOcean does not state the name.
    pub name: String,
    /// Its size in GB.
    pub size_gigabytes: Option<u64>,
    /// Whether it is certainly attached to no Droplet.
    pub is_unattached: bool,
}

/// A reserved address.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Fields")]
pub struct ReservedIp {
    /// The address.
    pub ip: String,
    /// Whether it is certainly assigned to no Droplet. A token that may not read Droplets does not see that.
    pub is_unassigned: bool,
}

/// All Volumes.
pub fn volumes() -> Call<Vec<Volume>> {
    Call::paged("/v2/volumes".to_owned(), "volumes", |volume: &Volume| volume.id.clone())
        .with_priority(Priority::Inventory)
        .scopes(&["block_storage:read"])
}

/// All reserved addresses.
pub fn reserved_ips() -> Call<Vec<ReservedIp>> {
    Call::paged("/v2/reserved_ips".to_owned(), "reserved_ips", |address: &ReservedIp| address.ip.clone())
        .with_priority(Priority::Inventory)
        .scopes(&["reserved_ip:read"])
}

impl TryFrom<Fields> for Volume {
    type Error = Mismatch;

    fn try_from(wire: Fields) -> Result<Self, Mismatch> {
        let id: String = wire.decisive("volume.id")?;
        let name = wire.known("volume.name").filter(|name: &String| !name.is_empty()).unwrap_or_else(|| id.clone());
        let attached: Option<Vec<Whole>> = wire.known("volume.droplet_ids");
        let size: Option<Whole> = wire.known("volume.size_gigabytes");
        Ok(Self {
            id,
            name,
            size_gigabytes: size.map(|Whole(size)| size),
            is_unattached: attached.is_some_and(|droplets| droplets.is_empty()),
        })
    }
}

impl TryFrom<Fields> for ReservedIp {
    type Error = Mismatch;

    fn try_from(wire: Fields) -> Result<Self, Mismatch> {
        let ip = wire.decisive("reserved_ip.ip")?;
        // Null means no Droplet; an absent field means unknown.
        Ok(Self { ip, is_unassigned: wire.has("droplet") && !wire.has_value("droplet") })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_known_to_be_free_counts_as_left_over() {
        let volume = |json: &str| serde_json::from_str::<Volume>(json).unwrap();
        let free = volume(r#"{"id":"v1","name":"data","size_gigabytes":10,"droplet_ids":[]}"#);
        assert_eq!((free.is_unattached, free.size_gigabytes, free.name.as_str()), (true, Some(10), "data"));
        assert!(!volume(r#"{"id":"v1","droplet_ids":[5]}"#).is_unattached);
        assert!(!volume(r#"{"id":"v1"}"#).is_unattached, "it is not said");
        assert!(!volume(r#"{"id":"v1","droplet_ids":null}"#).is_unattached);
        let address = |json: &str| serde_json::from_str::<ReservedIp>(json).unwrap();
        assert!(address(r#"{"ip":"192.0.2.1","droplet":null}"#).is_unassigned);
        assert!(!address(r#"{"ip":"192.0.2.1"}"#).is_unassigned, "it is not said");
        assert!(!address(r#"{"ip":"192.0.2.1","droplet":{"id":5}}"#).is_unassigned);
    }
}
