//! Finds out from DigitalOcean's metadata service which Droplet this process runs on, if any.
//!
//! Queried once at the start, without the token. A bot that shut down its own Droplet could not turn it on again.
//! <https://docs.digitalocean.com/products/droplets/how-to/retrieve-droplet-metadata/>

use std::{
    net::{IpAddr, Ipv4Addr, UdpSocket},
    time::Duration,
};

use url::Url;

use super::client::is_loopback;
use crate::operation::ids::DropletId;

/// The address of the service, on every Droplet.
const ADDRESS: Ipv4Addr = Ipv4Addr::new(169, 254, 169, 254);
/// The service is on the same host and answers immediately, or does not exist.
const PATIENCE: Duration = Duration::from_secs(1);
/// Longer than any id.
const LONGEST_ANSWER: u64 = 64;

/// The Droplet that this process runs on; `None` if it runs elsewhere, or if that is unknown.
///
/// With a simulator in DigitalOcean's place, this queries the simulator, and uses the service's own address only if that belongs to
/// this machine, so nothing leaves the machine.
pub async fn own_droplet(api: &Url) -> Option<DropletId> {
    let service = Url::parse(&format!("http://{ADDRESS}")).ok()?;
    if !is_loopback(api) {
        return ask(&service).await;
    }
    match ask(api).await {
        Some(id) => Some(id),
        None if is_this_machine(ADDRESS.into()) => ask(&service).await,
        None => None,
    }
}

async fn ask(origin: &Url) -> Option<DropletId> {
    let http = reqwest::Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(PATIENCE)
        .timeout(PATIENCE)
        .build()
        .ok()?;
    let answer = http.get(origin.join("/metadata/v1/id").ok()?).send().await.ok()?;
    if !answer.status().is_success() || answer.content_length().is_none_or(|length| length > LONGEST_ANSWER) {
        return None;
    }
    answer.text().await.ok()?.trim().parse().ok()
}

/// Whether an address belongs to this machine: then it is the source address of a connection to itself. Sends nothing.
fn is_this_machine(address: IpAddr) -> bool {
    let speaks_from = || {
        let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0))?;
        socket.connect((address, 80))?;
        socket.local_addr()
    };
    speaks_from().is_ok_and(|own| own.ip() == address)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loopback_is_this_machine_and_the_service_is_not() {
        assert!(is_this_machine(Ipv4Addr::LOCALHOST.into()));
        assert!(!is_this_machine(Ipv4Addr::new(192, 0, 2, 1).into()));
    }
}
