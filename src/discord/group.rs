//! The present members of a group, their order, and how long a run of it takes. Used by reviews, by questions, and when a run begins.

use jiff::SignedDuration;

use crate::{
    inventory::{Droplet, Inventory, Unresolved},
    operation::{TypicalDurations, ids::DropletId, step::Task},
    schedule::{
        Power,
        group::{Excluded, Group},
        run::{Member, Phase},
    },
    store::{self, Store},
};

/// The Droplets with a tag, just looked up.
#[derive(Clone, Debug)]
pub struct Gathered {
    /// The Droplets to take Snapshots of, in order: the one whose latest good Snapshot is oldest comes first.
    pub droplets: Vec<Droplet>,
    /// The Droplets with the tag that are left out, and why.
    pub excluded: Vec<(Droplet, Excluded)>,
    /// How long one of them usually takes: that of the slowest with a known duration.
    pub each: Option<SignedDuration>,
}

/// Why the members of a group are unknown.
#[derive(Debug)]
pub enum Unknown {
    /// DigitalOcean does not list them.
    Unresolved(Unresolved),
    /// The store cannot tell their order.
    Store(store::Error),
}

impl From<Unresolved> for Unknown {
    fn from(unresolved: Unresolved) -> Self {
        Self::Unresolved(unresolved)
    }
}

impl From<store::Error> for Unknown {
    fn from(error: store::Error) -> Self {
        Self::Store(error)
    }
}

impl Gathered {
    /// All of them, as members of a new run.
    pub fn members(&self) -> Vec<Member> {
        let member = |droplet: &Droplet, phase| Member {
            droplet: droplet.id,
            name: droplet.name.clone(),
            phase,
            operation: None,
        };
        let taken = self.droplets.iter().map(|droplet| member(droplet, Phase::Waiting));
        let excluded = self.excluded.iter().map(|(droplet, why)| member(droplet, Phase::Excluded(*why)));
        taken.chain(excluded).collect()
    }
}

/// Looks up the members of a group. The bot's own Droplet is left out if a run would shut it down.
pub async fn gather(
    (store, inventory): (&Store, &Inventory),
    own_droplet: Option<DropletId>,
    group: &Group,
    power: Power,
) -> Result<Gathered, Unknown> {
    let mut found = inventory.droplets_with_tag(&group.tag).await?;
    let taken_at = store.latest_good_takes().await?;
    // Droplets without any Snapshot come first.
    found.sort_by_key(|droplet| (taken_at.get(&droplet.id).copied(), droplet.name.clone(), droplet.id));
    let (mut droplets, mut excluded) = (Vec::new(), Vec::new());
    for droplet in found {
        let tags = droplet.tags.as_deref().unwrap_or_default();
        match excluded_as((droplet.id, tags), own_droplet, power) {
            Some(why) => excluded.push((droplet, why)),
            None => droplets.push(droplet),
        }
    }
    let mut each = None;
    for droplet in &droplets {
        each = each.max(typical(&store.typical(Some(droplet.id)).await?, power));
    }
    Ok(Gathered { droplets, excluded, each })
}

/// Why a Droplet is not a member; `None` if it is one. A run with power off would shut down the bot's own Droplet.
fn excluded_as((id, tags): (DropletId, &[String]), own_droplet: Option<DropletId>, power: Power) -> Option<Excluded> {
    let is_own = power == Power::Off && own_droplet == Some(id);
    Excluded::by_tags(tags).or(is_own.then_some(Excluded::Own))
}

/// How long a take usually lasts, if the history tells.
pub fn typical(typical: &TypicalDurations, power: Power) -> Option<SignedDuration> {
    let around = [Task::ShutDown, Task::PowerOn].into_iter().filter(|_| power == Power::Off);
    typical
        .of(Task::Snapshot)
        .map(|snapshot| around.filter_map(|task| typical.of(task)).fold(snapshot, |sum, part| sum + part))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bots_own_droplet_is_left_out_of_a_run_that_would_shut_it_down() {
        let (own, worker) = (DropletId(7), ["k8s".to_owned()]);
        assert_eq!(excluded_as((own, &[]), Some(own), Power::Off), Some(Excluded::Own));
        assert_eq!(excluded_as((own, &[]), Some(own), Power::Live), None);
        assert_eq!(excluded_as((own, &[]), Some(DropletId(8)), Power::Off), None);
        assert_eq!(excluded_as((own, &[]), None, Power::Off), None);
        assert!(excluded_as((own, &worker), None, Power::Live).is_some_and(|why| why != Excluded::Own));
    }
}
