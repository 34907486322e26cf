//! Checks the simulated DigitalOcean with DigitalOcean's own Python client.
//!
//! Runs if `PYDO_PYTHON` names a Python that has `pydo` from `PyPI`.

#[path = "../../tests/harness/required.rs"]
mod required;

use std::{process::Stdio, sync::Arc};

use jiff::SignedDuration;
use snapshot_bot_sandbox::{
    digitalocean::{
        droplet::Blueprint,
        server::DigitalOcean,
        settings::{Durations, Settings},
        world::{TOKEN, World},
    },
    discord::settings::Now,
};

#[tokio::test(flavor = "multi_thread")]
async fn digitaloceans_own_client_takes_follows_and_deletes_a_snapshot() {
    let Some(python) = required::variable("PYDO_PYTHON", "a Python that has pydo") else { return };
    let millis = SignedDuration::from_millis;
    let settings =
        Settings { durations: Durations::all(millis(200)), listing_delay: millis(200), ..Settings::default() };
    let now = Now::wall();
    let mut world = World::new(settings, now.get());
    for droplet in world.add_droplets(&Blueprint::named("web").tag("prod"), 5) {
        world.add_snapshot(droplet, "earlier", 1.5);
    }
    let server = DigitalOcean::start(world, Arc::new(move || now.get())).await.unwrap();
    let (url, script) = (server.url(), concat!(env!("CARGO_MANIFEST_DIR"), "/tests/pydo/snapshots.py"));
    let run = move || std::process::Command::new(python).args([script, &url, TOKEN]).stdin(Stdio::null()).output();
    let output = tokio::task::spawn_blocking(run).await.unwrap().unwrap();
    let (said, complained) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{said}\n{complained}");
    assert!(said.ends_with("done\n"), "{said}");
    let world = server.stop().await;
    assert_eq!(world.rejections(), []);
    assert_eq!(world.snapshots().count(), 5);
}
