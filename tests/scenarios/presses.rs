//! Buttons that outlive the right to press them, or are pressed from elsewhere.

use snapshot_bot_sandbox::discord::permission::Permissions;

use crate::stage::{Role, Stage};

#[tokio::test]
async fn undo_delete_and_pages_are_refused_to_who_may_not_and_to_who_may_no_more() {
    let stage = Stage::new().await;
    let web = stage.droplet("web-1");
    let golden = stage.digitalocean.world(|world| world.add_snapshot(web, "golden", 2.0));
    let rex = stage.seat("rex", Role::Restorer);
    rex.run("/snapshot restore droplet:web-1 snapshot:golden").await;
    rex.press("Restore").await;
    stage.settle().await;
    let done = stage.commands();
    let (answer, undo) = rex.button("Undo").expect("a button");
    let delete = format!("delete:{golden}");
    let (ada, vic) = (stage.seat("ada", Role::Operator), stage.seat("vic", Role::Viewer));
    let eve = stage.seat("eve", Role::Guest);
    for person in [&ada, &vic, &eve] {
        for (custom_id, what) in [(&undo, "to undo a restore."), (&delete, "to delete Snapshots.")] {
            person.seat.forge_press(answer, custom_id).await.unwrap();
            let last = person.seat.messages().last().unwrap().body.content.clone();
            assert!(last.starts_with("You need") && last.contains(what), "{custom_id}: {last}");
        }
    }
    // A page that only she can see, with a button that she forged.
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

#[expect(clippy::too_many_lines, reason = "each press is forged here")]
#[tokio::test]
async fn no_forged_press_choice_or_form_does_what_its_sender_may_not() {
    let stage = Stage::new().await;
    let web = stage.droplet("web-1");
    let golden = stage.digitalocean.world(|world| world.add_snapshot(web, "golden", 2.0));
    let (vic, ada, eve) =
        (stage.seat("vic", Role::Viewer), stage.seat("ada", Role::Operator), stage.seat("eve", Role::Guest));
    for person in [&vic, &ada, &eve] {
        person.run("/snapshot help").await;
    }
    let restoring = [
        format!("restore:{golden}"),
        format!("launch:{golden}"),
        format!("begin:restore:{web}"),
        "begin:restore:all".to_owned(),
        "tags:00000000000000ff".to_owned(),
        "keys:00000000000000ff".to_owned(),
        format!("putback:{web}"),
        "choose:restore".to_owned(),
        "confirm:00000000000000ff".to_owned(),
        "schedule:00000000000000ff".to_owned(),
        "fill:failures:00000000000000ff".to_owned(),
        "filled:group:00000000000000ff".to_owned(),
        "handover:00000000000000ff".to_owned(),
        "undo:7f3kq2xa".to_owned(),
        format!("delete:{golden}"),
        "deletemany:7f3kq2:1".to_owned(),
        "relyon:7f3kq2:7f3kq2xa".to_owned(),
        "own:7f3kq2".to_owned(),
        "hangs:live:7f3kq2".to_owned(),
        "pruneagain:7f3kq2".to_owned(),
        "runagain:7f3kq2".to_owned(),
        "runagain:7f3kq2:1764212400000".to_owned(),
    ];
    let taking = [
        format!("begin:take:{web}"),
        "begin:take:all".to_owned(),
        "choose:take".to_owned(),
        "take:00000000000000ff".to_owned(),
        "takelive:00000000000000ff".to_owned(),
        "again:7f3kq2xa".to_owned(),
        "takegroup:00000000000000ff".to_owned(),
        "groupagain:7f3kq2x".to_owned(),
        "keep:7f3kq2".to_owned(),
        format!("pin:{golden}"),
        format!("unpin:{golden}"),
    ];
    let looking = [
        "begin:list:all".to_owned(),
        "choose:snapshot".to_owned(),
        "choose:operation".to_owned(),
        "page:all:1:oldest".to_owned(),
        "decline:00000000000000ff".to_owned(),
    ];
    // The right depends on the requester of an operation that does not exist, so everyone is refused, whatever their rights.
    let of_nobody = [
        "cancel:",
        "force:",
        "live:",
        "leave:",
        "handle:",
        "wait:",
        "on:",
        "postpone:",
        "waitall:",
        "turnon:",
        "restart:",
        "stoprun:",
    ];
    let of = |list: &[String]| list.to_vec();
    for (person, forbidden) in [
        (&eve, [of(&restoring), of(&taking), of(&looking)].concat()),
        (&vic, [of(&restoring), of(&taking)].concat()),
        (&ada, of(&restoring)),
    ] {
        let own = person.seat.messages().last().unwrap().id;
        for custom_id in forbidden {
            let value = web.to_string();
            let answers = [
                person.seat.forge_press(own, &custom_id).await.unwrap(),
                person.seat.forge_choice(own, &custom_id, &[&value]).await.unwrap(),
            ];
            for answer in answers {
                person.answered(&answer).await;
                assert!(person.last().starts_with("You need"), "{custom_id}: {}", person.last());
            }
        }
        for word in of_nobody {
            let answer = person.seat.forge_press(own, &format!("{word}7f3kq2xa")).await.unwrap();
            person.answered(&answer).await;
            let said = person.last();
            let is_refused =
                ["There is no", "You need", "This button is from"].iter().any(|start| said.starts_with(start));
            assert!(is_refused, "{word}: {said}");
        }
        let form = person.seat.forge_form(&format!("launchas:{golden}"), &[("text", "web-2")]).await.unwrap();
        person.answered(&form).await;
        assert!(person.last().starts_with("You need"), "{}", person.last());
    }
    // A question that was never asked, and things that do not exist.
    let own = ada.seat.messages().last().unwrap().id;
    for custom_id in ["take:00000000000000ff", "takelive:00000000000000ff", "again:7f3kq2xa", "choose:take"] {
        let answer = ada.seat.forge_choice(own, custom_id, &["nonsense"]).await.unwrap();
        ada.answered(&answer).await;
    }
    assert!(stage.commands().is_empty());
    for person in [&vic, &ada, &eve] {
        assert!(["Restore", "Delete", "Shut down and take"].iter().all(|label| person.button(label).is_none()));
        person.transcript();
    }
    stage.finish().await;
}

#[tokio::test]
async fn a_taker_cannot_confirm_as_a_take_what_somebody_else_was_asked() {
    let stage = Stage::new().await;
    let web = stage.droplet("web-1");
    stage.digitalocean.world(|world| world.add_snapshot(web, "golden", 2.0));
    let (rex, ada) = (stage.seat("rex", Role::Restorer), stage.seat("ada", Role::Operator));
    rex.run("/snapshot delete snapshot:golden").await;
    let (question, delete) = rex.button("Delete").expect("a button");
    let id = delete.strip_prefix("confirm:").expect("an id").to_owned();
    ada.run("/snapshot help").await;
    let own = ada.seat.messages().last().unwrap().id;
    let stolen = ada.seat.forge_press(own, &format!("take:{id}")).await.unwrap();
    ada.answered(&stolen).await;
    assert!(ada.last().starts_with("Only the person I asked"), "{}", ada.last());
    // Nor can the person who was asked turn it into a take, or a launch.
    for word in ["take", "takelive", "tags", "keys"] {
        let odd = rex.seat.forge_press(question, &format!("{word}:{id}")).await.unwrap();
        rex.answered(&odd).await;
    }
    assert!(stage.commands().is_empty());
    assert_eq!(stage.digitalocean.read(|world| world.snapshots().count()), 1);
    rex.transcript();
    ada.transcript();
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
    // The same person, with every right in the other guild.
    stage.discord.world().join(annex, rex.seat.user, &[chief]);
    let there = stage.sit(rex.seat.user, lobby);
    there.run("/snapshot help").await;
    let said = there.seat.messages().last().unwrap().id;
    there.seat.forge_press(said, &confirm).await.unwrap();
    assert!(there.sees("Only the person I asked can answer"), "{}", there.transcript());
    assert!(stage.commands().is_empty());
    rex.seat.press(question, &confirm).await.unwrap();
    stage.settle().await;
    let done = stage.commands();
    let (_, undo) = rex.button("Undo").expect("a button");
    let operation = undo.strip_prefix("undo:").unwrap().to_owned();
    // In the other guild, a person who may restore sees everything. One who may not sees and presses nothing of this guild.
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
