//! Buttons that outlive the right to press them, or are pressed from elsewhere.

use snapshot_bot_sandbox::discord::permission::Permissions;

use crate::stage::{Role, Stage};

#[tokio::test]
async fn undo_delete_and_pages_are_refused_to_who_may_not_and_to_who_may_no_more() {
    let stage = Stage::new().await;
    let web = stage.droplet("web-1");
    stage.digitalocean.world(|world| world.add_snapshot(web, "golden", 2.0));
    let rex = stage.seat("rex", Role::Restorer);
    rex.run("/snapshot restore droplet:web-1 snapshot:golden").await;
    rex.press("Restore").await;
    stage.settle().await;
    let done = stage.commands();
    let [(answer, undo), (_, delete)] =
        ["Undo", "Delete the safety Snapshot"].map(|label| rex.button(label).expect("a button"));
    let (ada, vic) = (stage.seat("ada", Role::Operator), stage.seat("vic", Role::Viewer));
    let eve = stage.seat("eve", Role::Guest);
    for person in [&ada, &vic, &eve] {
        for custom_id in [&undo, &delete] {
            person.seat.press(answer, custom_id).await.unwrap();
            let last = person.seat.messages().last().unwrap().clone();
            assert!(last.body.content.contains("You need the role"), "{custom_id}: {}", last.body.content);
        }
    }
    // A page that only she can see, with a button that she wrote herself.
    eve.seat.forge_press(eve.seat.messages().last().unwrap().id, "page:all:1").await.unwrap();
    let refused = eve.seat.messages().last().unwrap().body.content.clone();
    assert!(refused.contains("to see Snapshots"), "{refused}");
    stage.discord.world().join(stage.guild, rex.seat.user, &[]);
    for custom_id in [undo.as_str(), delete.as_str(), "page:all:1"] {
        let pressed = if custom_id.starts_with("page") { rex.seat.messages().last().unwrap().id } else { answer };
        rex.seat.forge_press(pressed, custom_id).await.unwrap();
        let last = rex.seat.messages().last().unwrap().body.content.clone();
        assert!(last.contains("You need"), "{custom_id}: {last}");
    }
    assert_eq!(stage.commands(), done);
    assert!([&rex, &ada, &vic, &eve].iter().all(|person| person.button("Restore").is_none()));
    for person in [&rex, &ada, &vic, &eve] {
        person.transcript();
    }
    stage.finish().await;
}

#[tokio::test]
async fn who_may_not_restore_sees_and_presses_nothing_of_another_server() {
    let mut stage = Stage::dark().await;
    let (annex, lobby, chief, watcher) = {
        let mut world = stage.discord.world();
        let annex = world.add_guild("The Annex");
        world.invite_bot(annex);
        let chief = world.add_role(annex, "Chief", Permissions::MANAGE_GUILD);
        let watcher = world.add_role(annex, "Watcher", Permissions::NONE);
        (annex, world.add_channel(annex, "lobby"), chief, watcher)
    };
    let viewers = format!("{},{watcher}", stage.environment["VIEW_ROLES"]);
    stage.environment.insert("VIEW_ROLES", viewers);
    stage.environment.insert("DISCORD_GUILD_ID", format!("{},{annex}", stage.guild));
    stage.start().await;
    let path = ["snapshot", "status"].map(str::to_owned);
    stage.until("both have the commands", |stage| stage.discord.world().registered(Some(annex), &path).is_some()).await;
    let web = stage.droplet("web-1");
    stage.digitalocean.world(|world| world.add_snapshot(web, "golden", 2.0));
    let rex = stage.seat("rex", Role::Restorer);
    rex.run("/snapshot restore droplet:web-1 snapshot:golden").await;
    let (question, confirm) = rex.button("Restore").expect("a question");
    // The same person, with every right over there.
    stage.discord.world().join(annex, rex.seat.user, &[chief]);
    let there = stage.sit(rex.seat.user, lobby);
    there.run("/snapshot help").await;
    let said = there.seat.messages().last().unwrap().id;
    there.seat.forge_press(said, &confirm).await.unwrap();
    assert!(there.sees("Somebody else was asked this"), "{}", there.transcript());
    assert!(stage.commands().is_empty());
    rex.seat.press(question, &confirm).await.unwrap();
    stage.settle().await;
    let done = stage.commands();
    let (_, undo) = rex.button("Undo").expect("a button");
    let operation = undo.strip_prefix("undo:").unwrap().to_owned();
    // Over there, who may restore sees everything. Whoever may not, sees and presses nothing of this server.
    stage.discord.world().join(annex, rex.seat.user, &[watcher]);
    for custom_id in [undo.clone(), format!("cancel:{operation}")] {
        there.seat.forge_press(said, &custom_id).await.unwrap();
        let last = there.seat.messages().last().unwrap().body.content.clone();
        assert!(last.contains("There is no operation") || last.starts_with("You need"), "{custom_id}: {last}");
        assert!(!last.contains("web-1"), "{custom_id}: {last}");
    }
    let typed = format!("/snapshot status operation:{operation}");
    for line in ["/snapshot status", typed.as_str()] {
        there.run(line).await;
        let last = there.seat.messages().last().unwrap().body.content.clone();
        assert!(!last.contains("web-1"), "{line}: {last}");
    }
    assert!(there.suggestions("snapshot status", "operation", "").await.is_empty());
    assert_eq!(stage.commands(), done);
    rex.transcript();
    stage.finish().await;
}
