//! The next step as a button: *Try again*, the buttons for a busy Droplet, the panel, and one Droplet in one message.

use jiff::SignedDuration;
use snapshot_bot_sandbox::digitalocean::fault::{Disturbance, Fault, Pattern, Quirk};

use crate::stage::{Person, Role, Stage};

/// A take of `web-1` by ada whose Snapshot DigitalOcean reports as errored.
async fn failed(stage: &Stage) -> Person {
    let ada = stage.seat("ada", Role::Operator);
    stage.fault(Fault::once(Pattern::action("snapshot"), Quirk::Err));
    ada.run("/snapshot take droplet:web-1").await;
    stage.settle().await;
    ada
}

#[tokio::test]
async fn a_failure_is_tried_again_by_one_press_once_and_asks_first() {
    let mut stage = Stage::new().await;
    let ada = failed(&stage).await;
    let (bob, vic) = (stage.seat("bob", Role::Operator), stage.seat("vic", Role::Viewer));
    let (answer, again) = ada.button("Try again").expect("a button");
    let refused = vic.seat.press(answer, &again).await.unwrap();
    vic.answered(&refused).await;
    assert!(vic.last().starts_with("You need"), "{}", vic.last());
    let before = stage.commands();
    stage.kill().await;
    stage.start().await;
    bob.press("Try again").await;
    assert!(bob.sees("**Take a Snapshot of `web-1` now?**"), "{}", bob.transcript());
    assert_eq!(stage.commands(), before, "nothing is begun before somebody says how");
    bob.press("Shut down and take").await;
    stage.settle().await;
    assert_eq!(stage.digitalocean.read(|world| world.snapshots().count()), 1);
    ada.press("Try again").await;
    assert!(ada.last().starts_with("Somebody has tried again already"), "{}", ada.last());
    assert!(ada.button("Go there").is_some() || ada.sees("[Go there] (link)"), "{}", ada.transcript());
    for person in [&ada, &bob, &vic] {
        person.transcript();
    }
    stage.finish().await;
}

#[tokio::test]
async fn a_failure_of_yesterday_is_not_tried_again_by_a_press() {
    let stage = Stage::new().await;
    let ada = failed(&stage).await;
    stage.clock.advance(SignedDuration::from_hours(25));
    ada.press("Try again").await;
    assert!(ada.last().starts_with("That was more than a day ago"), "{}", ada.last());
    ada.transcript();
    stage.finish().await;
}

#[tokio::test]
async fn a_busy_droplet_leads_to_what_runs_and_to_its_end_for_who_may() {
    let stage = Stage::new().await;
    stage.fault(Fault::once(Pattern::action("snapshot"), Quirk::NeverFinish));
    let (ada, bob) = (stage.seat("ada", Role::Operator), stage.seat("bob", Role::Operator));
    ada.run("/snapshot take droplet:web-1 power:live").await;
    stage.snapshot_begins("web-1").await;
    stage.shows(&ada, "Taking the Snapshot — started").await;
    for (person, may_cancel) in [(&bob, false), (&ada, true)] {
        person.run("/snapshot take droplet:web-1").await;
        assert!(person.sees("`web-1` is busy") && person.sees("[Go there] (link)"), "{}", person.transcript());
        assert_eq!(person.sees("[Cancel it] (danger)"), may_cancel, "{}", person.transcript());
    }
    for (person, may_cancel) in [(&bob, false), (&ada, true)] {
        person.run("/droplet show droplet:web-1").await;
        assert!(person.sees("🔄 Busy: "), "{}", person.transcript());
        let shown = person.seat.messages().last().expect("an answer").clone();
        let labels: Vec<_> = shown.components().collect();
        assert_eq!(labels[0]["label"], "Go there", "{}", person.transcript());
        assert_eq!(labels[1]["label"] == "Cancel it", may_cancel, "{}", person.transcript());
    }
    ada.press("Cancel it").await;
    stage.shows(&ada, "too late to stop").await;
    assert!(ada.button("Cancel").is_none(), "what is cancelled cannot be cancelled again");
    stage.complete_action("web-1");
    stage.settle().await;
    assert!(ada.sees("too late to cancel") && !ada.sees("ready**"), "{}", ada.transcript());
    for person in [&ada, &bob] {
        person.transcript();
    }
    stage.finish().await;
}

#[tokio::test]
async fn a_panel_names_no_droplet_and_leads_each_person_to_what_they_may_do() {
    let mut stage = Stage::new().await;
    let web = stage.droplet("web-1");
    stage.digitalocean.world(|world| world.add_snapshot(web, "golden", 2.0));
    let (rex, ada, vic) =
        (stage.seat("rex", Role::Restorer), stage.seat("ada", Role::Operator), stage.seat("vic", Role::Viewer));
    ada.run("/snapshot panel").await;
    assert!(ada.last().starts_with("You need"), "{}", ada.last());
    rex.run("/snapshot panel").await;
    let panel = vic.seat.messages().last().unwrap().clone();
    assert!(panel.is_public() && !panel.body.content.contains("web"), "{panel:?}");
    stage.kill().await;
    stage.start().await;
    stage.online().await;
    vic.press("Take…").await;
    assert!(vic.last().starts_with("You need"), "{}", vic.last());
    vic.press("List").await;
    assert!(vic.sees("All Snapshots"), "{}", vic.transcript());
    ada.press("Take…").await;
    assert!(vic.menu().is_some_and(|(_, id, _)| id == "choose:snapshot"), "what ada chooses from is hers alone");
    ada.choose(&web.to_string()).await;
    assert!(ada.sees("**Take a Snapshot of `web-1` now?**"), "{}", ada.transcript());
    ada.press("Keep running").await;
    stage.settle().await;
    // The answer to ada's take has another button of this name.
    let menu = rex.seat.press(panel.id, "begin:restore:all").await.unwrap();
    rex.answered(&menu).await;
    rex.choose(&web.to_string()).await;
    let golden = rex.menu().expect("a menu").2.pop().expect("the oldest");
    rex.choose(&golden).await;
    assert!(rex.sees("**Restore `web-1` from `golden`?**"), "{}", rex.transcript());
    rex.press("Never mind").await;
    assert!(rex.sees("OK, `web-1` was not restored."), "{}", rex.transcript());
    assert_eq!(stage.commands(), ["snapshot web-1"]);
    for person in [&rex, &ada, &vic] {
        person.transcript();
    }
    stage.finish().await;
}

#[tokio::test]
async fn the_menu_of_the_panel_says_what_the_suggestions_say() {
    let stage = Stage::new().await;
    let web = stage.droplet("web-1");
    let rex = stage.seat("rex", Role::Restorer);
    rex.run("/snapshot take droplet:web-1 power:live").await;
    stage.settle().await;
    rex.press("Restore…").await;
    rex.press("Restore").await;
    stage.settle().await;
    rex.run("/snapshot panel").await;
    let panel = rex.seat.messages().last().unwrap().id;
    let menu = rex.seat.press(panel, "begin:restore:all").await.unwrap();
    rex.answered(&menu).await;
    rex.choose(&web.to_string()).await;
    let others = [("droplet", serde_json::json!(web.to_string()))];
    let suggested = rex.seat.autocomplete("snapshot restore", "snapshot", "", &others).await.unwrap();
    let suggested: Vec<String> = suggested.into_iter().map(|choice| choice.name).collect();
    let is_safety = |label: &String| label.starts_with("🛟 ") && label.contains(" · rex · ");
    assert!(suggested.len() == 2 && suggested.iter().any(is_safety), "{suggested:?}");
    for label in suggested {
        assert!(rex.sees(&label), "{label}\n{}", rex.transcript());
    }
    rex.transcript();
    stage.finish().await;
}

#[tokio::test]
async fn a_panel_tells_an_outage_from_having_nothing() {
    let stage = Stage::new().await;
    let web = stage.droplet("web-1");
    let rex = stage.seat("rex", Role::Restorer);
    rex.run("/snapshot panel").await;
    stage.fault(Fault::always(Pattern::at("/v2/snapshots"), Disturbance::Down));
    stage.fault(Fault::always(Pattern::at("/v2/droplets/*/snapshots"), Disturbance::Down));
    rex.press("Restore…").await;
    rex.choose(&web.to_string()).await;
    assert!(rex.last().starts_with("DigitalOcean isn't responding"), "{}", rex.transcript());
    stage.digitalocean.world(snapshot_bot_sandbox::digitalocean::world::World::clear_faults);
    rex.press("Restore…").await;
    rex.choose(&web.to_string()).await;
    assert!(rex.sees("has no Snapshots yet"), "{}", rex.transcript());
    rex.transcript();
    stage.finish().await;
}

#[tokio::test]
async fn a_panel_in_an_outage_does_not_say_that_there_are_no_droplets() {
    let stage = Stage::new().await;
    let rex = stage.seat("rex", Role::Restorer);
    rex.run("/snapshot panel").await;
    stage.fault(Fault::always(Pattern::any(), Disturbance::Down));
    rex.press("Take…").await;
    assert!(rex.last().starts_with("DigitalOcean isn't responding"), "{}", rex.transcript());
    stage.digitalocean.world(snapshot_bot_sandbox::digitalocean::world::World::clear_faults);
    stage.clock.advance(SignedDuration::from_secs(61));
    rex.press("Try again").await;
    assert!(rex.menu().is_some(), "{}", rex.transcript());
    rex.transcript();
    stage.finish().await;
}

#[tokio::test]
async fn status_leads_to_one_operation_and_a_snapshot_of_the_list_is_pinned_by_a_press() {
    let stage = Stage::new().await;
    let (ada, vic) = (stage.seat("ada", Role::Operator), stage.seat("vic", Role::Viewer));
    ada.run("/snapshot take droplet:web-1 power:live").await;
    stage.settle().await;
    vic.run("/snapshot status").await;
    let operation = vic.menu().expect("a menu").2.remove(0);
    vic.choose(&operation).await;
    assert!(vic.sees("Requested by @ada"), "{}", vic.transcript());
    for (person, may_pin) in [(&vic, false), (&ada, true)] {
        person.run("/snapshot list").await;
        let taken = person.menu().expect("a menu").2.remove(0);
        person.choose(&taken).await;
        assert_eq!(person.button("Pin").is_some(), may_pin, "{}", person.transcript());
    }
    ada.press("Pin").await;
    assert_eq!(stage.query("SELECT COUNT(*) AS n FROM snapshot_pins").await, 1, "{}", ada.transcript());
    let taken = ada.menu().expect("a menu").2.remove(0);
    ada.choose(&taken).await;
    ada.press("Unpin").await;
    assert_eq!(stage.query("SELECT COUNT(*) AS n FROM snapshot_pins").await, 0, "{}", ada.transcript());
    for person in [&ada, &vic] {
        person.transcript();
    }
    stage.finish().await;
}

#[tokio::test]
async fn one_droplet_at_a_look_offers_what_this_reader_may_do() {
    let stage = Stage::new().await;
    let web = stage.droplet("web-1");
    stage.digitalocean.world(|world| world.add_snapshot(web, "golden", 2.0));
    let (rex, vic, eve) =
        (stage.seat("rex", Role::Restorer), stage.seat("vic", Role::Viewer), stage.seat("eve", Role::Guest));
    for person in [&rex, &vic, &eve] {
        person.run("/droplet show droplet:web-1").await;
    }
    assert!(eve.last().starts_with("You need"), "{}", eve.last());
    assert!(vic.sees("`web-1` · 🟢 on") && vic.sees("Last Snapshot"), "{}", vic.transcript());
    assert!(vic.button("Take…").is_none() && vic.button("Restore…").is_none() && vic.button("List").is_some());
    rex.press("Restore…").await;
    assert!(rex.menu().is_some(), "{}", rex.transcript());
    rex.press("Take…").await;
    rex.press("Never mind").await;
    assert!(rex.sees("OK, no Snapshot of `web-1` was taken."), "{}", rex.transcript());
    assert!(stage.commands().is_empty());
    for person in [&rex, &vic, &eve] {
        person.transcript();
    }
    stage.finish().await;
}

#[tokio::test]
async fn what_an_outage_refused_is_asked_for_again_by_one_press() {
    let stage = Stage::new().await;
    let web = stage.droplet("web-1");
    let snapshot = stage.digitalocean.world(|world| world.add_snapshot(web, "golden", 2.0));
    let (ada, ruth) = (stage.seat("ada", Role::Operator), stage.seat("ruth", Role::Restorer));
    let is_offered = |person: &Person| {
        let last = person.seat.messages().last().map(|message| message.id);
        person.button("Try again").is_some_and(|(message, _)| Some(message) == last)
    };
    stage.fault(Fault::always(Pattern::any(), Disturbance::Down));
    for (person, line) in [
        (&ada, format!("/snapshot take droplet:{web}")),
        (&ruth, format!("/snapshot restore droplet:{web} snapshot:{snapshot}")),
        (&ruth, format!("/snapshot launch snapshot:{snapshot} name:web-2")),
        (&ruth, format!("/snapshot delete snapshot:{snapshot}")),
        (&ruth, "/snapshot list".to_owned()),
        (&ruth, format!("/snapshot list droplet:{web}")),
    ] {
        person.run(&line).await;
        stage.until("the answer is there", |_| !person.sees("is thinking")).await;
        assert!(person.last().starts_with("DigitalOcean isn't responding"), "{line}\n{}", person.transcript());
        assert!(is_offered(person), "{line}\n{}", person.transcript());
    }
    // A button cannot carry these options, so there is none.
    for line in [format!("/snapshot take droplet:{web} name:golden"), format!("/droplet show droplet:{web}")] {
        ada.run(&line).await;
        stage.until("the answer is there", |_| !ada.sees("is thinking")).await;
        assert!(!is_offered(&ada), "{line}\n{}", ada.transcript());
        assert!(ada.last().ends_with("so send the command again."), "{line}\n{}", ada.transcript());
    }
    ada.run(&format!("/snapshot take droplet:{web}")).await;
    stage.until("the answer is there", |_| !ada.sees("is thinking")).await;
    stage.digitalocean.world(snapshot_bot_sandbox::digitalocean::world::World::clear_faults);
    // In an outage DigitalOcean is asked once a minute.
    stage.clock.advance(SignedDuration::from_mins(2));
    ada.press("Try again").await;
    assert!(ada.sees("**Take a Snapshot of `web-1` now?**"), "{}", ada.transcript());
    assert_eq!(stage.commands(), [""; 0], "nothing is begun before somebody says how");
    ada.press("Shut down and take").await;
    stage.settle().await;
    assert_eq!(stage.commands(), ["shutdown web-1", "snapshot web-1", "power_on web-1"]);
    for person in [&ada, &ruth] {
        person.transcript();
    }
    stage.finish().await;
}
