//! A shutdown that hangs: the question, its answers, and the Droplet that goes off after all.

use insta::assert_snapshot;
use jiff::SignedDuration;
use snapshot_bot_sandbox::digitalocean::fault::{Fault, HungAction, Pattern, Quirk};

use crate::stage::{Person, Role, Stage};

const TIMEOUT: SignedDuration = SignedDuration::from_secs(21);
const DECISION: SignedDuration = SignedDuration::from_secs(61);
/// A shutdown may take effect this long after its intent.
const LATE: SignedDuration = SignedDuration::from_mins(16);

/// A stage on which the next shutdown hangs.
async fn hanging(action: HungAction) -> Stage {
    let stage = Stage::new().await;
    stage.fault(Fault::once(Pattern::action("shutdown"), Quirk::ShutdownHangs { action, off_after: None }));
    stage
}

/// Begins the shutdown and lets its time run out.
async fn ask_for_it(stage: &Stage, person: &Person, line: &str) {
    person.run(line).await;
    stage.until("the shutdown has begun", |stage| !stage.commands().is_empty()).await;
    let begun = "SELECT COUNT(*) AS n FROM operations WHERE state LIKE '%\"action\":%'";
    stage.until_query("the Action is known", begun).await;
    stage.clock.advance(TIMEOUT);
}

async fn questioned(stage: &Stage) -> Person {
    let ada = stage.seat("ada", Role::Operator);
    ask_for_it(stage, &ada, "/snapshot take droplet:web-1").await;
    // It is a message of its own, which notifies her, and it tells until when it waits.
    stage.shows(&ada, "If nobody answers, I'll cancel ‹time R›.").await;
    stage.shows(&ada, "shutdown is stuck, decide below").await;
    assert_eq!(ada.seat.pings(), 1);
    ada
}

/// Lets the time pass in which the shutdown may still take effect.
async fn out_of_danger(stage: &Stage) {
    stage.clock.advance(LATE);
    stage.settle().await;
}

#[tokio::test]
async fn a_hung_shutdown_asks_what_to_do_and_says_what_each_answer_means() {
    let stage = hanging(HungAction::Completes).await;
    let ada = questioned(&stage).await;
    assert_snapshot!(ada.transcript());
    ada.press("Cancel").await;
    stage.until("it is announced", |_| ada.sees("cancelled by")).await;
    out_of_danger(&stage).await;
    assert_eq!(stage.commands(), ["shutdown web-1"]);
    assert_snapshot!("hung_and_cancelled", ada.transcript());
    stage.finish().await;
}

#[tokio::test]
async fn forced_it_is_cut_off_taken_and_turned_on() {
    let stage = hanging(HungAction::Completes).await;
    let ada = questioned(&stage).await;
    ada.press("Force power off").await;
    stage.settle().await;
    assert_eq!(stage.commands(), ["shutdown web-1", "power_off web-1", "snapshot web-1", "power_on web-1"]);
    assert_snapshot!(ada.transcript());
    stage.finish().await;
}

#[tokio::test]
async fn taken_live_it_keeps_running() {
    let stage = hanging(HungAction::Completes).await;
    let ada = questioned(&stage).await;
    ada.press("Take it live").await;
    stage.until("it is announced", |_| ada.sees("is ready")).await;
    out_of_danger(&stage).await;
    assert_eq!(stage.commands(), ["shutdown web-1", "snapshot web-1"]);
    assert_snapshot!(ada.transcript());
    stage.finish().await;
}

#[tokio::test]
async fn while_the_shutdown_is_still_pending_an_answer_waits_for_it() {
    let stage = hanging(HungAction::InProgress).await;
    let ada = questioned(&stage).await;
    ada.press("Take it live").await;
    stage.shows(&ada, "locked").await;
    stage.shows(&ada, "chose **Take it live**").await;
    assert_snapshot!("the_pending_shutdown_is_waited_for", ada.transcript());
    stage.complete_action("web-1");
    stage.shows(&ada, "is ready").await;
    out_of_danger(&stage).await;
    assert!(stage.is_on("web-1"));
    assert_snapshot!(ada.transcript());
    stage.finish().await;
}

#[tokio::test]
async fn a_shutdown_that_errs_is_asked_about_at_once() {
    let stage = hanging(HungAction::Errs).await;
    let ada = stage.seat("ada", Role::Operator);
    ada.run("/snapshot take droplet:web-1").await;
    stage.shows(&ada, "[Force power off]").await;
    stage.shows(&ada, "shutdown is stuck, decide below").await;
    assert_snapshot!("the_shutdown_errs", ada.transcript());
    ada.press("Take it live").await;
    stage.until("it is announced", |_| ada.sees("is ready")).await;
    out_of_danger(&stage).await;
    ada.transcript();
    stage.finish().await;
}

#[tokio::test]
async fn without_an_answer_it_is_cancelled_and_late_answers_are_told_so() {
    let stage = hanging(HungAction::Completes).await;
    let ada = questioned(&stage).await;
    let force = ada.button("Force power off").unwrap();
    stage
        .until_query("its time runs", "SELECT COUNT(*) AS n FROM operations WHERE state LIKE '%\"shown_at\":\"%'")
        .await;
    stage.clock.advance(DECISION);
    stage.until("it is announced", |_| ada.sees("was cancelled")).await;
    ada.seat.forge_press(force.0, &force.1).await.unwrap();
    out_of_danger(&stage).await;
    assert_eq!(stage.commands(), ["shutdown web-1"]);
    assert_snapshot!(ada.transcript());
    stage.finish().await;
}

#[tokio::test]
async fn the_requester_and_who_may_restore_decide_and_nobody_else() {
    let stage = hanging(HungAction::Completes).await;
    let ada = questioned(&stage).await;
    let (bob, eve, ruth) =
        (stage.seat("bob", Role::Operator), stage.seat("eve", Role::Guest), stage.seat("ruth", Role::Restorer));
    bob.press("Force power off").await;
    eve.press("Force power off").await;
    assert_snapshot!("bob_may_not_decide", bob.transcript());
    assert_snapshot!("eve_may_not_decide", eve.transcript());
    ruth.press("Force power off").await;
    stage.settle().await;
    assert_eq!(stage.commands(), ["shutdown web-1", "power_off web-1", "snapshot web-1", "power_on web-1"]);
    assert_snapshot!("ruth_decides", ruth.transcript());
    ada.transcript();
    stage.finish().await;
}

#[tokio::test]
async fn the_question_survives_a_crash_and_its_buttons_work_afterwards() {
    let mut stage = hanging(HungAction::Completes).await;
    let ada = questioned(&stage).await;
    stage.kill().await;
    stage.start().await;
    ada.press("Force power off").await;
    stage.settle().await;
    assert_eq!(stage.commands(), ["shutdown web-1", "power_off web-1", "snapshot web-1", "power_on web-1"]);
    assert_snapshot!(ada.transcript());
    stage.finish().await;
}

#[tokio::test]
async fn a_second_answer_hears_that_it_is_decided() {
    let stage = hanging(HungAction::Completes).await;
    let ada = questioned(&stage).await;
    let (message, live) = ada.button("Take it live").unwrap();
    ada.press("Force power off").await;
    stage.settle().await;
    ada.seat.forge_press(message, &live).await.unwrap();
    assert_eq!(stage.commands(), ["shutdown web-1", "power_off web-1", "snapshot web-1", "power_on web-1"]);
    assert!(ada.sees("has ended already"), "{}", ada.transcript());
    ada.transcript();
    stage.finish().await;
}

async fn goes_off_late(answer: &str, announced: &str) -> String {
    let stage = hanging(HungAction::Completes).await;
    let ada = questioned(&stage).await;
    ada.press(answer).await;
    stage.until("it is announced", |_| ada.sees(announced)).await;
    let web = stage.droplet("web-1");
    stage.digitalocean.world(|world| world.turn_off(web));
    stage.until_later("it is on again", |stage| stage.is_on("web-1")).await;
    stage.settle().await;
    assert_eq!(stage.commands().last().unwrap(), "power_on web-1");
    let seen = ada.transcript();
    stage.finish().await;
    seen
}

#[tokio::test]
async fn a_shutdown_that_takes_effect_after_cancel_is_made_good() {
    assert_snapshot!(goes_off_late("Cancel", "cancelled by").await);
}

#[tokio::test]
async fn a_shutdown_that_takes_effect_after_take_it_live_is_made_good() {
    assert_snapshot!(goes_off_late("Take it live", "is ready").await);
}

#[tokio::test]
async fn a_late_off_is_made_good_after_a_restart_too() {
    let mut stage = hanging(HungAction::Completes).await;
    let ada = questioned(&stage).await;
    ada.press("Cancel").await;
    stage.until("it is announced", |_| ada.sees("cancelled by")).await;
    stage.kill().await;
    let web = stage.droplet("web-1");
    stage.digitalocean.world(|world| world.turn_off(web));
    stage.start().await;
    stage.until_later("it is on again", |stage| stage.is_on("web-1")).await;
    stage.settle().await;
    ada.transcript();
    assert_eq!(stage.commands(), ["shutdown web-1", "power_on web-1"]);
    stage.finish().await;
}

#[tokio::test]
async fn who_knows_beforehand_is_not_asked_when_it_is_to_be_forced() {
    let stage = hanging(HungAction::Completes).await;
    let ada = stage.seat("ada", Role::Operator);
    ask_for_it(&stage, &ada, "/snapshot take droplet:web-1 if-hung:force").await;
    stage.settle().await;
    // DigitalOcean may refuse the first one while the shutdown is pending; then it is sent again.
    let mut commands = stage.commands();
    commands.dedup();
    assert_eq!(commands, ["shutdown web-1", "power_off web-1", "snapshot web-1", "power_on web-1"]);
    assert_snapshot!(ada.transcript());
    stage.finish().await;
}

#[tokio::test]
async fn who_knows_beforehand_is_not_asked_when_it_is_to_be_live() {
    let stage = hanging(HungAction::Completes).await;
    let ada = stage.seat("ada", Role::Operator);
    ask_for_it(&stage, &ada, "/snapshot take droplet:web-1 if-hung:live").await;
    stage.until("it is announced", |_| ada.sees("is ready")).await;
    out_of_danger(&stage).await;
    assert_eq!(stage.commands(), ["shutdown web-1", "snapshot web-1"]);
    assert_snapshot!(ada.transcript());
    stage.finish().await;
}
