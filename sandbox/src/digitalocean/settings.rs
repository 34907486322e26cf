//! How long things take in the simulated world, and which of the undocumented behaviors it has.

use jiff::SignedDuration;

use super::limits::Limits;

/// How long Actions run, by type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are the Actions' types")]
pub struct Durations {
    pub shutdown: SignedDuration,
    pub power_off: SignedDuration,
    pub power_on: SignedDuration,
    pub reboot: SignedDuration,
    pub snapshot: SignedDuration,
    /// Added to a snapshot for each GB in use.
    pub snapshot_per_gigabyte: SignedDuration,
    pub restore: SignedDuration,
    pub create: SignedDuration,
    /// All other Actions.
    pub other: SignedDuration,
}

impl Durations {
    /// Every Action takes exactly this long.
    pub fn all(duration: SignedDuration) -> Self {
        Self {
            shutdown: duration,
            power_off: duration,
            power_on: duration,
            reboot: duration,
            snapshot: duration,
            snapshot_per_gigabyte: SignedDuration::ZERO,
            restore: duration,
            create: duration,
            other: duration,
        }
    }
}

impl Default for Durations {
    /// Slow enough to watch, but far quicker than the real durations.
    fn default() -> Self {
        Self {
            shutdown: SignedDuration::from_secs(5),
            power_off: SignedDuration::from_secs(3),
            power_on: SignedDuration::from_secs(5),
            reboot: SignedDuration::from_secs(8),
            snapshot: SignedDuration::from_secs(20),
            snapshot_per_gigabyte: SignedDuration::from_secs(1),
            restore: SignedDuration::from_secs(20),
            create: SignedDuration::from_secs(15),
            other: SignedDuration::from_secs(5),
        }
    }
}

/// The power state of a Droplet after a restore or rebuild. It is not documented, so clients must expect each of these.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum PowerAfterRestore {
    AsBefore,
    On,
    Off,
}

/// Everything about the world that a test or demo can configure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The first number to assign; later ones count up from it.
    pub first_id: u64,
    /// Scheme and host of the links in paged answers; a server sets its own, so that clients that follow them stay on loopback.
    pub origin: String,
    /// How long Actions run.
    pub durations: Durations,
    /// How long a Droplet still reads `active` after the Action that turned it off completed (`merqlove/do_snapshot#9`).
    pub off_lag: SignedDuration,
    /// How long a Droplet still reads `off` after its `power_on` completed.
    pub on_lag: SignedDuration,
    /// How long a Snapshot stays unlisted after its Action completed (Gamocosm#113).
    pub listing_delay: SignedDuration,
    /// Power after a restore.
    pub power_after_restore: PowerAfterRestore,
    /// Whether restore and rebuild are refused while the Droplet is on.
    pub restore_wants_off: bool,
    /// Whether a Droplet reads `locked` while it has a pending event, as in hashicorp/packer#1814.
    pub locked_while_pending: bool,
    /// Whether `/v2/droplets/{id}/actions/{aid}` shows `completed_at: null` forever (digitalocean/api-v2#199).
    pub forgetful_droplet_actions: bool,
    /// How many requests a token may make.
    pub limits: Limits,
    /// The Droplet on which clients run, according to the metadata service; `None` if they run elsewhere.
    pub clients_droplet: Option<u64>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            first_id: 1_000,
            origin: "https://api.digitalocean.com".to_owned(),
            durations: Durations::default(),
            off_lag: SignedDuration::from_secs(1),
            on_lag: SignedDuration::ZERO,
            listing_delay: SignedDuration::from_secs(2),
            power_after_restore: PowerAfterRestore::AsBefore,
            restore_wants_off: false,
            locked_while_pending: true,
            forgetful_droplet_actions: true,
            limits: Limits::default(),
            clients_droplet: None,
        }
    }
}
