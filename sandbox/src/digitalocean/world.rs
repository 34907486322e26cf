//! The simulated account and everything in it.
//!
//! Time and numbers are arguments: nothing here reads a clock, draws a random number or waits. When the world is read, [`World::advance`]
//! computes events that happen without a request (an Action ends, a Droplet goes off late); [`World::handle`] answers requests.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use jiff::Timestamp;

use super::{
    action::Action,
    droplet::Droplet,
    due::Due,
    fault::Effect,
    http_types::{Answer, Method},
    image::Image,
    reserved_ip::ReservedIp,
    scopes::Token,
    settings::Settings,
    volume::Volume,
};
use crate::control::fault::Faults;

/// The token that every new world accepts, with full access.
pub const TOKEN: &str = "dop_v1_sandbox";

/// An SSH key of the account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SshKey {
    /// Its number.
    pub id: u64,
    /// Its name.
    pub name: String,
}

/// A request that no correct client would have sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejection {
    /// When it arrived.
    pub at: Timestamp,
    /// The request's method.
    pub method: Method,
    /// The request's path.
    pub path: String,
    /// The status of the answer.
    pub status: u16,
    /// The error's text.
    pub message: String,
}

/// A simulated DigitalOcean account.
#[derive(Clone, Debug)]
pub struct World {
    pub(super) settings: Settings,
    pub(super) now: Timestamp,
    pub(super) next_id: u64,
    pub(super) requests: u64,
    pub(super) droplets: BTreeMap<u64, Droplet>,
    pub(super) actions: BTreeMap<u64, Action>,
    pub(super) images: BTreeMap<u64, Image>,
    pub(super) base_image: u64,
    pub(super) volumes: Vec<Volume>,
    pub(super) reserved_ips: Vec<ReservedIp>,
    pub(super) tags: BTreeSet<String>,
    pub(super) ssh_keys: Vec<SshKey>,
    pub(super) tokens: Vec<Token>,
    pub(super) faults: Faults<Effect>,
    /// Upcoming events, ordered by time and then by when they were planned.
    pub(super) due: BTreeMap<(Timestamp, u64), Due>,
    pub(super) decided: u64,
    pub(super) postponed: VecDeque<(u64, Answer)>,
    pub(super) rejections: Vec<Rejection>,
}

impl World {
    pub(super) fn new_id(&mut self) -> u64 {
        self.next_id += 1;
        self.next_id
    }
}
