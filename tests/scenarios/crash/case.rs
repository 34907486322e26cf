//! The cases: the kind of an operation, what goes wrong in it, and what a person does about it.
//!
//! A person who gets no answer checks whether there is an operation after all. They try again if there is none, or if it was withdrawn:
//! what overwrites, deletes or costs money is not done for a person who may not have been answered.

use snapshot_bot_sandbox::{
    digitalocean::{
        backups::BackupPolicy,
        fault::{Fault, HungAction, Pattern, Quirk},
    },
    discord::{interaction::Response, refused::Refused},
};

use super::cut::{Cut, Transit};
use crate::stage::{Person, Stage};

/// A case. A new kind of operation needs one.
pub(super) struct Case {
    line: &'static str,
    setting: Setting,
    /// The button that confirms the request.
    confirm: Option<&'static str>,
    /// The button that answers the question about a hung shutdown.
    press: Option<&'static str>,
    /// The buttons that then request a second operation, in order.
    then: &'static [&'static str],
    /// Whether a late shutdown remains possible at the end.
    may_go_off_late: bool,
    /// The expected Actions, each once.
    pub(super) actions: &'static [&'static str],
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Setting {
    Fine,
    DropletIsOff,
    ShutdownHangs,
    /// The shutdown hangs, and the time for an answer is short.
    NobodyDecides,
    /// The Droplet already has a Snapshot named `golden`.
    Golden,
    /// The Droplet has that Snapshot, and the shutdown hangs.
    GoldenHangs,
    /// DigitalOcean backs up the Droplet and has two Backups of it; the newer one is named `nightly-2`.
    BackedUp,
}

pub(super) const TAKE: Case = Case {
    line: "/snapshot take droplet:web-1",
    setting: Setting::Fine,
    confirm: None,
    press: None,
    then: &[],
    may_go_off_late: false,
    actions: &["shutdown", "snapshot", "power_on"],
};
pub(super) const LIVE: Case = Case { line: "/snapshot take droplet:web-1 power:live", actions: &["snapshot"], ..TAKE };
pub(super) const ALREADY_OFF: Case = Case { setting: Setting::DropletIsOff, actions: &["snapshot"], ..TAKE };
pub(super) const HUNG_FORCE: Case = Case {
    setting: Setting::ShutdownHangs,
    press: Some("Force power off"),
    actions: &["shutdown", "power_off", "snapshot", "power_on"],
    ..TAKE
};
pub(super) const HUNG_LIVE: Case =
    Case { press: Some("Take it live"), may_go_off_late: true, actions: &["shutdown", "snapshot"], ..HUNG_FORCE };
pub(super) const HUNG_CANCEL: Case = Case { press: Some("Cancel"), actions: &["shutdown"], ..HUNG_LIVE };

pub(super) const HUNG_RESTART: Case =
    Case { then: &["Restart it", "Restart"], actions: &["shutdown", "power_cycle"], ..HUNG_CANCEL };

pub(super) const HUNG_SILENCE: Case = Case { setting: Setting::NobodyDecides, press: None, ..HUNG_CANCEL };

pub(super) const RESTORE: Case = Case {
    line: "/snapshot restore droplet:web-1 snapshot:golden",
    setting: Setting::Golden,
    confirm: Some("Restore"),
    actions: &["shutdown", "snapshot", "restore", "power_on"],
    ..TAKE
};
pub(super) const RESTORE_UNSAFE: Case = Case {
    line: "/snapshot restore droplet:web-1 snapshot:golden safety:no",
    actions: &["shutdown", "restore", "power_on"],
    ..RESTORE
};
pub(super) const RESTORE_HUNG: Case = Case {
    setting: Setting::GoldenHangs,
    press: Some("Force power off"),
    actions: &["shutdown", "power_off", "snapshot", "restore", "power_on"],
    ..RESTORE
};
pub(super) const LAUNCH: Case = Case {
    line: "/snapshot launch snapshot:golden name:web-2",
    setting: Setting::Golden,
    confirm: Some("Launch – $6/mo"),
    actions: &["create"],
    ..TAKE
};
pub(super) const DELETE: Case = Case {
    line: "/snapshot delete snapshot:golden",
    setting: Setting::Golden,
    confirm: Some("Delete"),
    actions: &[],
    ..TAKE
};

pub(super) const BACKUPS_ENABLE: Case = Case {
    line: "/backups enable droplet:web-1 plan:weekly day:MON hour:8",
    confirm: Some("Enable"),
    actions: &["enable_backups"],
    ..TAKE
};
pub(super) const BACKUPS_CHANGE: Case = Case {
    line: "/backups change droplet:web-1 plan:weekly",
    setting: Setting::BackedUp,
    confirm: Some("Change"),
    actions: &["change_backup_policy"],
    ..TAKE
};
pub(super) const BACKUPS_DISABLE: Case = Case {
    line: "/backups disable droplet:web-1",
    setting: Setting::BackedUp,
    confirm: Some("Keep the newest"),
    actions: &["convert", "disable_backups"],
    ..TAKE
};
pub(super) const BACKUPS_KEEP: Case = Case {
    line: "/backups keep droplet:web-1 backup:nightly-1",
    setting: Setting::BackedUp,
    confirm: Some("Keep"),
    actions: &["convert"],
    ..TAKE
};

/// Operations that are carried out, or were. One that waits for its first answer may still be withdrawn, so the case waits for it.
const UNDER_WAY: &str = "SELECT COUNT(*) AS n FROM operations WHERE COALESCE(outcome, '') <> 'withdrawn'";
pub(super) const WITHDRAWN: &str = "SELECT COUNT(*) AS n FROM operations WHERE outcome = 'withdrawn'";

impl Case {
    /// Prepares the world for this case.
    pub(super) fn prepare(&self, stage: &mut Stage, cuts: &[Cut]) {
        if cuts.iter().any(|cut| cut.transit == Transit::Late) {
            // Longer than a busy machine takes to start a bot. The case also waits this long for lost requests.
            let settle_time = if cuts.len() == 1 { "25s" } else { "6s" };
            stage.environment.insert("SETTLE_TIME", settle_time.to_owned());
        }
        stage.watches_late_shutdowns = self.may_go_off_late;
        // No machine is so slow that a healthy shutdown looks hung.
        let hangs = matches!(self.setting, Setting::ShutdownHangs | Setting::NobodyDecides | Setting::GoldenHangs);
        stage.environment.insert("SHUTDOWN_TIMEOUT", if hangs { "400ms" } else { "1m" }.to_owned());
        // The bot looks at a Droplet that hangs again and again, and each look is like the others.
        stage.environment.insert("POLL_INTERVAL", if hangs { "150ms" } else { "10ms" }.to_owned());
        if self.setting == Setting::NobodyDecides {
            // Long enough for a bot that dies to be back before the question expires.
            stage.environment.insert("DECISION_TIMEOUT", "4s".to_owned());
        }
        stage.digitalocean.world(|world| {
            let web = world.droplet_named("web-1").map(|droplet| droplet.id).expect("the stage has it");
            match self.setting {
                Setting::Fine | Setting::ShutdownHangs | Setting::NobodyDecides => {}
                Setting::DropletIsOff => {
                    world.turn_off(web);
                    world.mark_power();
                }
                Setting::BackedUp => {
                    world.back_up(web, Some(BackupPolicy::DAILY));
                    world.add_backup(web, "nightly-1", 2.0);
                    world.add_backup(web, "nightly-2", 2.5);
                }
                Setting::Golden | Setting::GoldenHangs => {
                    world.add_snapshot(web, "golden", 2.0);
                }
            }
            if hangs {
                let hung = Quirk::ShutdownHangs { action: HungAction::Completes, off_after: None };
                world.add_fault(Fault::always(Pattern::action("shutdown"), hung));
            }
        });
    }

    /// Runs the case to its end, from its present state.
    pub(super) async fn tell(&self, stage: &Stage, ada: &Person) {
        stage.online().await;
        // After a death, the question may still be there, and its button works.
        let mut asked = self.confirm.is_some_and(|label| ada.button(label).is_some());
        while stage.query(UNDER_WAY).await == 0 {
            if !asked {
                let response = heard(ada.try_run(self.line).await);
                let known = stage.query(UNDER_WAY).await;
                let promised = matches!(response, Some(Response::Message(_))) && self.confirm.is_none();
                assert!(
                    !promised || known == 1 || stage.query(WITHDRAWN).await > 0,
                    "promised and forgotten:\n{}",
                    ada.transcript()
                );
            }
            asked = false;
            if let Some((message, custom_id)) = self.confirm.and_then(|label| ada.button(label))
                && heard(ada.seat.press(message, &custom_id).await).is_some()
            {
                // A press is acknowledged before it is carried out.
                let is_done = || !ada.offers(message, &custom_id);
                stage.until_async("the press is done", async || is_done() || stage.query(UNDER_WAY).await > 0).await;
            }
        }
        if let Some(label) = self.press {
            let shown = |stage: &Stage| stage.discord.world().is_bot_online() && Self::asks(ada, label);
            while !stage.settled_or("the question is asked", shown).await {
                let Some((message, custom_id)) = ada.button(label) else { continue };
                match ada.seat.press(message, &custom_id).await {
                    Ok(_) => break,
                    Err(Refused::DidNotRespond | Refused::UnknownComponent(_)) => {}
                    Err(refused) => panic!("{label}: {refused}"),
                }
            }
        }
        stage.settle().await;
        if !self.then.is_empty() {
            self.go_on(stage, ada).await;
        }
    }

    /// Requests the second operation. After a death its question may already be there, and its button works.
    async fn go_on(&self, stage: &Stage, ada: &Person) {
        let next = || self.then.iter().rev().find_map(|label| ada.button(label));
        while stage.query(UNDER_WAY).await < 2 {
            stage.until("the next button is there", |_| next().is_some()).await;
            if let Some((message, custom_id)) = next() {
                heard(ada.seat.press(message, &custom_id).await);
            }
        }
        stage.settle().await;
    }

    /// Whether the question is there. *Cancel* is always there, and has a further meaning once the question is asked.
    fn asks(ada: &Person, label: &str) -> bool {
        ada.button(HUNG_FORCE.press.unwrap_or_default()).is_some() && ada.button(label).is_some()
    }
}

/// The bot's answer, if it lived long enough to answer, and the button still existed.
fn heard(response: Result<Response, Refused>) -> Option<Response> {
    match response {
        Ok(response) => Some(response),
        Err(Refused::DidNotRespond | Refused::UnknownComponent(_)) => None,
        Err(refused) => panic!("{refused}"),
    }
}
