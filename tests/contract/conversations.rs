//! Every request of whole conversations, to both vendors.

use serde_json::Value;
use snapshot_bot_sandbox::digitalocean::fault::{Fault, HungAction, Pattern, Quirk};

use super::complaints;
use crate::{
    openapi::OpenApi,
    stage::{Role, Stage},
};

/// Both vendors' files, or `None`.
fn vendors() -> Option<(OpenApi, OpenApi)> {
    Some((OpenApi::read("discord.json")?, OpenApi::read("digitalocean.json")?))
}

/// Checks everything that was sent so far against both files.
fn judge(stage: &Stage, (discord, digitalocean): &(OpenApi, OpenApi)) {
    let mut found = Vec::new();
    for exchange in stage.discord.world().journal() {
        let request = &exchange.request;
        let body = Some(&request.body).filter(|body| !body.is_null());
        found.extend(complaints(discord, &request.method, &request.path, body));
    }
    let asked = stage.digitalocean.journal();
    for request in asked.iter().map(|entry| &entry.request) {
        let body: Option<Value> = serde_json::from_slice(&request.body).ok();
        found.extend(complaints(digitalocean, &request.method.to_string(), &request.path, body.as_ref()));
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
    assert!(asked.len() > 10 && stage.discord.world().journal().len() > 10);
}

#[tokio::test]
async fn every_request_of_a_take_is_as_the_vendors_write() {
    let Some(vendors) = vendors() else { return };
    let stage = Stage::new().await;
    let (ada, eve) = (stage.seat("ada", Role::Operator), stage.seat("eve", Role::Guest));
    ada.suggestions("snapshot take", "droplet", "web").await;
    ada.run("/snapshot help").await;
    eve.run("/snapshot take droplet:web-1").await;
    ada.run("/snapshot take droplet:web-1 name:first").await;
    stage.settle().await;
    // Again with everything interactive: a question, a press, a call for help, a lost answer.
    let hangs = Quirk::ShutdownHangs { action: HungAction::Errs, off_after: None };
    stage.fault(Fault::once(Pattern::action("shutdown"), hangs));
    stage.fault(Fault::once(
        Pattern::action("snapshot"),
        snapshot_bot_sandbox::digitalocean::fault::Disturbance::CutBefore,
    ));
    ada.run("/snapshot take droplet:web-1").await;
    stage.shows(&ada, "[Force power off]").await;
    ada.press("Force power off").await;
    stage.settle().await;
    ada.run("/snapshot status").await;
    judge(&stage, &vendors);
    ada.transcript();
    eve.transcript();
    stage.finish().await;
}

#[tokio::test]
async fn every_request_of_the_rest_of_a_snapshots_life_is_as_the_vendors_write() {
    let Some(vendors) = vendors() else { return };
    let stage = Stage::new().await;
    let web = stage.droplet("web-1");
    stage.digitalocean.world(|world| {
        for number in 0..12 {
            world.add_snapshot(web, &format!("golden-{number}"), 2.0);
        }
    });
    let rex = stage.seat("rex", Role::Restorer);
    rex.run("/snapshot restore droplet:web-1 snapshot:golden-1").await;
    rex.press("Never mind").await;
    rex.run("/snapshot restore droplet:web-1 snapshot:golden-1").await;
    rex.press("Restore").await;
    stage.settle().await;
    rex.press("Undo").await;
    rex.press("Undo").await;
    stage.settle().await;
    rex.run("/snapshot list").await;
    rex.press("Next").await;
    rex.suggestions("snapshot launch", "size", "").await;
    rex.suggestions("snapshot launch", "ssh-key", "").await;
    rex.run("/snapshot launch snapshot:golden-2 name:web-2").await;
    rex.press("Launch – $6/mo").await;
    stage.settle().await;
    rex.run("/snapshot panel").await;
    rex.press("Restore…").await;
    rex.run("/droplet show droplet:web-1").await;
    rex.run("/snapshot delete snapshot:golden-3").await;
    rex.press("Delete").await;
    stage.settle().await;
    rex.run("/snapshot cancel operation:nothing").await;
    judge(&stage, &vendors);
    rex.transcript();
    stage.finish().await;
}
