//! `/snapshot cost`, `orphans` and the monthly report: what causes costs, and what may be left over.

use insta::assert_snapshot;
use jiff::SignedDuration;
use regex::Regex;
use snapshot_bot_sandbox::{
    digitalocean::{backups::BackupPolicy, droplet::Blueprint},
    discord::permission::Permissions,
};

use crate::{
    schedules::{RAN, night, schedules_web_1},
    stage::{Role, Stage},
};

/// Replaces the names of the months, which differ from run to run.
fn months(text: &str) -> String {
    Regex::new(r"\b[A-Z][a-z]{2} 20\d\d\b").unwrap().replace_all(text, "MONTH").into_owned()
}

/// A stage with Snapshots of two Droplets and of one that is gone.
fn stored(stage: &Stage) {
    let (web, db) = (stage.droplet("web-1"), stage.droplet("db-1"));
    stage.digitalocean.world(|world| {
        world.set_tags(web, &["prod", "frontend"]);
        world.add_snapshot(web, "before", 12.4);
        world.add_snapshot(web, "web-1-safety-20200101-0300-aaaaaaaa", 10.0);
        world.add_snapshot(db, "nightly", 40.0);
        let old = world.add_droplet(&Blueprint::named("old"));
        world.add_snapshot(old, "last-of-old", 2.0);
        world.add_snapshot(old, "kept-of-old", 2.0);
        world.destroy(old);
    });
}

#[tokio::test]
async fn costs_are_shown_by_droplet_and_by_tag_and_what_is_left_over_by_class() {
    let stage = Stage::new().await;
    stored(&stage);
    let (ada, vic, eve) =
        (stage.seat("ada", Role::Operator), stage.seat("vic", Role::Viewer), stage.seat("eve", Role::Guest));
    ada.run("/snapshot pin snapshot:kept-of-old").await;
    ada.run("/snapshot list").await;
    while stage.query("SELECT COUNT(*) AS n FROM snapshot_days").await < 5 {
        tokio::task::yield_now().await;
    }
    vic.run("/snapshot cost").await;
    vic.run("/snapshot cost by:tag months:1").await;
    vic.run("/snapshot orphans").await;
    eve.run("/snapshot cost").await;
    eve.run("/snapshot orphans").await;
    ada.transcript();
    let safety = Regex::new("web-1-safety-[^`]*").unwrap();
    let vic = safety.replace_all(&months(&vic.transcript()), "SAFETY").into_owned();
    assert_snapshot!(format!("{vic}\n=== eve\n{}", eve.transcript()));
    stage.finish().await;
}

#[tokio::test]
async fn where_nothing_is_left_over_that_is_said() {
    let stage = Stage::new().await;
    let web = stage.droplet("web-1");
    stage.digitalocean.world(|world| world.add_snapshot(web, "before", 12.4));
    let vic = stage.seat("vic", Role::Viewer);
    vic.run("/snapshot orphans").await;
    assert!(vic.sees("Nothing is left over"), "{}", vic.transcript());
    vic.transcript();
    stage.finish().await;
}

#[tokio::test]
async fn what_belongs_to_no_droplet_is_listed_as_far_as_the_token_may_see_it() {
    let stage = Stage::new().await;
    let web = stage.droplet("web-1");
    stage.digitalocean.world(|world| {
        world.add_volume("old-data", "nyc3", 100);
        world.reserve_ip("192.0.2.7", "nyc3", None);
        world.reserve_ip("192.0.2.8", "nyc3", Some(web));
    });
    let vic = stage.seat("vic", Role::Viewer);
    vic.run("/snapshot orphans").await;
    assert!(vic.sees("**Unattached Volumes** · 1 · $10/mo"), "{}", vic.transcript());
    assert!(vic.sees("`192.0.2.7`") && !vic.sees("192.0.2.8"), "{}", vic.transcript());
    assert!(vic.sees("**Unused reserved addresses** · 1 · $5/mo"), "{}", vic.transcript());
    vic.transcript();
    stage.finish().await;
}

#[tokio::test]
async fn costs_are_sorted_by_schedule_and_count_digitaloceans_own_backups() {
    let stage = Stage::in_step().await;
    let web = stage.droplet("web-1");
    stage.digitalocean.world(|world| {
        world.back_up(web, Some(BackupPolicy::DAILY));
        world.add_snapshot(web, "by hand", 12.4);
    });
    let ruth = stage.seat("ruth", Role::Restorer);
    schedules_web_1(&ruth, "3 last").await;
    stage.calm().await;
    stage.pass_until(night(stage.clock.now()));
    stage.until_query("it is taken", RAN).await;
    stage.calm().await;
    ruth.run("/snapshot cost by:schedule").await;
    assert!(ruth.sees("**By schedule**") && ruth.sees("daily 03:00"), "{}", ruth.transcript());
    assert!(ruth.sees("(no schedule)"), "{}", ruth.transcript());
    assert!(ruth.sees("for DigitalOcean's own Backups of 1 Droplet"), "{}", ruth.transcript());
    ruth.run("/snapshot list").await;
    assert!(ruth.sees("🗓️"), "{}", ruth.transcript());
    ruth.run("/snapshot status").await;
    assert!(ruth.sees("by schedule"), "{}", ruth.transcript());
    ruth.transcript();
    stage.finish().await;
}

#[tokio::test]
async fn a_month_is_told_once_and_a_new_database_waits_for_the_next() {
    let mut stage = Stage::dark().await;
    stored(&stage);
    stage.environment.insert("REPORT_CHANNEL_ID", stage.ops.to_string());
    stage.start().await;
    let vic = stage.seat("vic", Role::Viewer);
    let told = |stage: &Stage| {
        let messages = vic.seat.messages();
        let titles = messages.iter().flat_map(|message| message.body.embeds.iter());
        let count = titles.filter(|embed| embed["title"].as_str().is_some_and(|title| title.contains("cost"))).count();
        assert_eq!(stage.discord.world().pings().len(), 0, "it pings nobody");
        count
    };
    while stage.query("SELECT COUNT(*) AS n FROM monthly_reports").await == 0 {
        tokio::task::yield_now().await;
    }
    assert_eq!(told(&stage), 0);
    stage.clock.advance(SignedDuration::from_hours(32 * 24));
    stage.until("the month is told", |stage| told(stage) == 1).await;
    while stage.query("SELECT COUNT(*) AS n FROM monthly_reports").await < 2 {
        tokio::task::yield_now().await;
    }
    stage.stop().await;
    // As if the bot had died between posting the message and recording it.
    stage.tamper("DELETE FROM monthly_reports WHERE message_id IS NOT NULL").await;
    let posted = |stage: &Stage| {
        let world = stage.discord.world();
        world
            .journal()
            .iter()
            .filter(|entry| entry.request.method == "POST" && entry.request.path.ends_with("/messages"))
            .count()
    };
    let before = posted(&stage);
    stage.start().await;
    while stage.query("SELECT COUNT(*) AS n FROM monthly_reports").await < 2 {
        tokio::task::yield_now().await;
    }
    assert_eq!((told(&stage), posted(&stage)), (1, before), "it is found, and not posted again");
    assert_snapshot!(months(&vic.transcript()));
    stage.finish().await;
}

/// A stage in which the sizes of Snapshots were recorded in two months.
async fn two_months() -> Stage {
    let stage = Stage::new().await;
    stored(&stage);
    let ruth = stage.seat("ruth", Role::Restorer);
    for days in [0, 32] {
        stage.clock.advance(SignedDuration::from_hours(days * 24));
        let before = stage.query("SELECT COUNT(*) AS n FROM snapshot_days").await;
        ruth.run("/snapshot list").await;
        while stage.query("SELECT COUNT(*) AS n FROM snapshot_days").await < before + 5 {
            tokio::task::yield_now().await;
        }
    }
    ruth.transcript();
    stage
}

#[tokio::test]
async fn how_costs_change_is_a_picture_with_a_text_that_stands_for_it() {
    let stage = two_months().await;
    let vic = stage.seat("vic", Role::Viewer);
    vic.run("/snapshot cost").await;
    stage.until("the answer is there", |_| vic.sees("What Snapshots cost")).await;
    let message = vic.seat.messages().pop().unwrap();
    let file = message.body.attachments.first().expect("a picture");
    assert!(file.bytes.starts_with(b"\x89PNG"), "{}", file.name);
    let text = "Bar chart of what Snapshots cost (estimate): ";
    assert!(file.description.starts_with(text) && file.description.contains(" so far $"), "{}", file.description);
    assert!(!vic.sees("**Month by month**"), "{}", vic.transcript());
    // There is nothing to compare.
    vic.run("/snapshot cost months:1").await;
    assert!(vic.sees("**Month by month**"), "{}", vic.transcript());
    vic.transcript();
    stage.finish().await;
}

#[tokio::test]
async fn where_no_file_may_be_attached_costs_are_told_in_text() {
    let stage = two_months().await;
    stage.discord.world().deny_bot(stage.ops, Permissions::ATTACH_FILES);
    let vic = stage.seat("vic", Role::Viewer);
    vic.run("/snapshot cost").await;
    assert!(vic.sees("**Month by month**"), "{}", vic.transcript());
    assert!(vic.seat.messages().iter().all(|message| message.body.attachments.is_empty()), "{}", vic.transcript());
    vic.transcript();
    stage.finish().await;
}

#[tokio::test]
async fn where_no_file_may_be_attached_the_month_is_told_in_text() {
    let mut stage = Stage::dark().await;
    stored(&stage);
    stage.environment.insert("REPORT_CHANNEL_ID", stage.ops.to_string());
    stage.start().await;
    let ruth = stage.seat("ruth", Role::Restorer);
    let told = |text: &str| {
        ruth.seat.messages().iter().filter(|message| message.is_public()).any(|message| {
            message
                .body
                .embeds
                .iter()
                .any(|embed| embed["description"].as_str().is_some_and(|said| said.contains(text)))
        })
    };
    ruth.run("/snapshot list").await;
    while stage.query("SELECT COUNT(*) AS n FROM monthly_reports").await == 0
        || stage.query("SELECT COUNT(*) AS n FROM snapshot_days").await < 5
    {
        tokio::task::yield_now().await;
    }
    stage.discord.world().deny_bot(stage.ops, Permissions::ATTACH_FILES);
    stage.clock.advance(SignedDuration::from_hours(32 * 24));
    stage.until("the month is told", |_| told("**Month by month**")).await;
    while stage.query("SELECT COUNT(*) AS n FROM monthly_reports").await < 2 {
        tokio::task::yield_now().await;
    }
    // The next one comes as a chart, because files are allowed.
    stage.discord.world().deny_bot(stage.ops, Permissions::NONE);
    stage.clock.advance(SignedDuration::from_hours(32 * 24));
    let has_picture =
        || ruth.seat.messages().iter().any(|message| message.is_public() && !message.body.attachments.is_empty());
    stage.until("the next month is a picture", |_| has_picture()).await;
    while stage.query("SELECT COUNT(*) AS n FROM monthly_reports").await < 3 {
        tokio::task::yield_now().await;
    }
    ruth.transcript();
    stage.finish().await;
}
