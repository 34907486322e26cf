//! `/snapshot restore` puts one of a Droplet's own Snapshots or backups back onto it, after a question. *Undo* leads here too.

use serenity::{builder::CreateAutocompleteResponse, model::id};

use super::{CHOICES, Context, announce::Chosen, choices::OneOf, droplets, granted, sibling};
use crate::{
    access::{Grant, Right},
    discord::{
        confirm::{self, Confirmed, Question},
        incident::Fault,
        interaction_info::InteractionInfo,
        lookup,
        messages::{
            confirm::{self as words, Backups, Disk, Restoring, Warned},
            help::Help,
            message::Message,
            progress::downtime,
            refusal::Refusal,
        },
        preflight::{self, Restorable},
        press::{Begun, Press},
        responder::{Answer, Stop},
        start::{self, NeedsRight, Requested},
        state::AppState,
    },
    inventory::DropletStatus,
    operation::{
        Operation,
        announce::{Announce, Tell},
        ids::{DropletId, OperationId, SnapshotId},
        kinds::{Kind, Restore, Safety, SnapshotRef},
    },
    store::Consent,
};

/// A backup that begins within this time counts as under way.
const SOON: jiff::SignedDuration = jiff::SignedDuration::from_mins(15);

impl Confirmed for Restore {
    async fn look_again(
        &self,
        (state, info): (&AppState, &InteractionInfo),
        (grant, consent): (&Grant, &Consent),
        question: &Question,
    ) -> Result<Option<Message>, Stop> {
        let droplet = question.requested.target.droplet.ok_or(Refusal::UnknownButton)?;
        let found = match preflight::restore(state, droplet, &self.snapshot.id.to_string()).await {
            Ok(found) => found,
            // If Discord delivers the press twice, the second one finds the Droplet locked by the operation of the first. The store
            // recognizes the repeat.
            Err(Stop::Refused(Refusal::Locked { .. })) => return Ok(None),
            Err(stop) => return Err(stop),
        };
        let is_as_shown = match (&self.rewrites, &found.rewrites) {
            (Some(shown), Some(now)) => now.iter().all(|rewrite| shown.contains(rewrite)),
            (None, _) | (_, None) => true,
        };
        if is_as_shown {
            return Ok(None);
        }
        state.store.close_confirmation(consent).await?.map_err(start::not_counted)?;
        let asked = Asked {
            retries: question.retries,
            announce: question.announce,
            disk: Disk::Rewritten,
            ..Asked::new(self.safety)
        };
        ask(state, info, grant, found, asked).await.map(Some)
    }

    async fn ask_again(
        &self,
        (state, info): (&AppState, &InteractionInfo),
        grant: &Grant,
        failed: &Operation,
    ) -> Result<Answer, Stop> {
        let droplet = failed.target.droplet.ok_or(Refusal::UnknownButton)?;
        let asked = (self.snapshot.id, self.safety, Some(failed));
        let asked = of_droplet(state, info, grant, droplet, asked).await;
        asked.map(Answer::New).map_err(|stop| stop.about(&failed.target.name))
    }
}

impl NeedsRight for Restore {
    const RIGHT: Right = HELP.right;
}

/// The command's help line, and the right that it needs.
pub(super) const HELP: Help = Help {
    name: "snapshot restore",
    right: Right::Restore,
    to: "restore Droplets",
    does: "rolls a Droplet back; asks first, can undo",
};

/// Roll a Droplet back to one of its Snapshots (asks first, undo for 24 h)
#[expect(clippy::too_many_arguments, reason = "each is an option of the command")]
#[poise::command(slash_command)]
pub(super) async fn restore(
    context: Context<'_>,
    #[description = "The Droplet; type a part of its name"]
    #[autocomplete = "droplets"]
    droplet: String,
    #[description = "One of its Snapshots or backups; choose the Droplet first"]
    #[autocomplete = "snapshots"]
    snapshot: String,
    #[description = "Whether the current disk is saved first"] safety: Option<OneOf<Safety>>,
    #[description = "How I tell you that it's done"] tell: Option<OneOf<Tell>>,
    #[description = "Warn people before it goes down: 1 to 60 minutes, such as 5m"]
    #[max_length = 10]
    warn: Option<String>,
    #[description = "The channel that is warned; this one if left out"]
    #[rename = "warn-in"]
    #[channel_types("Text", "News", "PublicThread", "PrivateThread", "NewsThread")]
    warn_in: Option<id::ChannelId>,
) -> Result<(), Fault> {
    let safety = safety.map_or(Safety::Snapshot, |OneOf(safety)| safety);
    let typed = Typed { droplet, snapshot, safety, announce: Chosen { tell, warn, warn_in } };
    granted(context, HELP, |info, grant| Box::pin(question(context, info, grant, typed))).await;
    Ok(())
}

/// The typed options.
struct Typed {
    droplet: String,
    snapshot: String,
    safety: Safety,
    announce: Chosen,
}

async fn question(
    context: Context<'_>,
    info: InteractionInfo,
    grant: Grant,
    Typed { droplet, snapshot, safety, announce }: Typed,
) -> Result<Answer, Stop> {
    let state = context.framework.user_data;
    start::check(state, &info)?;
    let announce = announce.read(context, grant.guild()).await?;
    let found = state.inventory.resolve_droplet(&droplet).await;
    let droplet = found.map_err(|unresolved| lookup::no_droplet(&droplet, unresolved))?;
    check_free(state, &info, (droplet.id, &droplet.name), Some(Begun::Restore)).await?;
    let found = preflight::restore(state, droplet.id, &snapshot).await?;
    ask(state, &info, &grant, found, Asked { announce, ..Asked::new(safety) }).await.map(Answer::New)
}

/// Handles *Undo*: a restore of the safety Snapshot, which asks like any other restore.
pub(in crate::discord) async fn undo(
    state: &AppState,
    info: &InteractionInfo,
    grant: &Grant,
    id: OperationId,
) -> Result<Answer, Stop> {
    start::check(state, info)?;
    let unknown = || Refusal::UnknownOperation { text: id.to_string() };
    let found = state.store.operation(id).await?.map(|stored| stored.operation);
    let operation = found.ok_or_else(unknown)?;
    let id = operation.safety_snapshot().ok_or(Refusal::NothingToUndo)?.id;
    let until = operation.undo_until().ok_or(Refusal::NothingToUndo)?;
    if state.clock.now() >= until {
        return Err(Refusal::UndoOver { snapshot: operation.snapshot_name.clone(), id }.into());
    }
    let droplet = operation.target.droplet.ok_or(Refusal::NothingToUndo)?;
    check_free(state, info, (droplet, &operation.target.name), Some(Begun::Restore)).await?;
    let found = preflight::restore(state, droplet, &id.to_string()).await.map_err(|stop| match stop {
        Stop::Refused(Refusal::DropletGone { .. }) => {
            Refusal::NothingToUndoOn { snapshot: operation.snapshot_name.clone(), id }.into()
        }
        stop => stop,
    })?;
    let asked = Asked { is_undo: true, ..Asked::new(Safety::Snapshot) };
    ask(state, info, grant, found, asked).await.map(Answer::New)
}

/// Asks whether to put a Snapshot back onto the Droplet that it was taken of.
pub(in crate::discord) async fn of_snapshot(
    state: &AppState,
    info: &InteractionInfo,
    grant: &Grant,
    id: SnapshotId,
) -> Result<Message, Stop> {
    start::check(state, info)?;
    let found = state.inventory.snapshot_now(id).await;
    let snapshot = found.map_err(|gone| lookup::no_snapshot(&id.to_string(), None, gone))?;
    let lost = || Refusal::SourceGone { snapshot: snapshot.name.clone(), id };
    let droplet = snapshot.droplet.ok_or_else(lost)?;
    match of_droplet(state, info, grant, droplet, (id, Safety::Snapshot, None)).await {
        Err(Stop::Refused(Refusal::DropletGone { .. })) => Err(lost().into()),
        asked => asked,
    }
}

/// Asks whether to put a Snapshot or backup back onto this Droplet.
pub(in crate::discord) async fn of_droplet(
    state: &AppState,
    info: &InteractionInfo,
    grant: &Grant,
    droplet: DropletId,
    (snapshot, safety, failed): (SnapshotId, Safety, Option<&Operation>),
) -> Result<Message, Stop> {
    start::check(state, info)?;
    let found = state.inventory.resolve_droplet(&droplet.to_string()).await;
    let named = found.map_err(|unresolved| lookup::no_droplet(&droplet.to_string(), unresolved))?;
    check_free(state, info, (droplet, &named.name), Some(Begun::Restore)).await?;
    let found = preflight::restore(state, droplet, &snapshot.to_string()).await?;
    ask(
        state,
        info,
        grant,
        found,
        Asked {
            retries: failed.map(|failed| failed.id),
            announce: failed.map(Operation::announced_again).unwrap_or_default(),
            is_unwarned: failed.is_some_and(|failed| failed.warning.is_some()),
            ..Asked::new(safety)
        },
    )
    .await
}

/// The details of the question before a restore.
#[derive(Clone, Copy)]
struct Asked {
    safety: Safety,
    is_undo: bool,
    retries: Option<OperationId>,
    announce: Announce,
    /// Whether the failed restore did not warn people.
    is_unwarned: bool,
    disk: Disk,
}

impl Asked {
    fn new(safety: Safety) -> Self {
        Self {
            safety,
            is_undo: false,
            retries: None,
            announce: Announce::default(),
            is_unwarned: false,
            disk: Disk::AsShown,
        }
    }
}

/// Refuses if another operation runs on the Droplet, and offers to begin `what` again. Call this before the look at DigitalOcean, which
/// locks the Droplet meanwhile: the operation is the better reason.
pub(super) async fn check_free(
    state: &AppState,
    info: &InteractionInfo,
    (droplet, name): (DropletId, &str),
    what: Option<Begun>,
) -> Result<(), Stop> {
    let Some(operation) = state.store.running_on(droplet).await? else { return Ok(()) };
    let progress = state.store.progress_message(operation).await?;
    let by = state.occupant(&info.who, operation, progress).await?;
    let again = what.map(|what| Box::new(Press::Begin { what, droplet: Some(droplet) }));
    Err(Refusal::Busy { droplet: name.to_owned(), by, again }.into())
}

async fn ask(
    state: &AppState,
    info: &InteractionInfo,
    grant: &Grant,
    Restorable { droplet, snapshot, is_backup, rewrites }: Restorable,
    Asked { safety, is_undo, retries, announce, is_unwarned, disk }: Asked,
) -> Result<Message, Stop> {
    let target = preflight::target(&droplet);
    let kind = Kind::Restore(Restore {
        snapshot: SnapshotRef { id: snapshot.id, name: snapshot.name.clone() },
        safety,
        rewrites,
    });
    let origins = state.store.origins([snapshot.name.as_str()]).await?;
    let requested = Requested { kind, target: target.clone(), snapshot_name: None };
    let question = Question { retries, announce, ..Question::new(requested.clone()) };
    let now = state.clock.now();
    let mut preview = Operation::new(start::request(state, info, grant, requested)?);
    preview.typical = state.store.typical(Some(droplet.id)).await?;
    let window = droplet.next_backup_window.filter(|window| now < window.end);
    let backups = match window {
        Some(window) if window.start <= now => Backups::Open,
        Some(window) if window.start <= now + SOON => Backups::Soon(window.start),
        Some(_) | None => Backups::Later,
    };
    let restoring = Restoring {
        target: &target,
        snapshot: &snapshot,
        is_backup,
        taken_by: origins.get(&snapshot.name).map(|operation| operation.requester.user),
        safety,
        is_undo,
        is_on: droplet.status == DropletStatus::Active,
        downtime: downtime(&preview),
        volumes: droplet.volume_ids.len(),
        backups,
        warned: match announce.warn {
            Some(warn) => Warned::First(warn),
            None if is_unwarned => Warned::NotAgain,
            None => Warned::Nobody,
        },
        disk,
    };
    confirm::ask(state, grant, &question, |buttons| words::restore(&restoring, &state.wording, buttons)).await
}

/// The Snapshots and backups of the Droplet that was chosen in the same command.
async fn snapshots<'a>(context: Context<'a>, partial: &'a str) -> CreateAutocompleteResponse {
    let state = context.framework.user_data;
    let nothing = CreateAutocompleteResponse::new();
    if let Some(refused) = super::refused(context) {
        return refused;
    }
    let Some(droplet) = chosen_droplet(context).await else { return nothing };
    let found = state.inventory.find_restorable(droplet, partial, CHOICES).await;
    nothing.set_choices(super::choices(context, found).await)
}

/// The chosen Droplet, which may be half-typed or typed by name.
async fn chosen_droplet(context: Context<'_>) -> Option<DropletId> {
    let text = sibling(context, "droplet")?;
    context.framework.user_data.inventory.peek_droplet(&text).await
}
