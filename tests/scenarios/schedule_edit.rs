//! `/schedule edit`: reviewed like a new schedule, and careful with existing Snapshots.

use snapshot_bot_sandbox::{digitalocean::droplet::Blueprint, discord::interaction::Response};

use crate::{
    schedules::{RAN, night, press, schedules_web_1},
    stage::{Role, Stage},
};

#[tokio::test]
async fn an_edit_is_reviewed_and_what_it_does_not_keep_any_more_is_asked_about_in_public() {
    let stage = Stage::in_step().await;
    let (ruth, rex) = (stage.seat("ruth", Role::Restorer), stage.seat("rex", Role::Restorer));
    schedules_web_1(&ruth, "7 daily").await;
    stage.calm().await;
    for number in 1..=4 {
        stage.pass_until(night(stage.clock.now()));
        stage.until_count("a night", RAN, number).await;
        stage.calm().await;
    }
    for (line, words) in [
        ("every:sometimes", "how often"),
        ("keep:7 daily", "That changes nothing"),
        ("check:tcp:80", "are for several Droplets"),
        ("what:nowhere", "nowhere"),
    ] {
        ruth.run(&format!("/schedule edit schedule:web-1 {line}")).await;
        assert!(ruth.sees(words), "{line}\n{}", ruth.transcript());
    }
    ruth.run("/schedule edit schedule:web-1 at:04:00 keep:2 last timezone:europe/berlin").await;
    assert!(ruth.sees("every day at 04:00 (Europe/Berlin)"), "{}", ruth.transcript());
    assert!(ruth.sees("The new rules no longer keep 2 more Snapshots"), "{}", ruth.transcript());
    press(&ruth, "Change").await;
    stage.calm().await;
    assert!(ruth.sees("Changed schedule"), "{}", ruth.transcript());
    stage.shows(&rex, "The rules were edited and no longer keep 2 of 4 Snapshots").await;
    let announced = "SELECT COUNT(*) AS n FROM schedule_snapshots WHERE announced_at IS NOT NULL";
    stage.pass_until(night(stage.clock.now()));
    stage.until_count("the night after", RAN, 5).await;
    stage.calm().await;
    assert_eq!(stage.query(announced).await, 0, "nothing is deleted before somebody says so");
    press(&rex, "Delete them").await;
    stage.until_count("they are announced", announced, 3).await;
    stage.calm().await;
    ruth.transcript();
    rex.transcript();
    stage.finish().await;
}

#[tokio::test]
async fn an_edit_binds_another_droplet_where_the_old_one_was_destroyed() {
    let stage = Stage::in_step().await;
    let ruth = stage.seat("ruth", Role::Restorer);
    schedules_web_1(&ruth, "1 last").await;
    stage.calm().await;
    stage.pass_until(night(stage.clock.now()));
    stage.until_count("the first night", RAN, 1).await;
    stage.calm().await;
    let web = stage.droplet("web-1");
    stage.digitalocean.world(|world| world.destroy(web));
    for _ in 0..2 {
        if ruth.sees("its Droplet is gone") {
            break;
        }
        stage.pass_until(night(stage.clock.now()));
        stage.until_query("it failed", "SELECT COUNT(*) AS n FROM slots WHERE fate = 'failed'").await;
        stage.calm().await;
    }
    let label = ruth.suggestions("schedule edit", "schedule", "web-1").await.remove(0);
    assert!(label.starts_with("web-1 · daily 03:00 · off · "), "{label}");
    ruth.seat.slash("schedule edit").with("schedule", label).with("what", "db-1").send().await.unwrap();
    assert!(ruth.sees("From now on it takes Snapshots of `db-1`"), "{}", ruth.transcript());
    press(&ruth, "Change").await;
    stage.calm().await;
    for number in 2..=4 {
        stage.pass_until(night(stage.clock.now()));
        stage.until_count("it goes on with the other", RAN, number).await;
        stage.calm().await;
    }
    let of_web = "SELECT COUNT(*) AS n FROM schedule_snapshots s JOIN schedules o ON o.id = s.schedule \
         WHERE s.droplet_id <> o.droplet_id AND s.announced_at IS NULL AND s.deletion IS NULL";
    assert_eq!(stage.query(of_web).await, 1, "the Snapshots of the one that is gone stay");
    ruth.transcript();
    stage.finish().await;
}

#[tokio::test]
async fn forms_over_a_review_change_what_few_people_change() {
    let stage = Stage::in_step().await;
    stage.digitalocean.world(|world| {
        world.add_droplets(&Blueprint::named("w").tag("prod"), 3);
        world.mark_power();
    });
    let ruth = stage.seat("ruth", Role::Restorer);
    ruth.run("/schedule add what:tag:prod every:day at:03:00 keep:3 last").await;
    let Response::Form(form) = ruth.press("Group…").await else { panic!("no form\n{}", ruth.transcript()) };
    let values: Vec<&str> = form.inputs.iter().map(|input| input.value.as_str()).collect();
    assert_eq!(values, ["1", "30s", "", "1"], "it shows what holds");
    for (line, words) in [
        ([("text", "many"), ("text2", "30s"), ("text3", ""), ("text4", "1")], "I can't take many Droplets at once"),
        ([("text", "2"), ("text2", "9h"), ("text3", ""), ("text4", "1")], "isn't a pause"),
        ([("text", "2"), ("text2", "1m"), ("text3", "ping"), ("text4", "1")], "I don't know how to check"),
        ([("text", "2"), ("text2", "1m"), ("text3", ""), ("text4", "0")], "I can't stop after 0 Droplets"),
    ] {
        let refused = ruth.seat.submit(&form, &line).await.unwrap();
        ruth.answered(&refused).await;
        assert!(ruth.last().contains(words), "{words}\n{}", ruth.transcript());
    }
    let filled = [("text", "2"), ("text2", "1m"), ("text3", "tcp:25565"), ("text4", "2")];
    let asked = ruth.seat.submit(&form, &filled).await.unwrap();
    ruth.answered(&asked).await;
    assert!(ruth.sees("2 at a time, 1 min apart; each must be on again and pass `tcp:25565`"), "{}", ruth.transcript());
    assert!(ruth.sees("the run stops when 2 don't come back"), "{}", ruth.transcript());
    // The earlier review is closed, with its buttons.
    let again = ruth.seat.submit(&form, &filled).await.unwrap();
    ruth.answered(&again).await;
    assert!(ruth.last().contains("already"), "{}", ruth.transcript());
    let Response::Form(form) = ruth.press("Failures…").await else { panic!("no form\n{}", ruth.transcript()) };
    let refused = ruth.seat.submit(&form, &[("text", "ask")]).await.unwrap();
    ruth.answered(&refused).await;
    assert!(ruth.last().contains("what to do about a stuck shutdown"), "{}", ruth.transcript());
    let refused = ruth.seat.submit(&form, &[("text2", "https://10.0.0.7/key")]).await.unwrap();
    ruth.answered(&refused).await;
    assert!(ruth.last().contains("private network"), "{}", ruth.transcript());
    let asked = ruth.seat.submit(&form, &[("text", "skip")]).await.unwrap();
    ruth.answered(&asked).await;
    assert!(ruth.sees("If one doesn't shut down, I skip it that time."), "{}", ruth.transcript());
    press(&ruth, "Create").await;
    stage.calm().await;
    assert_eq!(stage.query("SELECT COUNT(*) AS n FROM schedules").await, 1);
    // The same form over an edit, which keeps the earlier choice.
    ruth.run("/schedule edit schedule:tag:prod keep:4 last").await;
    let Response::Form(form) = ruth.press("Failures…").await else { panic!("no form\n{}", ruth.transcript()) };
    assert_eq!(form.inputs[0].value, "skip");
    let asked = ruth.seat.submit(&form, &[("text", "force")]).await.unwrap();
    ruth.answered(&asked).await;
    assert!(ruth.sees("If one doesn't shut down, I cut its power."), "{}", ruth.transcript());
    press(&ruth, "Change").await;
    stage.calm().await;
    ruth.transcript();
    stage.finish().await;
}
