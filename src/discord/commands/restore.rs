//! `/snapshot restore`: puts one of a Droplet's own Snapshots or backups back onto it, after a question. *Undo* comes here too.

use serenity::builder::{AutocompleteChoice, CreateAutocompleteResponse};

use super::{Context, answer, asking, sibling};
use crate::{
    access::{Grant, Right},
    discord::{
        confirm::{self, Confirmed, Question},
        incident::Fault,
        interaction_info::InteractionInfo,
        lookup,
        messages::{
            confirm::{self as words, Backups, Restoring},
            help::Help,
            message::Message,
            progress::downtime,
            refusal::Refusal,
        },
        preflight::{self, Restorable, Warnings},
        responder::{Answer, Stop},
        start::{self, NeedsRight, Requested},
        state::AppState,
    },
    inventory::DropletStatus,
    operation::{
        Operation,
        ids::{DropletId, OperationId},
        kinds::{self, Kind, Restore, SnapshotRef},
    },
    store::Consent,
};

/// Discord takes no more.
const CHOICES: usize = 25;
/// A backup that begins within this time is as good as under way.
const SOON: jiff::SignedDuration = jiff::SignedDuration::from_mins(15);

impl Confirmed for Restore {
    async fn look_again(
        &self,
        (state, _): (&AppState, &InteractionInfo),
        _: (&Grant, &Consent),
        question: &Question,
    ) -> Result<Option<Message>, Stop> {
        let droplet = question.requested.target.droplet.ok_or(Refusal::UnknownButton)?;
        match preflight::restore(state, droplet, &self.snapshot.id.to_string()).await {
            // Delivered twice, the press finds the Droplet locked by what it began the first time; the store knows better.
            Ok(_) | Err(Stop::Refused(Refusal::Locked { .. })) => Ok(None),
            Err(stop) => Err(stop),
        }
    }
}

impl NeedsRight for Restore {
    const RIGHT: Right = HELP.right;
}

/// Whether the present disk is kept first.
#[derive(Clone, Copy, Debug, poise::ChoiceParameter)]
enum Safety {
    #[name = "yes"]
    Yes,
    #[name = "no"]
    No,
}

/// What help says of it, and the right that it takes.
pub(super) const HELP: Help = Help {
    name: "snapshot restore",
    right: Right::Restore,
    does: "puts one of a Droplet's own Snapshots back onto it; asks first, and can be undone",
};

/// Roll a Droplet back to one of its Snapshots (asks first, undo for 24 h)
#[poise::command(slash_command)]
pub(super) async fn restore(
    context: Context<'_>,
    #[description = "The Droplet; type a part of its name"]
    #[autocomplete = "droplets"]
    droplet: String,
    #[description = "One of its Snapshots or backups; choose the Droplet first"]
    #[autocomplete = "snapshots"]
    snapshot: String,
    #[description = "yes (default): save the current disk first; no: overwrite it, can't be undone"] safety: Option<
        Safety,
    >,
) -> Result<(), Fault> {
    let safety = match safety {
        None | Some(Safety::Yes) => kinds::Safety::Snapshot,
        Some(Safety::No) => kinds::Safety::None,
    };
    answer(context, |info| Box::pin(question(context, info, droplet, snapshot, safety))).await;
    Ok(())
}

async fn question(
    context: Context<'_>,
    info: InteractionInfo,
    droplet: String,
    snapshot: String,
    safety: kinds::Safety,
) -> Result<Answer, Stop> {
    let state = context.framework.user_data;
    let grant = state.policy.authorize(&info.who, HELP.right).map_err(Refusal::Denied)?;
    start::check(state, &info)?;
    let found = state.inventory.resolve_droplet(&droplet).await;
    let droplet = found.map_err(|unresolved| lookup::no_droplet(&droplet, unresolved))?;
    check_free(state, &info, droplet.id, &droplet.name).await?;
    let found = preflight::restore(state, droplet.id, &snapshot).await?;
    ask(state, &info, &grant, found, safety, false).await
}

/// *Undo* was pressed: a restore of the safety Snapshot, asked about like any other.
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
    let safety = operation.safety_snapshot().ok_or(Refusal::NothingToUndo)?.id;
    let until = operation.undo_until().ok_or(Refusal::NothingToUndo)?;
    if state.clock.now() >= until {
        return Err(Refusal::UndoOver { snapshot: operation.snapshot_name.clone() }.into());
    }
    let droplet = operation.target.droplet.ok_or(Refusal::NothingToUndo)?;
    check_free(state, info, droplet, &operation.target.name).await?;
    let found = preflight::restore(state, droplet, &safety.to_string()).await.map_err(|stop| match stop {
        Stop::Refused(Refusal::DropletGone) => {
            Refusal::NothingToUndoOn { snapshot: operation.snapshot_name.clone() }.into()
        }
        stop => stop,
    })?;
    ask(state, info, grant, found, kinds::Safety::Snapshot, true).await
}

/// Another operation on the Droplet is a reason of its own, and DigitalOcean locks the Droplet meanwhile; so this comes first.
pub(super) async fn check_free(
    state: &AppState,
    info: &InteractionInfo,
    droplet: DropletId,
    name: &str,
) -> Result<(), Stop> {
    let Some(operation) = state.running_on(droplet).await? else { return Ok(()) };
    let progress = state.store.progress_message(operation).await?;
    let by = state.occupant(&info.who, operation, progress).await?;
    Err(Refusal::Busy { droplet: name.to_owned(), by }.into())
}

async fn ask(
    state: &AppState,
    info: &InteractionInfo,
    grant: &Grant,
    Restorable { droplet, snapshot, is_backup }: Restorable,
    safety: kinds::Safety,
    is_undo: bool,
) -> Result<Answer, Stop> {
    let target = preflight::target(&droplet);
    let kind =
        Kind::Restore(Restore { snapshot: SnapshotRef { id: snapshot.id, name: snapshot.name.clone() }, safety });
    let origins = state.store.origins([snapshot.name.as_str()]).await?;
    let requested = Requested { kind, target: target.clone(), snapshot_name: None };
    let question = Question { requested: requested.clone(), warned: Warnings::default() };
    let now = state.clock.now();
    let mut preview = Operation::new(start::request(state, info, grant, requested)?);
    preview.usual = state.store.usual(Some(droplet.id)).await?;
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
        taken_by: origins.get(&snapshot.name).map(|operation| operation.asker.user),
        safety,
        is_undo,
        is_on: droplet.status == DropletStatus::Active,
        downtime: downtime(&preview),
        volumes: droplet.volume_ids.len(),
        backups,
    };
    let said =
        confirm::ask(state, grant, &question, |buttons| words::restore(&restoring, &state.wording, buttons)).await?;
    Ok(Answer::New(said))
}

/// The Droplets that a half-typed text may mean; none for who may not restore.
async fn droplets<'a>(context: Context<'a>, partial: &'a str) -> CreateAutocompleteResponse {
    let state = context.framework.user_data;
    if state.policy.authorize(&asking(context), HELP.right).is_err() {
        return CreateAutocompleteResponse::new();
    }
    let found = state.inventory.find_droplets(partial, CHOICES).await;
    let choices = found.into_iter().map(|choice| AutocompleteChoice::new(choice.label, choice.id.to_string()));
    CreateAutocompleteResponse::new().set_choices(choices.collect())
}

/// Only what belongs to the Droplet that was chosen in the same command.
async fn snapshots<'a>(context: Context<'a>, partial: &'a str) -> CreateAutocompleteResponse {
    let state = context.framework.user_data;
    let nothing = CreateAutocompleteResponse::new();
    if state.policy.authorize(&asking(context), HELP.right).is_err() {
        return nothing;
    }
    let Some(droplet) = chosen_droplet(context).await else { return nothing };
    let found = state.inventory.find_restorable(droplet, partial, CHOICES).await;
    nothing.set_choices(super::choices(context, found).await)
}

/// The Droplet may be half-typed itself, or typed by name.
async fn chosen_droplet(context: Context<'_>) -> Option<DropletId> {
    let text = sibling(context, "droplet")?;
    context.framework.user_data.inventory.peek_droplet(&text).await
}
