//! DigitalOcean in trouble: each fault with its outcome, and its text in the channel.

use insta::assert_snapshot;
use jiff::SignedDuration;
use snapshot_bot_sandbox::digitalocean::{
    corrupt::Malformation,
    fault::{Disturbance, Fault, Pattern, Quirk},
    http_types::Method,
};

use crate::stage::{Person, Role, Stage};

const WHOLE: [&str; 3] = ["shutdown web-1", "snapshot web-1", "power_on web-1"];
const COMMANDS: [&str; 3] = ["shutdown", "snapshot", "power_on"];

fn refusal(status: u16, id: &str, message: &str) -> Disturbance {
    Disturbance::Refuse { status, id: id.to_owned(), message: message.to_owned() }
}

/// Takes a Snapshot to the end with these faults.
async fn take_with(faults: impl IntoIterator<Item = Fault>) -> (Stage, Person) {
    let stage = Stage::new().await;
    let ada = stage.seat("ada", Role::Operator);
    // Suggestions are looked up before anything goes wrong.
    ada.suggestions("snapshot take", "droplet", "web").await;
    faults.into_iter().for_each(|fault| stage.fault(fault));
    ada.run("/snapshot take droplet:web-1").await;
    stage.settle().await;
    assert!(stage.is_on("web-1"), "{}", stage.conversation());
    (stage, ada)
}

/// The outcome that no fault may change: power as before, one Snapshot, one announcement.
async fn ends_well(stage: Stage, ada: &Person) {
    assert_eq!(stage.digitalocean.read(|world| world.snapshots().count()), 1, "{}", stage.conversation());
    assert!(ada.sees("is ready: 2.4 GB"), "{}", ada.transcript());
    assert_eq!(ada.seat.pings(), 1);
    ada.transcript();
    stage.finish().await;
}

#[tokio::test]
async fn a_refused_token_ends_it_before_anything_is_off() {
    let (stage, ada) = take_with([Fault::always(
        Pattern::action("shutdown"),
        refusal(401, "unauthorized", "Unable to authenticate you"),
    )])
    .await;
    assert_eq!(stage.commands(), ["shutdown web-1", "shutdown web-1"], "one refusal is not believed");
    assert_snapshot!(ada.transcript());
    stage.finish().await;
}

#[tokio::test]
async fn a_token_that_is_refused_for_the_snapshot_still_brings_power_back() {
    let (stage, ada) = take_with([Fault::always(
        Pattern::action("snapshot"),
        refusal(401, "unauthorized", "Unable to authenticate you"),
    )])
    .await;
    assert_eq!(stage.commands(), ["shutdown web-1", "snapshot web-1", "snapshot web-1", "power_on web-1"]);
    assert_snapshot!(ada.transcript());
    stage.finish().await;
}

#[tokio::test]
async fn a_refused_snapshot_is_told_in_digitaloceans_words() {
    let message = "You specified an `invalid` image @everyone for Droplet creation.";
    let (stage, ada) =
        take_with([Fault::once(Pattern::action("snapshot"), refusal(422, "unprocessable_entity", message))]).await;
    assert_eq!(stage.commands(), WHOLE);
    assert_snapshot!(ada.transcript());
    stage.finish().await;
}

#[tokio::test]
async fn a_droplet_that_is_not_found_is_told() {
    let gone = refusal(404, "not_found", "The resource you were accessing could not be found.");
    let stage = Stage::new().await;
    let ada = stage.seat("ada", Role::Operator);
    ada.suggestions("snapshot take", "droplet", "web").await;
    let web = stage.droplet("web-1");
    stage.digitalocean.world(|world| world.destroy(web));
    stage.fault(Fault::once(Pattern::of(Method::Post, "/v2/**"), gone));
    ada.seat.slash("snapshot take").with("droplet", web.to_string()).send().await.unwrap();
    stage.settle().await;
    assert!(stage.commands().is_empty());
    assert_snapshot!(ada.transcript());
    stage.finish().await;
}

#[tokio::test]
async fn no_request_leaves_before_retry_after_is_over() {
    for action in COMMANDS {
        let throttle = Disturbance::Throttle { retry_after: Some(1) };
        let (stage, ada) = take_with([Fault::once(Pattern::action(action), throttle)]).await;
        let journal = stage.digitalocean.journal();
        let at = journal.iter().position(|entry| entry.status() == Some(429)).unwrap();
        let (refused, next) = (&journal[at], &journal[at + 1]);
        let pause = next.at.duration_since(refused.at);
        assert!(pause >= SignedDuration::from_millis(950), "{action}: {pause:?}\n{}", stage.conversation());
        ends_well(stage, &ada).await;
    }
}

#[tokio::test]
async fn a_limit_without_a_word_on_its_end_is_waited_for() {
    let stage = Stage::new().await;
    let ada = stage.seat("ada", Role::Operator);
    ada.suggestions("snapshot take", "droplet", "web").await;
    stage.fault(Fault::once(Pattern::action("snapshot"), Disturbance::Throttle { retry_after: None }));
    ada.run("/snapshot take droplet:web-1").await;
    stage.shows(&ada, "request limit").await;
    assert_snapshot!(ada.transcript());
    let asked = stage.digitalocean.journal().len();
    assert_eq!(stage.digitalocean.journal()[asked - 1].status(), Some(429), "nothing is asked meanwhile");
    // After two minutes, an operation whose Droplet is off may test whether the limit still holds.
    stage.clock.advance(SignedDuration::from_mins(3));
    stage.settle().await;
    ends_well(stage, &ada).await;
}

#[tokio::test]
async fn a_command_that_was_not_carried_out_is_begun_again() {
    for action in COMMANDS {
        for lost in [Disturbance::CutBefore, Disturbance::Down] {
            let (stage, ada) = take_with([Fault::once(Pattern::action(action), lost)]).await;
            assert_eq!(stage.commands().len(), 4, "{}", stage.conversation());
            ends_well(stage, &ada).await;
        }
    }
}

#[tokio::test]
async fn a_command_whose_answer_was_lost_is_found_and_not_sent_again() {
    for action in COMMANDS {
        for lost in [
            Disturbance::CutAfter,
            Disturbance::Malform { how: Malformation::Truncated },
            Disturbance::Malform { how: Malformation::Html },
            Disturbance::Malform { how: Malformation::WrongTypes },
            Disturbance::Lie,
        ] {
            let (stage, ada) = take_with([Fault::once(Pattern::action(action), lost.clone())]).await;
            assert_eq!(stage.commands(), WHOLE, "{action} {lost:?}\n{}", stage.conversation());
            ends_well(stage, &ada).await;
        }
    }
}

#[tokio::test]
async fn a_command_that_takes_effect_after_its_deadline_is_found() {
    // Longer than the deadline of a request, so that the answer comes too late.
    let late = Disturbance::ExecuteLate { after: SignedDuration::from_millis(10_200) };
    let stage = Stage::dark().await;
    let mut stage = stage;
    stage.environment.insert("SETTLE_TIME", "3s".to_owned());
    stage.start().await;
    let ada = stage.seat("ada", Role::Operator);
    ada.suggestions("snapshot take", "droplet", "web").await;
    stage.fault(Fault::once(Pattern::action("snapshot"), late));
    ada.run("/snapshot take droplet:web-1 power:live").await;
    stage.settle().await;
    assert_eq!(stage.commands(), ["snapshot web-1"]);
    ends_well(stage, &ada).await;
}

#[tokio::test]
async fn looks_that_fail_are_repeated() {
    let looks = [
        Pattern::of(Method::Get, "/v2/droplets/*"),
        Pattern::of(Method::Get, "/v2/actions/*"),
        Pattern::of(Method::Get, "/v2/droplets/*/actions"),
        Pattern::of(Method::Get, "/v2/droplets/*/snapshots"),
    ];
    for how in [
        Disturbance::Down,
        Disturbance::CutBefore,
        Disturbance::Malform { how: Malformation::Html },
        Disturbance::Malform { how: Malformation::WrongTypes },
        Disturbance::Malform { how: Malformation::Nulls },
        Disturbance::Malform { how: Malformation::Empty },
        Disturbance::Malform { how: Malformation::NoFields },
        Disturbance::Lie,
    ] {
        let faults = looks.clone().map(|look| Fault::once(look, how.clone()));
        let (stage, ada) = take_with(faults).await;
        assert_eq!(stage.commands(), WHOLE, "{how:?}\n{}", stage.conversation());
        ends_well(stage, &ada).await;
    }
}

#[tokio::test]
async fn while_digitalocean_is_down_as_a_whole_it_waits_and_says_so_once() {
    let stage = Stage::new().await;
    stage.fault(Fault::once(Pattern::action("snapshot"), Quirk::NeverFinish));
    let ada = stage.seat("ada", Role::Operator);
    ada.run("/snapshot take droplet:web-1").await;
    stage.shows(&ada, "Taking the Snapshot — started").await;
    stage.fault(Fault::always(Pattern::any(), Disturbance::Down).named("down"));
    stage.shows(&ada, "DigitalOcean isn't responding").await;
    assert_snapshot!("down_as_a_whole", ada.transcript());
    let edits =
        |stage: &Stage| stage.discord.world().journal().iter().filter(|entry| entry.request.method == "PATCH").count();
    let before = edits(&stage);
    for _ in 0..3 {
        let asked = stage.digitalocean.journal().len();
        stage.clock.advance(SignedDuration::from_mins(1));
        stage.until("it is asked again", |stage| stage.digitalocean.journal().len() > asked).await;
    }
    assert_eq!(edits(&stage), before, "it was said more than once");
    stage.digitalocean.world(|world| world.end_fault("down"));
    stage.complete_action("web-1");
    stage.until_later("it is on again", |stage| stage.is_on("web-1")).await;
    stage.settle().await;
    assert_eq!(stage.commands(), WHOLE);
    ends_well(stage, &ada).await;
}

#[tokio::test]
async fn down_while_power_is_to_come_back_people_are_called_once_and_it_comes_back() {
    let stage = Stage::new().await;
    let ada = stage.seat("ada", Role::Operator);
    stage.fault(Fault::always(Pattern::action("power_on"), Disturbance::Down).named("down"));
    ada.run("/snapshot take droplet:web-1").await;
    stage.until("power on is tried", |stage| stage.commands().len() == 3).await;
    stage.fault(Fault::always(Pattern::any(), Disturbance::Down).named("down"));
    while !ada.sees("I'll handle it") {
        let asked = stage.digitalocean.journal().len();
        stage.clock.advance(SignedDuration::from_mins(1));
        stage
            .until("it is asked again", |stage| {
                stage.digitalocean.journal().len() > asked || ada.sees("I'll handle it")
            })
            .await;
    }
    assert_snapshot!("down_at_power_back", ada.transcript());
    stage.digitalocean.world(|world| world.end_fault("down"));
    stage.until_later("it is on again", |stage| stage.is_on("web-1")).await;
    stage.settle().await;
    assert!(stage.is_on("web-1"));
    assert_eq!(ada.seat.pings(), 2);
    ada.transcript();
    stage.finish().await;
}

#[tokio::test]
async fn an_action_that_digitalocean_forgets_is_told() {
    let stage = Stage::new().await;
    stage.fault(Fault::once(Pattern::action("snapshot"), Quirk::NeverFinish));
    let ada = stage.seat("ada", Role::Operator);
    ada.run("/snapshot take droplet:web-1").await;
    stage.shows(&ada, "Taking the Snapshot — started").await;
    stage.fault(
        Fault::always(Pattern::of(Method::Get, "/v2/actions/*"), refusal(404, "not_found", "gone")).named("gone"),
    );
    let web = stage.droplet("web-1");
    stage.clock.advance(SignedDuration::from_mins(1));
    stage.until_query("that is known", "SELECT COUNT(*) AS n FROM operations WHERE state LIKE '%Vanished%'").await;
    stage.digitalocean.world(|world| world.end_fault("gone"));
    stage.digitalocean.world(|world| {
        let pending = world.droplet(web).and_then(|droplet| droplet.pending).unwrap();
        world.finish_action(pending, snapshot_bot_sandbox::digitalocean::action::Progress::Errored);
    });
    stage.until_later("it is on again", |stage| stage.is_on("web-1")).await;
    stage.settle().await;
    assert!(stage.is_on("web-1"));
    assert_snapshot!(ada.transcript());
    stage.finish().await;
}

#[tokio::test]
async fn a_pause_of_digitalocean_at_the_very_end_does_not_lose_the_announcement() {
    let stage = Stage::new().await;
    let ada = stage.seat("ada", Role::Operator);
    stage.fault(Fault {
        times: Some(6),
        ..Fault::always(Pattern::of(Method::Get, "/v2/droplets/*/snapshots"), Disturbance::Down)
    });
    ada.run("/snapshot take droplet:web-1").await;
    stage
        .until("the list is asked for", |stage| {
            stage.digitalocean.journal().iter().filter(|entry| entry.request.path.ends_with("/snapshots")).count() > 2
        })
        .await;
    stage.until("it is on again", |stage| stage.is_on("web-1")).await;
    stage.clock.advance(SignedDuration::from_secs(20));
    stage.settle().await;
    ends_well(stage, &ada).await;
}
