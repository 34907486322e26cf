//! Volumes and reserved addresses that belong to no Droplet, read when a person asks for leftovers.

use jiff::SignedDuration;

use super::{Absent, Inventory, Waiting, single_flight::SingleFlight};
use crate::digitalocean::{
    error::Error,
    unattached::{self, ReservedIp, Volume},
};

/// How long they are cached. A person who has just deleted one looks again.
const KEEP: SignedDuration = SignedDuration::from_mins(1);

/// Recently read data.
#[derive(Default)]
pub(super) struct Beside {
    volumes: SingleFlight<Vec<Volume>>,
    addresses: SingleFlight<Vec<ReservedIp>>,
}

/// Resources that belong to no Droplet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Unattached {
    /// Volumes that are not attached to a Droplet.
    pub volumes: Vec<Volume>,
    /// Reserved addresses that are not assigned to a Droplet.
    pub addresses: Vec<ReservedIp>,
    /// The scopes that the token lacks for reading all of them.
    pub missing_scopes: Vec<&'static str>,
    /// Whether some of them could not be read.
    pub is_partial: bool,
}

impl Inventory {
    /// The resources that belong to no Droplet, as far as the token can read them.
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
