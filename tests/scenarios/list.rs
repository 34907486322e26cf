//! `/snapshot list`: pages, totals, and marks.

use insta::assert_snapshot;
use snapshot_bot_sandbox::digitalocean::droplet::Blueprint;

use crate::stage::{Role, Stage};

#[tokio::test]
async fn ten_a_page_with_buttons_that_work_after_a_restart() {
    let mut stage = Stage::new().await;
    let (web, db) = (stage.droplet("web-1"), stage.droplet("db-1"));
    stage.digitalocean.world(|world| {
        for number in 1..=12 {
            world.add_snapshot(if number % 6 == 0 { db } else { web }, &format!("snap-{number:02}"), f64::from(number));
        }
    });
    let vic = stage.seat("vic", Role::Viewer);
    vic.run("/snapshot list").await;
    let first = vic.transcript();
    stage.kill().await;
    stage.start().await;
    vic.press("Next").await;
    let second = vic.transcript();
    vic.press("Previous").await;
    assert!(vic.sees("Page 1 of 2"));
    assert_snapshot!(format!("{first}\n=== Next\n{second}"));
    assert!(stage.commands().is_empty());
    vic.transcript();
    stage.finish().await;
}

#[tokio::test]
async fn orphans_and_safety_snapshots_are_marked_and_takers_named() {
    let stage = Stage::new().await;
    let (web, db) = (stage.droplet("web-1"), stage.droplet("db-1"));
    let rex = stage.seat("rex", Role::Restorer);
    rex.run("/snapshot take droplet:web-1 power:live name:before").await;
    stage.settle().await;
    stage.digitalocean.world(|world| {
        world.add_snapshot(db, "left behind", 3.0);
        world.add_snapshot(web, "web-1-safety-20261122-1740-7f3kq2xa", 1.0);
        world.destroy(db);
    });
    rex.transcript();
    rex.run("/snapshot list droplet:web-1").await;
    // Changes by others at DigitalOcean are visible after a minute, when a person asks.
    stage.clock.advance(jiff::SignedDuration::from_secs(61));
    rex.run("/snapshot list").await;
    rex.run("/snapshot list").await;
    // Created within one second, they may be in any order; DigitalOcean's times are whole seconds.
    let seen = rex.transcript();
    for said in [", which is gone**", "🛟 `…safety-", "**`web-1`** · 2 Snapshots", "3 Snapshots · 6.4 GB"] {
        assert!(seen.contains(said), "{said}\n{seen}");
    }
    stage.finish().await;
}

#[tokio::test]
async fn an_empty_list_says_so_and_a_guest_sees_none() {
    let stage = Stage::new().await;
    let (vic, gus) = (stage.seat("vic", Role::Viewer), stage.seat("gus", Role::Guest));
    vic.run("/snapshot list").await;
    gus.run("/snapshot list").await;
    assert_snapshot!(format!("{}\n=== gus\n{}", vic.transcript(), gus.transcript()));
    stage.finish().await;
}

#[tokio::test]
async fn a_list_of_more_than_one_of_digitaloceans_pages_is_complete_to_its_end() {
    let stage = Stage::new().await;
    let web = stage.droplet("web-1");
    stage.digitalocean.world(|world| {
        for number in 1..=234 {
            world.add_snapshot(web, &format!("snap-{number:03}"), 1.0);
        }
    });
    let vic = stage.seat("vic", Role::Viewer);
    vic.run("/snapshot list").await;
    let mut pages = vec![vic.transcript()];
    while vic.button("Next").is_some() {
        vic.press("Next").await;
        pages.push(vic.transcript());
    }
    assert_eq!(pages.len(), 24);
    assert!(pages.iter().all(|page| page.contains("234 Snapshots · 234.0 GB")), "{}", pages[0]);
    for number in 1..=234 {
        let name = format!("snap-{number:03}");
        assert_eq!(pages.iter().filter(|page| page.contains(&name)).count(), 1, "{name}");
    }
    stage.finish().await;
}

#[tokio::test]
async fn with_a_tag_what_we_took_ourselves_outlives_its_droplet() {
    let mut stage = Stage::dark().await;
    stage.environment.insert("DROPLET_TAG", "prod".to_owned());
    let (web, db) = (stage.droplet("web-1"), stage.droplet("db-1"));
    stage.digitalocean.world(|world| {
        world.set_tags(web, &["prod"]);
        world.add_snapshot(db, "strangers-7f3kq2xa", 3.0);
    });
    stage.start().await;
    let rex = stage.seat("rex", Role::Restorer);
    rex.run("/snapshot take droplet:web-1 power:live name:ours").await;
    stage.settle().await;
    stage.digitalocean.world(|world| world.destroy(web));
    for _ in 0..3 {
        // Changes by others at DigitalOcean are visible after a minute, when a person asks.
        rex.transcript();
        stage.clock.advance(jiff::SignedDuration::from_secs(61));
        rex.run("/snapshot list").await;
    }
    let said = rex.seat.messages().last().unwrap().clone();
    let embed = said.body.embeds[0].to_string();
    assert!(embed.contains("which is gone") && embed.contains("1 Snapshot ·"), "{embed}");
    assert!(!embed.contains("strangers"), "{embed}");
    let offered = rex.suggestions("snapshot launch", "snapshot", "ours").await;
    assert_eq!(offered.len(), 1, "{offered:?}");
    let ours = stage.digitalocean.read(|world| world.snapshots().find(|one| one.name.starts_with("ours-")).unwrap().id);
    let launch = rex.seat.slash("snapshot launch").with("snapshot", ours.to_string()).with("name", "web-2");
    rex.answered(&launch.send().await.unwrap()).await;
    rex.press("Launch – $6/mo").await;
    stage.settle().await;
    let made = stage.digitalocean.read(|world| world.droplet_named("web-2").unwrap().clone());
    assert!(made.tags.contains("prod"), "{:?}", made.tags);
    let asked = rex.seat.slash("snapshot delete").with("snapshot", ours.to_string()).send().await.unwrap();
    rex.answered(&asked).await;
    assert!(rex.sees("It is the last Snapshot of its Droplet"), "{}", rex.transcript());
    rex.press("Delete").await;
    stage.settle().await;
    assert_eq!(stage.digitalocean.read(|world| world.snapshots().count()), 1);
    rex.transcript();
    stage.finish().await;
}

#[tokio::test]
async fn eleven_snapshots_over_seven_droplets_stand_in_groups_and_are_sorted_as_one_wants() {
    let stage = Stage::new().await;
    stage.digitalocean.world(|world| {
        for number in 0..11_u32 {
            let name = format!("game-{}", number % 7);
            let droplet = match world.droplet_named(&name).map(|droplet| droplet.id) {
                Some(known) => known,
                None => world.add_droplet(&Blueprint::named(&name)),
            };
            world.add_snapshot(droplet, &format!("{name}-before-update-{number}"), 1.0 + f64::from(number));
        }
    });
    let vic = stage.seat("vic", Role::Viewer);
    vic.run("/snapshot list").await;
    let listed = vic.seat.messages().last().unwrap().clone();
    let text = listed.body.embeds[0]["description"].as_str().unwrap().to_owned();
    assert!(text.lines().count() <= 17, "{text}");
    // At 390 pixels some 45 characters fit in a line; a timestamp is shown as "30 seconds ago". The names of Droplets are shorter.
    let timestamp = regex::Regex::new("<t:\\d+:R>").unwrap();
    for line in text.lines() {
        let shown = timestamp.replace_all(line, "30 seconds ago").replace(['*', '`'], "");
        assert!(shown.chars().count() <= 45, "{shown}");
    }
    let offered = vic.menu().expect("a menu").2;
    assert_eq!(offered.len(), 10, "exactly the page's");
    vic.run("/snapshot list sort:biggest").await;
    let first = vic.seat.messages().last().unwrap().body.embeds[0]["description"].as_str().unwrap().to_owned();
    assert!(first.lines().next().unwrap().contains("11.0 GB"), "{first}");
    vic.press("Next").await;
    assert!(
        vic.sees("1.0 GB · `game-0-before-update-0` · of `game-0`"),
        "the order stands in the button: {}",
        vic.transcript()
    );
    vic.transcript();
    stage.finish().await;
}

#[tokio::test]
async fn the_next_page_skips_and_repeats_nothing_when_others_take_snapshots_meanwhile() {
    let stage = Stage::in_step().await;
    let web = stage.droplet("web-1");
    for number in 0..12 {
        stage.digitalocean.world(|world| world.add_snapshot(web, &format!("old-{number}"), 2.0));
        stage.clock.advance(jiff::SignedDuration::from_secs(2));
    }
    let (vic, rex) = (stage.seat("vic", Role::Viewer), stage.seat("rex", Role::Restorer));
    vic.run("/snapshot list sort:newest").await;
    let first = vic.menu().expect("a menu").2;
    assert_eq!(first.len(), 10);
    stage.digitalocean.world(|world| world.add_snapshot(web, "new", 2.0));
    // Changes by others at DigitalOcean are visible after a minute, when a person asks.
    for _ in 0..2 {
        stage.clock.advance(jiff::SignedDuration::from_secs(61));
        rex.run("/snapshot list").await;
    }
    vic.press("Next").await;
    let second = vic.menu().expect("a menu").2;
    assert_eq!(second.len(), 2, "{}", vic.transcript());
    assert!(second.iter().all(|snapshot| !first.contains(snapshot)), "{first:?} {second:?}");
    for person in [&vic, &rex] {
        person.transcript();
    }
    stage.finish().await;
}

#[tokio::test]
async fn a_snapshot_of_the_list_leads_to_what_this_reader_may_do_with_it() {
    let stage = Stage::new().await;
    let web = stage.droplet("web-1");
    let golden = stage.digitalocean.world(|world| world.add_snapshot(web, "golden", 2.0)).to_string();
    let (vic, rex) = (stage.seat("vic", Role::Viewer), stage.seat("rex", Role::Restorer));
    let eve = stage.seat("eve", Role::Restorer);
    for person in [&vic, &rex] {
        person.run("/snapshot list").await;
        assert_eq!(person.menu().expect("a menu").2, [golden.as_str()]);
        person.choose(&golden).await;
        assert!(person.last().starts_with("**`golden`**"), "{}", person.transcript());
    }
    assert!(vic.button("Delete…").is_none() && vic.button("Restore…").is_none());
    rex.press("Restore…").await;
    assert!(rex.sees("**Restore `web-1` from `golden`?**"), "{}", rex.transcript());
    rex.press("Never mind").await;
    eve.run("/snapshot restore droplet:web-1 snapshot:golden").await;
    rex.press("Delete…").await;
    rex.press("Delete").await;
    stage.settle().await;
    eve.press("Restore").await;
    assert!(eve.sees("This Snapshot was deleted by"), "{}", eve.transcript());
    rex.press("Delete…").await;
    assert!(rex.last().starts_with("This Snapshot was deleted by"), "{}", rex.last());
    let own = rex.seat.messages().last().unwrap().id;
    for custom_id in [format!("putback:{web}"), "choose:snapshot".to_owned()] {
        let answer = rex.seat.forge_choice(own, &custom_id, &[&golden]).await.unwrap();
        rex.answered(&answer).await;
        assert!(rex.last().starts_with("This Snapshot was deleted by"), "{custom_id}: {}", rex.last());
    }
    let answer = rex.seat.forge_form(&format!("launchas:{golden}"), &[("text", "web-2")]).await.unwrap();
    rex.answered(&answer).await;
    assert!(rex.last().starts_with("This Snapshot was deleted by"), "{}", rex.last());
    for person in [&vic, &rex, &eve] {
        person.transcript();
    }
    stage.finish().await;
}
