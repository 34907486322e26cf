//! The commands `/snapshot`, `/droplet`, `/schedule` and `/backups` with their subcommands, one file each. They are registered as they are
//! declared here.

mod again;
mod announce;
mod backups;
mod cancel;
mod choices;
mod cost;
pub(super) mod delete;
mod droplet;
mod help;
pub(super) mod launch;
pub(super) mod list;
pub(super) mod panel;
pub(super) mod pin;
pub(super) mod restart;
pub(super) mod restore;
pub(super) mod schedule;
mod status;
pub(super) mod take;
pub(super) mod take_group;
pub(super) mod turn_on;

use std::sync::Arc;

use serenity::{
    builder::{AutocompleteChoice, CreateAutocompleteResponse},
    http::Http,
    model::application::{InstallationContext, InteractionContext, ResolvedValue},
};

use super::{
    first_response::FirstResponse,
    incident::Fault,
    interaction_info::InteractionInfo,
    messages::{choice, help::Help, lengths::OPTIONS, refusal::Refusal},
    responder::{Answer, Deferral, Responder, Stop},
    state::{AppState, person},
};
use crate::{
    access::{Grant, Person},
    inventory::{Origin, Snapshot, distinct, snapshot_label},
    operation::undo::is_safety_name,
};

/// The maximum number of choices that Discord accepts.
const CHOICES: usize = OPTIONS;

/// The help line of each command.
pub(super) const HELP: [Help; 29] = [
    take::HELP,
    restore::HELP,
    launch::HELP,
    list::HELP,
    delete::HELP,
    status::HELP,
    cancel::HELP,
    take_group::HELP,
    schedule::ADD,
    schedule::EDIT,
    schedule::LIST,
    schedule::SHOW,
    schedule::PREVIEW,
    schedule::RUN,
    schedule::PAUSE,
    schedule::RESUME,
    schedule::TAKE_OVER,
    schedule::REMOVE,
    pin::HELP[0],
    pin::HELP[1],
    cost::HELP[0],
    cost::HELP[1],
    backups::HELP[0],
    backups::HELP[1],
    backups::HELP[2],
    backups::HELP[3],
    backups::HELP[4],
    panel::HELP,
    droplet::HELP,
];

/// The context that each command receives.
type Context<'a> = poise::ApplicationContext<'a, Arc<AppState>, Fault>;

/// All commands, for registration and dispatch.
pub(super) fn all() -> Vec<poise::Command<Arc<AppState>, Fault>> {
    let mut all = vec![snapshot(), droplet(), schedule::schedule(), backups::backups()];
    for command in &mut all {
        // No command is hidden: the bot checks rights itself, and a guild's admins can narrow access in Discord's own settings.
        command.install_context = Some(vec![InstallationContext::Guild]);
        command.interaction_context = Some(vec![InteractionContext::Guild]);
    }
    all
}

/// Look at one Droplet
#[poise::command(slash_command, subcommands("droplet::show"), subcommand_required)]
async fn droplet(context: Context<'_>) -> Result<(), Fault> {
    answer(context, |_| async { Err::<Answer, _>(Refusal::UnknownCommand.into()) }).await;
    Ok(())
}

/// Take, restore and look after Snapshots of Droplets
#[poise::command(
    slash_command,
    subcommands(
        "take::take",
        "take_group::take_group",
        "restore::restore",
        "launch::launch",
        "list::list",
        "delete::delete",
        "status::status",
        "cancel::cancel",
        "pin::pin",
        "pin::unpin",
        "cost::cost",
        "cost::orphans",
        "panel::panel",
        "help::help"
    ),
    subcommand_required
)]
async fn snapshot(context: Context<'_>) -> Result<(), Fault> {
    // Discord sends no command group without its subcommand, so this one is forged.
    answer(context, |_| async { Err::<Answer, _>(Refusal::UnknownCommand.into()) }).await;
    Ok(())
}

/// Does a command's work and answers with the result.
async fn answer<W: Future<Output = Result<impl Into<Answer>, Stop>>>(
    context: Context<'_>,
    work: impl FnOnce(InteractionInfo) -> W,
) {
    let interaction = context.interaction;
    let info = InteractionInfo::from(interaction);
    let first = Arc::clone(&info.first);
    let responder = Responder {
        state: context.framework.user_data,
        first: &first,
        http: &context.serenity_context().http,
        id: interaction.id,
        token: &interaction.token,
        deferral: Deferral::Thinking,
    };
    let work = async {
        match work(info).await {
            Ok(answer) => Ok(answer.into()),
            // Nothing was begun and the obstacle may pass soon, so the answer offers a button with the same request.
            Err(Stop::Refused(refusal)) if refusal.passes() => Err::<Answer, Stop>(match again::press(context).await {
                Some(press) => Stop::NotNow(refusal, Box::new(press)),
                None if context.args.is_empty() => refusal.into(),
                None => Stop::SendAgain(refusal),
            }),
            Err(Stop::Failed(fault @ Fault::Store(_))) => Err(match again::press(context).await {
                Some(press) => Stop::NotStarted(fault, Box::new(press)),
                None => Stop::Failed(fault),
            }),
            Err(stop) => Err(stop),
        }
    };
    responder.answer(work).await;
}

/// Does the work of a command that needs a right, and refuses people without that right.
async fn granted<W: Future<Output = Result<impl Into<Answer>, Stop>>>(
    context: Context<'_>,
    Help { right, to, .. }: Help,
    work: impl FnOnce(InteractionInfo, Grant) -> W,
) {
    let state = context.framework.user_data;
    answer(context, |info| async move {
        let grant = state.policy.authorize(&info.who, right).map_err(|denial| Refusal::DeniedTo { denial, to })?;
        work(info, grant).await
    })
    .await;
}

fn asking(context: Context<'_>) -> Person {
    let interaction = context.interaction;
    person(interaction.guild_id, interaction.user.id, interaction.member.as_deref())
}

/// The whole name of the command, as it is typed after the slash.
fn name(context: Context<'_>) -> String {
    let names: Vec<&str> = context.command_tree.iter().map(|command| &*command.name).collect();
    names.join(" ")
}

/// The text in another option of the same command, which may be half-typed.
fn sibling(context: Context<'_>, option: &str) -> Option<String> {
    context.args.iter().find(|given| given.name == option).and_then(|given| match given.value {
        ResolvedValue::String(text) | ResolvedValue::Autocomplete { value: text, .. } => Some(text.to_owned()),
        _ => None,
    })
}

/// The one choice that tells a person who may not use this command why, in place of suggestions. `None` if they may use it.
fn refused(context: Context<'_>) -> Option<CreateAutocompleteResponse> {
    let state = context.framework.user_data;
    let name = name(context);
    let Some(Help { right, to, .. }) = HELP.into_iter().find(|help| help.name == name) else {
        return Some(CreateAutocompleteResponse::new());
    };
    let denial = state.policy.authorize(&asking(context), right).err()?;
    let why = choice::denied(&denial, to, |role| state.roles.name(role));
    // Submitting it is refused as for anybody without the right.
    Some(CreateAutocompleteResponse::new().set_choices(vec![AutocompleteChoice::new(why, choice::NO_RIGHT)]))
}

/// The Droplets that match a half-typed text.
async fn droplets<'a>(context: Context<'a>, partial: &'a str) -> CreateAutocompleteResponse {
    if let Some(refused) = refused(context) {
        return refused;
    }
    let found = context.framework.user_data.inventory.find_droplets(partial, CHOICES).await;
    let choices = found.into_iter().map(|choice| AutocompleteChoice::new(choice.label, choice.id.to_string()));
    CreateAutocompleteResponse::new().set_choices(choices.collect())
}

/// The Snapshots of all Droplets that match a half-typed text.
async fn snapshots<'a>(context: Context<'a>, partial: &'a str) -> CreateAutocompleteResponse {
    let state = context.framework.user_data;
    let nothing = CreateAutocompleteResponse::new();
    if let Some(refused) = refused(context) {
        return refused;
    }
    let found = state.inventory.find_snapshots(partial, CHOICES).await;
    let found = found.into_iter().map(|snapshot| (snapshot, Origin::Snapshot)).collect();
    nothing.set_choices(choices(context, found).await)
}

async fn choices(context: Context<'_>, found: Vec<(Snapshot, Origin)>) -> Vec<AutocompleteChoice> {
    let (state, http) = (context.framework.user_data, &context.serenity_context().http);
    let labelled = labelled(state, Some(http), &found).await;
    labelled.into_iter().map(|(label, id)| AutocompleteChoice::new(label, id)).collect()
}

/// Snapshots and backups to choose from, labeled with age, size and who took them, each with its id. Without Discord, people's names are as
/// last looked up.
async fn labelled(state: &AppState, http: Option<&Http>, found: &[(Snapshot, Origin)]) -> Vec<(String, String)> {
    let origins =
        state.store.origins(found.iter().map(|(snapshot, _)| snapshot.name.as_str())).await.unwrap_or_else(|error| {
            tracing::warn!(%error, "could not learn who took Snapshots");
            std::collections::HashMap::new()
        });
    let users = origins.values().map(|operation| operation.requester.user);
    let now = state.clock.now();
    let names = match http {
        Some(http) => state.names.of(http, users, now).await,
        None => state.names.known(users),
    };
    let choice = |(snapshot, origin): &(Snapshot, Origin)| {
        let operation = origins.get(&snapshot.name);
        let detail = match (origin, operation) {
            (Origin::Backup, _) => Some(choice::BACKUP.to_owned()),
            (Origin::Snapshot, Some(operation)) => Some(choice::taken_by(names.get(&operation.requester.user))),
            (Origin::Snapshot, None) => None,
        };
        let label = snapshot_label(snapshot, detail, now);
        let mark = if is_safety_name(&snapshot.name) { choice::SAFETY } else { "" };
        (format!("{mark}{label}"), snapshot.id.to_string())
    };
    let mut labelled: Vec<_> = found.iter().map(choice).collect();
    distinct(&mut labelled);
    labelled
}

/// Handles what poise could not do itself. Commands handle their own errors, so this is an unknown command or a bug.
pub(super) async fn on_error(error: poise::FrameworkError<'_, Arc<AppState>, Fault>) {
    use poise::FrameworkError;
    match error {
        FrameworkError::Command { error, ctx, .. } => fail(ctx, Stop::Failed(error)).await,
        FrameworkError::CommandPanic { payload, ctx, .. } => {
            fail(ctx, Stop::Failed(Fault::Panicked(payload.unwrap_or_default()))).await;
        }
        // Discord offered an older version of the command, or the command is forged.
        FrameworkError::ArgumentParse { ctx, .. } => fail(ctx, Refusal::UnknownCommand.into()).await,
        FrameworkError::CommandStructureMismatch { ctx, .. } => {
            fail(poise::Context::Application(ctx), Refusal::UnknownCommand.into()).await;
        }
        FrameworkError::UnknownInteraction { framework, interaction, .. } => {
            let responder = Responder {
                state: framework.user_data,
                first: &FirstResponse::default(),
                http: &framework.serenity_context.http,
                id: interaction.id,
                token: &interaction.token,
                deferral: Deferral::Thinking,
            };
            responder.answer(async { Err::<Answer, _>(Refusal::UnknownCommand.into()) }).await;
        }
        other => tracing::warn!(error = %other, "poise could not do something"),
    }
}

async fn fail(context: poise::Context<'_, Arc<AppState>, Fault>, stop: Stop) {
    let poise::Context::Application(context) = context else { return };
    if context.interaction_type == poise::CommandInteractionType::Autocomplete {
        if let Stop::Failed(fault) = stop {
            super::incident::Incident::record(&fault);
        }
        return;
    }
    answer(context, |_| async { Err::<Answer, _>(stop) }).await;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::Right;

    #[test]
    fn help_speaks_of_every_command_and_of_no_other() {
        let commands = all();
        let under = |group: &poise::Command<Arc<AppState>, Fault>| {
            group.subcommands.iter().map(|sub| format!("{} {}", group.name, sub.name)).collect::<Vec<_>>()
        };
        let mut names: Vec<_> = commands.iter().flat_map(under).collect();
        let mut helped: Vec<_> = HELP.iter().map(|help| help.name).chain(["snapshot help"]).collect();
        names.sort_unstable();
        helped.sort_unstable();
        assert_eq!(names, helped);
    }

    /// The commands named in the first cell of each row of a table, with the row's other cells.
    fn named_in(document: &str) -> Vec<(String, Vec<&str>)> {
        let rows = document.lines().filter(|line| line.starts_with("| `/"));
        let named = rows.flat_map(|row| {
            let mut cells = row.trim_matches('|').split('|').map(str::trim);
            let first = cells.next().unwrap();
            let rest: Vec<&str> = cells.collect();
            let mut group = "";
            let code = first.split('`').skip(1).step_by(2).filter(|code| !code.contains('_'));
            let names: Vec<String> = code
                .map(|code| match code.strip_prefix('/').and_then(|name| name.split_once(' ')) {
                    Some((top, name)) => {
                        group = top;
                        format!("{top} {name}")
                    }
                    None => format!("{group} {code}"),
                })
                .collect();
            names.into_iter().map(move |name| (name, rest.clone()))
        });
        named.collect()
    }

    #[test]
    fn the_readme_and_the_page_about_roles_name_every_command_with_its_right() {
        let readme = named_in(include_str!("../../../README.md"));
        let roles = named_in(include_str!("../../../docs/roles.md"));
        for document in [&readme, &roles] {
            for (name, _) in document {
                let is_one = name == "snapshot help" || HELP.iter().any(|help| help.name == name);
                assert!(is_one, "there is no /{name}");
            }
        }
        for Help { name, right, .. } in HELP {
            let (word, ticks) = match right {
                Right::View => ("view", 3),
                Right::Take => ("take", 2),
                Right::Restore => ("restore", 1),
            };
            let row = readme.iter().find(|(named, _)| named == name);
            let (_, cells) = row.unwrap_or_else(|| panic!("README.md lacks /{name}"));
            assert!(cells[1].starts_with(word), "README.md: /{name} takes {word}, not {}", cells[1]);
            // Acting on other people's operations and pins is listed in another row, with a greater right.
            let most = roles.iter().filter(|(named, _)| named == name);
            let most = most.map(|(_, cells)| cells.iter().filter(|cell| **cell == "✓").count()).max();
            assert_eq!(most, Some(ticks), "docs/roles.md: /{name} takes {word}");
        }
    }

    #[test]
    fn help_says_what_a_command_does_in_at_most_eight_words() {
        for help in HELP {
            let words = help.does.split_whitespace().count();
            assert!(words <= 8, "{}: {words} words: {}", help.name, help.does);
        }
    }
}
