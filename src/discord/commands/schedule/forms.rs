//! *Failures…* and *Group…* under a review. A form opens with the present values. When it is submitted, the bot shows the review again with
//! the new ones.

use strum::IntoEnumIterator as _;

use super::{
    add::address,
    draft::{Draft, not_counted},
    refused, review,
    subject::{Pace, Subject},
};
use crate::{
    access::Grant,
    discord::{
        interaction_info::InteractionInfo,
        messages::{
            refusal::Refusal,
            schedule::{ScheduleRefusal, form as form_of, if_hung_word},
        },
        press::ReviewForm,
        responder::{Answer, Stop},
        start,
        state::AppState,
    },
    schedule::{IfHung, Schedule, group::BadGroup},
    store::ConfirmationId,
};

/// Opens a form over a review.
pub(in crate::discord) async fn form(
    state: &AppState,
    info: &InteractionInfo,
    grant: &Grant,
    (form, id): (ReviewForm, ConfirmationId),
) -> Result<Answer, Stop> {
    let draft = review::draft(state, &review::consent(state, info, grant, id)).await?;
    let modal = form_of(form, reviewed(&draft)?, id).ok_or(Refusal::UnknownButton)?;
    Ok(Answer::Form(modal))
}

/// Handles a submitted form. Input that makes no sense is refused, and the earlier review stays open.
pub(in crate::discord) async fn filled(
    state: &AppState,
    info: &InteractionInfo,
    grant: &Grant,
    (form, id): (ReviewForm, ConfirmationId),
) -> Result<Answer, Stop> {
    start::check(state, info)?;
    let consent = review::consent(state, info, grant, id);
    let draft = review::draft(state, &consent).await?;
    let mut schedule = reviewed(&draft)?.clone();
    let typed = |place: usize| info.chosen.get(place).map(|text| text.trim()).unwrap_or_default();
    let mut pace = Pace::default();
    match form {
        ReviewForm::Failures => {
            schedule.if_hung = if_hung(typed(0))?;
            tell(state, &mut schedule, typed(1)).await?;
        }
        ReviewForm::Group => pace = read_pace(&schedule, [typed(0), typed(1), typed(2), typed(3)])?,
    }
    let subject = Subject::changed(state, &schedule, None, &pace, (&schedule).into()).await?;
    schedule.group.clone_from(&subject.group);
    state.store.close_confirmation(&consent).await?.map_err(not_counted)?;
    match draft {
        Draft::Edit { was, .. } => review::ask_to_edit(state, grant, (*was, schedule), &subject).await,
        Draft::Add(_) | Draft::Run(_) | Draft::TryAgain { .. } | Draft::Remove(_) => {
            review::ask_to_add(state, grant, schedule, &subject).await
        }
    }
}

/// The new or edited schedule under review. Refused if the review is about something else.
fn reviewed(draft: &Draft) -> Result<&Schedule, Refusal> {
    match draft {
        Draft::Add(schedule) | Draft::Edit { edited: schedule, .. } => Ok(schedule),
        Draft::Run(_) | Draft::TryAgain { .. } | Draft::Remove(_) => Err(Refusal::UnknownButton),
    }
}

fn if_hung(typed: &str) -> Result<IfHung, Stop> {
    let found = IfHung::iter().find(|known| if_hung_word(*known).eq_ignore_ascii_case(typed));
    found.ok_or_else(|| refused(ScheduleRefusal::IfHung { typed: typed.to_owned() }))
}

/// Sets the address to call. Empty input keeps the address, since its path is never shown.
async fn tell(state: &AppState, schedule: &mut Schedule, typed: &str) -> Result<(), Stop> {
    match typed {
        "" => {}
        none if none.eq_ignore_ascii_case("none") => schedule.watched.hear_at(None),
        typed => schedule.watched.hear_at(address(state, Some(typed)).await?),
    }
    Ok(())
}

/// Reads how a group is taken. Refused for a schedule of one Droplet, whose review offers no such form.
fn read_pace(schedule: &Schedule, [at_once, gap, check, stop_after]: [&str; 4]) -> Result<Pace, Stop> {
    if schedule.group.is_none() {
        return Err(Refusal::UnknownButton.into());
    }
    let number = |typed: &str, bad: fn(String) -> BadGroup| {
        typed.parse().map(Some).map_err(|_| refused(ScheduleRefusal::Group(bad(typed.to_owned()))))
    };
    Ok(Pace {
        at_once: number(at_once, |typed| BadGroup::AtOnce { typed })?,
        // A form that an earlier version opened does not have it.
        stop_after: match stop_after {
            "" => None,
            typed => number(typed, |typed| BadGroup::StopAfter { typed })?,
        },
        gap: Some(gap.to_owned()),
        check: Some(if check.is_empty() { "none" } else { check }.to_owned()),
    })
}
