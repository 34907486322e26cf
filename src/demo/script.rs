//! A conversation that plays itself: real commands, the real bot, and at the end of each scene a check of the simulated world.

use std::time::Duration;

use anyhow::{bail, ensure};
use snapshot_bot_sandbox::{
    digitalocean::{
        droplet::Status,
        fault::{Fault, HungAction, Pattern, Quirk},
        http_types::{Exchange, Method},
    },
    discord::{interaction::Response, message::Message, simulated_user::SimulatedUser},
    page::bot::BotState,
};
use tokio::{sync::watch, time::timeout};

use super::{
    bot::Bot,
    services::{Pace, Services},
    transcript::Transcript,
};
use crate::config::Config;

/// How long the script waits without an expected event before it gives up.
const PATIENCE: Duration = Duration::from_mins(1);

/// Plays the conversation; returns an error if any check failed.
pub(super) async fn play() -> anyhow::Result<()> {
    let services = Services::build(Pace::Played, &[]).await?;
    let config = services.config()?;
    let mut play = Play { config, bot: None, transcript: Transcript::new(), wrong: 0, services };
    let played = play.all().await;
    let Play { bot, services, wrong, .. } = play;
    if let Some(bot) = bot {
        bot.stop().await?;
    }
    services.shutdown().await;
    played?;
    ensure!(wrong == 0, "{wrong} of the promises above did not hold");
    Ok(())
}

struct Play {
    services: Services,
    config: Config,
    bot: Option<Bot>,
    transcript: Transcript,
    wrong: usize,
}

/// The state before a scene, for comparison at its end.
struct Before {
    droplet: &'static str,
    snapshots: usize,
    pings: usize,
}

impl Play {
    async fn all(&mut self) -> anyhow::Result<()> {
        self.transcript.aside("The bot that ships, between a simulated Discord and a simulated DigitalOcean.");
        self.transcript.aside("Nothing leaves this computer, and Actions take seconds here.");
        self.wake().await?;
        let ada = self.services.operator();
        self.until(&ada, |play| play.is_offered(&ada, "snapshot take").then_some(())).await?;
        self.by_the_book().await?;
        self.refused().await?;
        self.snapshot_fails().await?;
        self.shutdown_hangs().await?;
        self.killed_in_the_middle().await?;
        self.conclude();
        Ok(())
    }

    async fn wake(&mut self) -> anyhow::Result<()> {
        let (told, mut state) = watch::channel(BotState::Starting);
        self.bot = Some(Bot::start(self.config.clone(), self.services.clock.clone(), told)?);
        let ready = state.wait_for(|state| !matches!(state, BotState::Starting));
        match timeout(PATIENCE, ready).await {
            Ok(Ok(state)) => match &*state {
                BotState::Running => Ok(()),
                BotState::Failed { why } => bail!("the bot did not start: {why}"),
                BotState::Starting | BotState::Killed => bail!("the bot did not start"),
            },
            Ok(Err(_)) => bail!("the bot ended before it was ready"),
            Err(_) => bail!("the bot was not ready within {} s", PATIENCE.as_secs()),
        }
    }

    async fn by_the_book(&mut self) -> anyhow::Result<()> {
        self.transcript.scene("A Snapshot by the book");
        let ada = self.services.operator();
        self.transcript.act("ada", "types: /snapshot take droplet: web");
        let offered = ada.autocomplete("snapshot take", "droplet", "web", &[]).await?;
        for choice in &offered {
            self.transcript.aside(&format!("offered: {}", choice.name));
        }
        self.check(offered.iter().any(|choice| choice.name.contains("web-1")), "web-1 is among the suggestions");
        let before = self.before("web-1", &ada);
        self.run(&ada, "ada", "/snapshot take droplet:web-1").await?;
        self.answered(&ada, before.pings).await?;
        self.check_end(&before, &ada, 1);
        self.check(
            self.orders("web-1") == ["shutdown", "snapshot", "power_on"],
            "shut down, snapshot, power on: each once",
        );
        Ok(())
    }

    async fn refused(&mut self) -> anyhow::Result<()> {
        self.transcript.scene("Somebody without the right");
        let gus = self.services.guest();
        let posts = self.posts();
        let response = self.run(&gus, "gus", "/snapshot take droplet:web-1").await?;
        let private = match response {
            Response::Message(message) | Response::Thinking(message) => {
                self.services.discord.world().message(message).is_some_and(|message| message.only_for == Some(gus.user))
            }
            Response::Updated(_) | Response::WillUpdate(_) | Response::Choices(_) | Response::Form(_) => false,
        };
        self.check(private, "refused, and only gus can see it");
        self.check(self.posts() == posts, "DigitalOcean was asked for nothing");
        Ok(())
    }

    async fn snapshot_fails(&mut self) -> anyhow::Result<()> {
        self.transcript.scene("A snapshot fails");
        self.transcript.aside("The next snapshot Action will end with an error.");
        self.fault(Fault::once(Pattern::action("snapshot"), Quirk::Err));
        let ada = self.services.operator();
        let before = self.before("db-1", &ada);
        self.run(&ada, "ada", "/snapshot take droplet:db-1").await?;
        self.answered(&ada, before.pings).await?;
        self.check_end(&before, &ada, 0);
        Ok(())
    }

    async fn shutdown_hangs(&mut self) -> anyhow::Result<()> {
        self.transcript.scene("A shutdown gets stuck");
        self.transcript.aside("The next shutdown will not turn its Droplet off.");
        let hang = Quirk::ShutdownHangs { action: HungAction::Completes, off_after: None };
        self.fault(Fault::once(Pattern::action("shutdown"), hang));
        let ada = self.services.operator();
        let mut before = self.before("minecraft", &ada);
        self.run(&ada, "ada", "/snapshot take droplet:minecraft").await?;
        let (message, live) = self.until(&ada, |_| ada.button("Take it live")).await?;
        self.check(ada.pings() == before.pings + 1, "the question is a new message, which pings who asked");
        before.pings = ada.pings();
        self.transcript.act("ada", "presses [Take it live]");
        ada.press(message, &live).await?;
        self.answered(&ada, before.pings).await?;
        self.check_end(&before, &ada, 1);
        let boots =
            self.services.digitalocean.read(|world| world.droplet_named("minecraft").map(|droplet| droplet.boots));
        self.check(boots == Some(0), "it never went off");
        Ok(())
    }

    async fn killed_in_the_middle(&mut self) -> anyhow::Result<()> {
        self.transcript.scene("The bot is killed in the middle");
        let ada = self.services.operator();
        let before = self.before("valheim", &ada);
        self.run(&ada, "ada", "/snapshot take droplet:valheim").await?;
        self.until(&ada, |play| (play.power("valheim") == Some(Status::Off)).then_some(())).await?;
        if let Some(bot) = self.bot.take() {
            bot.kill().await;
        }
        self.transcript.aside("valheim is off, and the bot is dead: no goodbye, no tidying up. Now it starts again.");
        self.wake().await?;
        self.answered(&ada, before.pings).await?;
        self.check_end(&before, &ada, 1);
        Ok(())
    }

    fn conclude(&mut self) {
        self.transcript.scene("At the end");
        let left_off = self.services.digitalocean.read(|world| world.left_off().len());
        self.check(left_off == 0, "no Droplet that was on is off");
        let rejected: Vec<_> = self.services.digitalocean.read(|world| world.rejections().to_vec());
        self.check(rejected.is_empty(), "DigitalOcean had nothing to object to");
        let complaints = self.services.discord.world().complaints();
        self.check(complaints.is_empty(), "Discord had nothing to object to");
        for rejection in rejected {
            self.transcript.aside(&format!("{rejection:?}"));
        }
        for complaint in complaints {
            self.transcript.aside(&complaint.what);
        }
    }

    /// Types a command, and prints the immediate result.
    async fn run(&mut self, seat: &SimulatedUser, who: &str, line: &str) -> anyhow::Result<Response> {
        self.transcript.act(who, line);
        let response = seat.run(line).await?;
        self.transcript.catch_up(&self.services.discord, seat);
        Ok(response)
    }

    /// Prints what happens until this person has been pinged again and nothing is under way.
    async fn answered(&mut self, seat: &SimulatedUser, pings: usize) -> anyhow::Result<()> {
        // These buttons exist only while something runs; the next steps remain under an answer.
        let is_for_now =
            |label: &str| label.starts_with("Cancel") || ["Leave it off", "Force power off"].contains(&label);
        let at_rest =
            |message: &Message| !message.components().any(|button| button["label"].as_str().is_some_and(is_for_now));
        let look = |_: &Self| seat.pings() > pings && seat.messages().iter().all(at_rest);
        self.until(seat, |play| look(play).then_some(())).await
    }

    /// Prints what happens until `look` returns something.
    async fn until<T>(&mut self, seat: &SimulatedUser, look: impl Fn(&Self) -> Option<T>) -> anyhow::Result<T> {
        let deadline = tokio::time::Instant::now() + PATIENCE;
        let mut said = self.services.discord.changes();
        let mut done = self.services.digitalocean.changes();
        loop {
            said.mark_unchanged();
            done.mark_unchanged();
            self.transcript.catch_up(&self.services.discord, seat);
            if let Some(seen) = look(self) {
                return Ok(seen);
            }
            tokio::select! {
                _ = said.changed() => {}
                // Droplets go off and on without a request; the bot's frequent looks make that a change.
                _ = done.changed() => {}
                () = tokio::time::sleep_until(deadline) => {
                    bail!("nothing more happened within {} s; the conversation so far is above", PATIENCE.as_secs())
                }
            }
        }
    }

    fn before(&self, droplet: &'static str, seat: &SimulatedUser) -> Before {
        Before { droplet, snapshots: self.snapshots(droplet), pings: seat.pings() }
    }

    fn check_end(&mut self, before: &Before, seat: &SimulatedUser, snapshots: usize) {
        let Before { droplet, .. } = before;
        self.check(self.power(droplet) == Some(Status::Active), &format!("{droplet} is on"));
        let made = self.snapshots(droplet) - before.snapshots;
        let wanted = if snapshots == 1 { "one new Snapshot" } else { "no new Snapshot" };
        self.check(made == snapshots, &format!("{wanted} of {droplet}"));
        self.check(seat.pings() == before.pings + 1, "one announcement, which pings who asked and nobody else");
    }

    fn check(&mut self, holds: bool, what: &str) {
        self.wrong += usize::from(!holds);
        self.transcript.proof(holds, what);
    }

    fn fault(&self, fault: Fault) {
        self.services.digitalocean.world(|world| world.add_fault(fault));
    }

    fn power(&self, droplet: &str) -> Option<Status> {
        self.services.digitalocean.read(|world| world.droplet_named(droplet).map(|droplet| droplet.status))
    }

    fn snapshots(&self, droplet: &str) -> usize {
        self.services
            .digitalocean
            .read(|world| world.droplet_named(droplet).map_or(0, |droplet| world.snapshots_of(droplet.id).len()))
    }

    /// The commands sent for a Droplet, in order.
    fn orders(&self, droplet: &str) -> Vec<&'static str> {
        self.services.digitalocean.read(|world| {
            let Some(droplet) = world.droplet_named(droplet) else { return Vec::new() };
            world.actions_of(droplet.id).iter().map(|action| action.kind.as_str()).collect()
        })
    }

    fn posts(&self) -> usize {
        let is_post = |exchange: &&Exchange| exchange.request.method == Method::Post;
        self.services.digitalocean.journal().iter().filter(is_post).count()
    }

    fn is_offered(&self, seat: &SimulatedUser, command: &str) -> bool {
        let offered = self.services.discord.world().offered_commands(seat.channel, seat.user);
        offered.iter().any(|leaf| leaf.path.join(" ") == command)
    }
}
