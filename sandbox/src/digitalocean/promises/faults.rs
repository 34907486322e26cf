//! The effects of faults, and that they have no others.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::{Bench, seconds};
use crate::digitalocean::{
    action::Progress,
    corrupt::Malformation,
    fault::{Disturbance, Fault, HungAction, Pattern, Quirk},
    http_types::{Delivery, Method},
    image::SizeShown,
};

#[test]
fn a_restore_that_errs_leaves_an_unsound_disk() {
    let mut bench = Bench::new();
    let own = bench.world.add_snapshot(bench.droplet, "own", 1.0);
    bench.world.add_fault(Fault::once(Pattern::action("restore"), Quirk::Err));
    let answer = bench.act(&json!({"type": "restore", "image": own}));
    bench.wait(10);
    assert_eq!(bench.action_status(answer.json()["action"]["id"].as_u64().unwrap()), "errored");
    assert!(!bench.world.droplet(bench.droplet).unwrap().disk.sound);
}

#[test]
fn a_cut_before_executes_nothing_and_a_cut_after_does() {
    let mut bench = Bench::new();
    bench.world.add_fault(Fault::once(Pattern::action("shutdown"), Disturbance::CutBefore));
    bench.world.add_fault(Fault::once(Pattern::action("shutdown"), Disturbance::CutAfter).after(1));
    assert_eq!(bench.act(&json!({"type": "shutdown"})).delivery, Delivery::Cut);
    assert!(bench.world.actions_of(bench.droplet).is_empty());
    assert_eq!(bench.act(&json!({"type": "shutdown"})).delivery, Delivery::Cut);
    assert_eq!(bench.world.actions_of(bench.droplet).len(), 1);
    assert!(bench.world.faults().is_empty());
}

#[test]
fn a_postponed_request_is_executed_even_if_nobody_listens() {
    let mut bench = Bench::new();
    let late = Disturbance::ExecuteLate { after: seconds(20) };
    bench.world.add_fault(Fault::once(Pattern::action("snapshot"), late));
    let answer = bench.act(&json!({"type": "snapshot", "name": "late"}));
    let Delivery::Postponed { ticket, until } = answer.delivery else { panic!("{answer:?}") };
    assert_eq!(until, bench.now + seconds(20));
    bench.wait(19);
    assert!(bench.world.actions_of(bench.droplet).is_empty());
    bench.wait(1);
    assert_eq!(bench.world.actions_of(bench.droplet)[0].started_at, bench.now);
    assert_eq!(bench.world.take_postponed(ticket, bench.now).unwrap().status, 201);
}

#[test]
fn a_hung_shutdown_may_take_effect_late_but_never_outlives_a_boot() {
    for (action, off_after) in [(HungAction::InProgress, None), (HungAction::Completes, Some(seconds(60)))] {
        let mut bench = Bench::new();
        let hang = Quirk::ShutdownHangs { action, off_after };
        bench.world.add_fault(Fault::once(Pattern::action("shutdown"), hang));
        let id = bench.begin("shutdown");
        bench.wait(59);
        let ended = if action == HungAction::Completes { "completed" } else { "in-progress" };
        assert_eq!((bench.action_status(id), bench.status()), (json!(ended), json!("active")));
        bench.wait(1);
        assert_eq!(bench.status(), if off_after.is_some() { "off" } else { "active" });
    }
    let mut bench = Bench::new();
    let hang = Quirk::ShutdownHangs { action: HungAction::Errs, off_after: Some(seconds(60)) };
    bench.world.add_fault(Fault::once(Pattern::action("shutdown"), hang));
    bench.begin("shutdown");
    bench.wait(10);
    bench.begin("power_cycle");
    bench.wait(90);
    assert_eq!(bench.status(), "active");
}

#[test]
fn an_action_that_never_finishes_blocks_its_droplet_until_an_operator_ends_it() {
    let mut bench = Bench::new();
    bench.world.add_fault(Fault::once(Pattern::action("snapshot"), Quirk::NeverFinish));
    let id = bench.begin("snapshot");
    bench.wait(100_000);
    assert_eq!(bench.action_status(id), "in-progress");
    bench.world.finish_action(id, Progress::Completed);
    assert_eq!(bench.world.snapshots_of(bench.droplet).len(), 1);
    assert_eq!(bench.world.droplet(bench.droplet).unwrap().pending, None);
}

#[test]
fn a_snapshot_may_be_listed_without_its_size_for_a_while() {
    let mut bench = Bench::new();
    let sizeless = Quirk::Sizeless { shown: SizeShown::Absent, until: Some(seconds(5)) };
    bench.world.add_fault(Fault::once(Pattern::action("snapshot"), sizeless));
    bench.begin("snapshot");
    bench.wait(14);
    assert!(bench.get("/v2/snapshots")["snapshots"][0].get("size_gigabytes").is_none());
    bench.wait(3);
    assert_eq!(bench.get("/v2/snapshots")["snapshots"][0]["size_gigabytes"], 2.36);
}

#[test]
fn a_snapshot_may_be_listed_later_than_others_or_never() {
    for (after, listed) in [(Some(seconds(60)), 1), (None, 0)] {
        let mut bench = Bench::new();
        bench.world.add_fault(Fault::once(Pattern::action("snapshot"), Quirk::ListedLate { after }));
        bench.begin("snapshot");
        bench.wait(69);
        assert_eq!(bench.get("/v2/snapshots")["meta"]["total"], 0);
        bench.wait(1);
        assert_eq!(bench.get("/v2/snapshots")["meta"]["total"], listed);
    }
}

#[test]
fn a_quirk_waits_for_an_action_that_can_have_it() {
    let mut bench = Bench::new();
    let hang = Quirk::ShutdownHangs { action: HungAction::Errs, off_after: None };
    bench.world.add_fault(Fault::once(Pattern::any(), hang));
    bench.get("/v2/account");
    let snapshot = bench.begin("snapshot");
    bench.wait(10);
    let shutdown = bench.begin("shutdown");
    bench.wait(10);
    assert_eq!((bench.action_status(snapshot), bench.action_status(shutdown)), (json!("completed"), json!("errored")));
    assert_eq!(bench.status(), "active");
}

#[test]
fn a_named_fault_lasts_until_it_is_ended() {
    let mut bench = Bench::new();
    bench.world.add_fault(Fault::always(Pattern::any(), Disturbance::Down).named("down"));
    for _ in 0..3 {
        assert_eq!(bench.ask(Method::Get, "/v2/account", &Value::Null).status, 503);
    }
    bench.world.end_fault("down");
    bench.get("/v2/account");
}

#[test]
fn an_absurd_duration_is_for_ever_and_no_panic() {
    let mut bench = Bench::new();
    let late = Disturbance::ExecuteLate { after: SignedDuration::MAX };
    bench.world.add_fault(Fault::once(Pattern::any(), late));
    let answer = bench.act(&json!({"type": "shutdown"}));
    assert!(matches!(answer.delivery, Delivery::Postponed { until, .. } if until == Timestamp::MAX));
}

#[test]
fn faults_answer_as_they_were_asked_to() {
    let mut bench = Bench::new();
    let refuse = Disturbance::Refuse { status: 418, id: "teapot".into(), message: "short and stout".into() };
    let mut meet = |disturbance: Disturbance| {
        bench.world.add_fault(Fault::once(Pattern::any(), disturbance));
        bench.ask(Method::Get, "/v2/droplets", &Value::Null)
    };
    Bench::refused(&meet(refuse), 418, "short and stout");
    assert_eq!(meet(Disturbance::Down).status, 503);
    assert_eq!(meet(Disturbance::Throttle { retry_after: Some(7) }).header("retry-after"), Some("7"));
    assert_eq!(meet(Disturbance::Throttle { retry_after: None }).header("retry-after"), None);
    assert_eq!(meet(Disturbance::AnswerLate { after: seconds(3) }).delivery, Delivery::Late(seconds(3)));
    for how in [Malformation::Truncated, Malformation::Html, Malformation::Empty] {
        assert_eq!(meet(Disturbance::Malform { how }).json(), Value::Null);
    }
    let nulls = meet(Disturbance::Malform { how: Malformation::Nulls }).json();
    assert_eq!(nulls["droplets"][0]["name"], Value::Null);
    assert_eq!(meet(Disturbance::Malform { how: Malformation::NoFields }).json(), json!({}));
    let droplet = bench.droplet;
    bench.world.add_fault(Fault::once(Pattern::action("shutdown").droplet(droplet), Disturbance::Lie));
    assert_ne!(bench.act(&json!({"type": "shutdown"})).json()["action"]["resource_id"], droplet);
    assert!(bench.world.rejections().is_empty());
}
