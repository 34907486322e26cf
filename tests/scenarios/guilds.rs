//! Two guilds that share one account: what each sees of the other's operations.

use snapshot_bot_sandbox::{
    digitalocean::fault::{Fault, Pattern, Quirk},
    discord::permission::Permissions,
};

use crate::{
    schedules::schedules_web_1,
    stage::{Person, Role, Stage},
};

/// A second guild, with a person who manages it and one who may take Snapshots there.
struct Elsewhere {
    mia: Person,
    tom: Person,
}

async fn two() -> (Stage, Elsewhere) {
    let mut stage = Stage::dark().await;
    let (channel, mia, tom) = {
        let mut world = stage.discord.world();
        let guild = world.add_guild("Next Door");
        let channel = world.add_channel(guild, "garage");
        let managers = world.add_role(guild, "Managers", Permissions::MANAGE_GUILD);
        let takers = world.add_role(guild, "Takers", Permissions::NONE);
        let (mia, tom) = (world.add_user("mia"), world.add_user("tom"));
        world.join(guild, mia, &[managers]);
        world.join(guild, tom, &[takers]);
        let (guilds, roles) =
            (format!("{},{guild}", stage.guild), format!("{},{takers}", stage.environment["TAKE_ROLES"]));
        drop(world);
        stage.environment.insert("DISCORD_GUILD_ID", guilds);
        stage.environment.insert("TAKE_ROLES", roles);
        (channel, mia, tom)
    };
    stage.start().await;
    let elsewhere = Elsewhere { mia: stage.sit(mia, channel), tom: stage.sit(tom, channel) };
    let offered = |stage: &Stage| !stage.discord.world().offered_commands(channel, tom).is_empty();
    stage.until("the commands are there, too", offered).await;
    (stage, elsewhere)
}

#[tokio::test]
async fn another_server_learns_what_is_busy_and_who_may_restore_may_cancel_it() {
    let (stage, Elsewhere { mia, tom }) = two().await;
    stage.fault(Fault::once(Pattern::action("snapshot"), Quirk::NeverFinish));
    let ada = stage.seat("ada", Role::Operator);
    ada.run("/snapshot take droplet:web-1").await;
    stage.snapshot_begins("web-1").await;
    tom.run("/snapshot take droplet:web-1").await;
    let told = tom.seat.transcript();
    assert!(told.contains("`web-1` is busy: another server is taking a Snapshot of it. Try again"), "{told}");
    for private in ["discord.com", "#ops", "ada", "operation"] {
        assert!(!told.contains(private), "{private}: {told}");
    }
    assert_eq!(tom.suggestions("snapshot cancel", "operation", "").await, Vec::<String>::new());
    tom.run("/snapshot status").await;
    assert!(tom.sees("Nothing is running."), "{}", tom.seat.transcript());
    // People who may restore, as Manage Server may, see it and may stop it.
    mia.run("/snapshot status").await;
    assert!(mia.sees("Snapshot of `web-1`"), "{}", mia.seat.transcript());
    mia.run("/snapshot take droplet:web-1").await;
    assert!(mia.sees("or stop it with `/snapshot cancel operation:"), "{}", mia.seat.transcript());
    assert_eq!(mia.suggestions("snapshot cancel", "operation", "web").await.len(), 1);
    mia.run("/snapshot cancel operation:web-1").await;
    stage.shows(&ada, "cancelled by").await;
    stage.complete_action("web-1");
    stage.settle().await;
    assert!(stage.is_on("web-1"));
    ada.transcript();
    stage.finish().await;
}

#[tokio::test]
async fn another_server_learns_when_a_schedule_runs_and_may_pause_it() {
    let (stage, Elsewhere { mia, tom }) = two().await;
    let ruth = stage.seat("ruth", Role::Restorer);
    schedules_web_1(&ruth, "7 daily").await;
    stage.calm().await;
    for command in ["list", "show schedule:web-1"] {
        mia.run(&format!("/schedule {command}")).await;
    }
    let told = mia.transcript();
    assert!(told.contains("The schedule of `web-1` runs every day at 03:00 (UTC)"), "{told}");
    for private in ["#ops", "ruth", "Keeps", "Snapshot yet"] {
        assert!(!told.contains(private), "{private}: {told}");
    }
    for command in ["preview schedule:web-1", "edit schedule:web-1 at:04:00", "remove schedule:web-1"] {
        mia.run(&format!("/schedule {command}")).await;
        assert!(mia.sees("was added in another server"), "{command}\n{}", mia.seat.transcript());
        mia.transcript();
    }
    mia.run("/schedule pause schedule:web-1").await;
    assert!(mia.sees("Paused: the schedule of"), "{}", mia.seat.transcript());
    stage.calm().await;
    stage.shows(&ruth, "**Paused** until").await;
    tom.run("/schedule list").await;
    assert!(tom.sees("There are no schedules yet"), "{}", tom.seat.transcript());
    mia.transcript();
    tom.transcript();
    ruth.transcript();
    stage.finish().await;
}
