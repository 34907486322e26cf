//! `/snapshot status`: what runs now, with ways to the progress messages, and what ended last.

use serenity::builder::{AutocompleteChoice, CreateAutocompleteResponse};

use super::{Context, answer, asking};
use crate::{
    access::{Person, Right},
    discord::{
        face::Face,
        incident::Fault,
        messages::{
            choice,
            refusal::Refusal,
            status::{self, Entry, LISTED, Overview},
        },
        press::Press,
        responder::{Answer, Stop},
    },
    operation::Operation,
    store,
};

/// Discord takes no more choices.
const CHOICES: usize = 25;

/// See what is running and what ended last
#[poise::command(slash_command)]
pub(super) async fn status(
    context: Context<'_>,
    #[description = "One operation in detail"]
    #[autocomplete = "operations"]
    operation: Option<String>,
) -> Result<(), Fault> {
    answer(context, |_| Box::pin(tell(context, operation))).await;
    Ok(())
}

async fn tell(context: Context<'_>, operation: Option<String>) -> Result<Answer, Stop> {
    let face = context.framework.user_data;
    face.policy.authorize(&asking(context), Right::View).map_err(Refusal::Denied)?;
    let now = face.clock.now();
    let Some(text) = operation else {
        let overview = overview(face, &asking(context)).await?;
        return Ok(Answer::New(status::overview(&overview, now)));
    };
    let found = meant(face, &asking(context), text.trim()).await?;
    let operation = found.ok_or_else(|| Refusal::UnknownOperation { text: text.clone() })?;
    let timeline = face.store.timeline(operation.id).await?;
    let (asker, who) = (operation.asker.user, asking(context));
    let mut said = status::detail(&entry(face, operation).await?, &timeline, now);
    // Only this person reads it, so only what they may press is offered.
    said.buttons.retain(|button| match button.press {
        Press::Wish { act, .. } => face.policy.authorize(&who, act.right(asker, who.user)).is_ok(),
        _ => false,
    });
    Ok(Answer::New(said))
}

/// The operation with this id, or the latest of what has this name: what runs, or else what ended.
async fn meant(face: &Face, who: &Person, text: &str) -> Result<Option<Operation>, Stop> {
    if let Ok(id) = choice::key(text).parse()
        && let Some(stored) = face.store.operation(id).await?
    {
        return Ok(Some(stored.operation).filter(|operation| face.may_see(who, operation)));
    }
    let running = face.running_for(who).await?.into_iter().rev();
    let mut known = running.chain(recent(face, who, CHOICES).await?);
    Ok(known.find(|operation| operation.target.name.eq_ignore_ascii_case(text)))
}

/// The last that ended and that this person may know of, newest first.
async fn recent(face: &Face, who: &Person, limit: usize) -> Result<Vec<Operation>, store::Error> {
    let may_see_all = face.policy.authorize(who, Right::Restore).is_ok();
    let ended = match who.guild.filter(|_| !may_see_all) {
        Some(guild) => face.store.recent(guild, limit).await?,
        None => face.store.recent_everywhere(limit).await?,
    };
    Ok(ended.into_iter().map(|stored| stored.operation).filter(|operation| face.may_see(who, operation)).collect())
}

async fn overview(face: &Face, who: &Person) -> Result<Overview, Stop> {
    let running = face.running_for(who).await?;
    let mut overview = Overview { more: running.len().saturating_sub(LISTED), ..Overview::default() };
    for operation in running.into_iter().take(LISTED) {
        overview.running.push(entry(face, operation).await?);
    }
    for operation in recent(face, who, LISTED).await? {
        overview.ended.push(entry(face, operation).await?);
    }
    Ok(overview)
}

async fn entry(face: &Face, operation: Operation) -> Result<Entry, Stop> {
    let progress = face.store.progress_message(operation.id).await?;
    Ok(Entry { operation, progress })
}

/// The operations that a half-typed text may mean; none for who may not look.
async fn operations<'a>(context: Context<'a>, partial: &'a str) -> CreateAutocompleteResponse {
    let face = context.framework.user_data;
    let who = asking(context);
    if face.policy.authorize(&who, Right::View).is_err() {
        return CreateAutocompleteResponse::new();
    }
    let (running, ended) = tokio::join!(face.running_for(&who), recent(face, &who, CHOICES));
    let known = running.into_iter().chain(ended).flatten();
    let wanted = partial.trim().to_lowercase();
    let choices = known
        .map(|operation| (status::choice(&operation), operation.id))
        .filter(|(label, _)| label.to_lowercase().contains(&wanted))
        .take(CHOICES)
        .map(|(label, id)| AutocompleteChoice::new(label, id.to_string()));
    CreateAutocompleteResponse::new().set_choices(choices.collect())
}
