//! Volumes that are attached to nothing and reserved addresses without a Droplet: read when somebody asks what is left over.

use jiff::SignedDuration;

use super::{Absent, Inventory, Waiting, single_flight::SingleFlight};
use crate::digitalocean::{
    error::Error,
    unattached::{self, ReservedIp, Volume},
};

/// Somebody who has just deleted one looks again.
const KEEP: SignedDuration = SignedDuration::from_mins(1);

/// What was read lately.
#[derive(Default)]
pub(super) struct Beside {
    volumes: SingleFlight<Vec<Volume>>,
    addresses: SingleFlight<Vec<ReservedIp>>,
}

/// What is there and belongs to no Droplet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Unattached {
    /// Volumes that are attached to nothing.
    pub volumes: Vec<Volume>,
    /// Reserved addresses that are assigned to nothing.
    pub addresses: Vec<ReservedIp>,
    /// The scopes without which some of it cannot be seen.
    pub missing_scopes: Vec<&'static str>,
    /// Some of it could not be read.
    pub is_partial: bool,
}

impl Inventory {
    /// What belongs to no Droplet, as far as the token may see it.
    pub async fn unattached(&self) -> Unattached {
        let (to, patience) = ((&self.client, &self.background), Waiting::Command.patience());
        let (volumes, addresses) = tokio::join!(
            self.beside.volumes.get(to, KEEP, patience, unattached::volumes),
            self.beside.addresses.get(to, KEEP, patience, unattached::reserved_ips),
        );
        let mut found = Unattached::default();
        match volumes {
            Ok(all) => found.volumes = all.iter().filter(|volume| volume.is_unattached).cloned().collect(),
            Err(absent) => found.note(&absent, "block_storage:read"),
        }
        match addresses {
            Ok(all) => found.addresses = all.iter().filter(|address| address.is_unassigned).cloned().collect(),
            Err(absent) => found.note(&absent, "reserved_ip:read"),
        }
        found
    }
}

impl Unattached {
    fn note(&mut self, absent: &Absent, scope: &'static str) {
        match absent {
            Absent::Failed(Error::Forbidden { .. }) => self.missing_scopes.push(scope),
            Absent::Failed(_) | Absent::Late => self.is_partial = true,
        }
    }
}
