//! Tests of the domain's promises: stories for some of them, thousands of random worlds for the laws.

mod backups;
mod distrust;
mod first_answer;
mod late_offs;
mod laws;
mod others;
mod patience;
mod power_kinds;
mod refused;
mod scheduled;
mod stories;
mod toy;
mod warning;

use jiff::Timestamp;

use super::{
    NewOperation, Operation, Requester, Rules, Target, TypicalDurations,
    effect::NewDroplet,
    ids::{ChannelId, DropletId, GuildId, OperationId, SnapshotId, UserId},
    kinds::{Downtime, IfHung, Kind, Launch, Restore, Safety, SnapshotRef, Take},
};

const DROPLET: DropletId = DropletId(7);

fn rules() -> Rules {
    Rules {
        shutdown_timeout: jiff::SignedDuration::from_mins(2),
        decision_timeout: jiff::SignedDuration::from_mins(10),
        settle_time: jiff::SignedDuration::from_secs(30),
        poll_interval: jiff::SignedDuration::from_secs(5),
        droplet_tag: None,
        are_requests_scarce: false,
    }
}

fn noon() -> Timestamp {
    "2026-11-22T12:00:00Z".parse().unwrap()
}

fn take(power: Downtime, if_hung: IfHung) -> Kind {
    Kind::Take(Take { power, if_hung })
}

fn restore(safety: Safety) -> Kind {
    Kind::Restore(Restore {
        snapshot: SnapshotRef { id: SnapshotId(50), name: "good".to_owned() },
        safety,
        rewrites: None,
    })
}

fn launch() -> Operation {
    let snapshot = SnapshotRef { id: SnapshotId(50), name: "good".to_owned() };
    let droplet = NewDroplet {
        name: "web-2".to_owned(),
        region: "nyc3".to_owned(),
        size: "s-1vcpu-1gb".to_owned(),
        image: snapshot.id,
        tags: Vec::new(),
        ssh_keys: Vec::new(),
    };
    let mut launch = operation(Kind::Launch(Launch { snapshot, droplet }));
    launch.target.droplet = None;
    launch
}

fn operation(kind: Kind) -> Operation {
    Operation::new(NewOperation {
        id: OperationId::from_random(1234),
        kind,
        requester: Requester { user: UserId(1), guild: GuildId(2), channel: ChannelId(3) },
        asked_at: noon(),
        target: Target { droplet: Some(DROPLET), name: "web-1".to_owned(), region: None, disk_gb: None },
        snapshot_name: None,
        typical: TypicalDurations::default(),
    })
}
