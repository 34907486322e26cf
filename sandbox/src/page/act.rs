//! What a person can do on the page: run a command, type, press, choose, submit a form, post a message, and use the switches next to the
//! Channel.
//!
//! What Discord's client would refuse is a plain answer here, not an HTTP error: it is for the person, not for a log.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Request, State},
    http::StatusCode,
    middleware::Next,
    response::Response as Answer,
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{bot::Order, clock::ClockOrder, context::Context, place::Place, switch::Switch};
use crate::discord::{
    interaction::Response,
    modal::{Input, Modal},
    refused::Refused,
    snowflake::Snowflake,
};

/// An option that a person filled in.
type Filled = (String, Value);

#[derive(Deserialize)]
pub(super) struct Saying {
    content: String,
}

#[derive(Deserialize)]
pub(super) struct Command {
    path: String,
    options: Vec<Filled>,
}

#[derive(Deserialize)]
pub(super) struct Typing {
    path: String,
    focused: String,
    partial: String,
    options: Vec<Filled>,
}

#[derive(Deserialize)]
pub(super) struct Pressing {
    message: String,
    custom_id: String,
}

#[derive(Deserialize)]
pub(super) struct Choosing {
    message: String,
    custom_id: String,
    values: Vec<String>,
}

#[derive(Deserialize)]
pub(super) struct Submitting {
    custom_id: String,
    typed: Vec<(String, String)>,
}

#[derive(Deserialize)]
pub(super) struct Switching {
    switch: Switch,
    on: bool,
}

#[derive(Deserialize)]
pub(super) struct Ordering {
    order: Order,
}

#[derive(Deserialize)]
pub(super) struct Timing {
    order: ClockOrder,
}

/// Lets the clock run at its own pace before a person acts.
pub(super) async fn at_its_own_pace(State(context): State<Arc<Context>>, request: Request, next: Next) -> Answer {
    if let Some(clock) = &context.clock {
        clock.calm().await;
    }
    next.run(request).await
}

pub(super) async fn say(place: Place, Json(saying): Json<Saying>) -> Json<Value> {
    match place.seat.say(&saying.content) {
        Some(message) => Json(json!({"message": message})),
        None => Json(json!({"error": "A message needs 1 to 2000 characters."})),
    }
}

pub(super) async fn command(place: Place, Json(command): Json<Command>) -> Json<Value> {
    let slash = place.seat.slash(&command.path);
    let filled = command.options.into_iter().fold(slash, |slash, (name, value)| slash.with(&name, value));
    answer(filled.send().await)
}

pub(super) async fn autocomplete(place: Place, Json(typing): Json<Typing>) -> Json<Value> {
    let others: Vec<_> = typing.options.iter().map(|(name, value)| (name.as_str(), value.clone())).collect();
    match place.seat.autocomplete(&typing.path, &typing.focused, &typing.partial, &others).await {
        Ok(choices) => {
            let shown = choices.iter().map(|choice| json!({"name": choice.name, "value": choice.value}));
            Json(json!({"choices": shown.collect::<Value>()}))
        }
        Err(refused) => refusal(&refused),
    }
}

pub(super) async fn press(place: Place, Json(pressing): Json<Pressing>) -> Json<Value> {
    let Ok(message) = pressing.message.parse::<Snowflake>() else { return refusal(&Refused::UnknownMessage) };
    answer(place.seat.press(message, &pressing.custom_id).await)
}

pub(super) async fn choose(place: Place, Json(choosing): Json<Choosing>) -> Json<Value> {
    let Ok(message) = choosing.message.parse::<Snowflake>() else { return refusal(&Refused::UnknownMessage) };
    let values: Vec<_> = choosing.values.iter().map(String::as_str).collect();
    answer(place.seat.choose(message, &choosing.custom_id, &values).await)
}

pub(super) async fn submit(place: Place, Json(submitting): Json<Submitting>) -> Json<Value> {
    let Some(modal) = place.seat.open_form(&submitting.custom_id) else { return refusal(&Refused::UnknownMessage) };
    let typed: Vec<_> = submitting.typed.iter().map(|(id, text)| (id.as_str(), text.as_str())).collect();
    answer(place.seat.submit(&modal, &typed).await)
}

pub(super) async fn switch(State(context): State<Arc<Context>>, Json(switching): Json<Switching>) -> Json<Value> {
    context.digitalocean.world(|world| switching.switch.set(world, switching.on));
    Json(json!({}))
}

pub(super) async fn bot(
    State(context): State<Arc<Context>>,
    Json(ordering): Json<Ordering>,
) -> (StatusCode, Json<Value>) {
    let Some(strings) = &context.bot else {
        return (StatusCode::NOT_FOUND, Json(json!({"error": "The bot runs elsewhere."})));
    };
    // The process may be shutting down, and then nothing receives the order.
    let _ = strings.orders.send(ordering.order).await;
    (StatusCode::OK, Json(json!({})))
}

pub(super) async fn clock(
    State(context): State<Arc<Context>>,
    Json(timing): Json<Timing>,
) -> (StatusCode, Json<Value>) {
    let Some(strings) = &context.clock else {
        return (StatusCode::NOT_FOUND, Json(json!({"error": "Time passes by itself here."})));
    };
    // The process may be shutting down, and then nothing moves the clock.
    let _ = strings.orders.send(timing.order).await;
    (StatusCode::OK, Json(json!({})))
}

fn answer(response: Result<Response, Refused>) -> Json<Value> {
    match response {
        Ok(Response::Message(message) | Response::Thinking(message)) => Json(json!({"message": message})),
        Ok(Response::Updated(_) | Response::WillUpdate(_) | Response::Choices(_)) => Json(json!({})),
        Ok(Response::Form(modal)) => Json(json!({"form": form(&modal)})),
        Err(refused) => refusal(&refused),
    }
}

fn form(modal: &Modal) -> Value {
    let input = |input: &Input| {
        json!({
            "custom_id": input.custom_id, "label": input.label, "value": input.value, "placeholder": input.placeholder,
            "shortest": input.shortest, "longest": input.longest, "required": input.required, "long": input.is_long,
        })
    };
    json!({
        "custom_id": modal.custom_id, "title": modal.title, "source": modal.source,
        "inputs": modal.inputs.iter().map(input).collect::<Value>(),
    })
}

/// A refusal with the text of Discord's client.
fn refusal(refused: &Refused) -> Json<Value> {
    let (option, error) = match refused {
        Refused::MissingOption(option) => (Some(option), "This option is required. Specify a value.".to_owned()),
        Refused::BadValue { option, wanted, .. } => {
            (Some(option), format!("This is not a valid value: wanted {wanted}."))
        }
        Refused::UnknownOption(option) => (Some(option), "The command has no such option.".to_owned()),
        Refused::NoAccess => (None, "You do not have permission to do that here.".to_owned()),
        Refused::UnknownCommand(_) => (None, "This command is outdated, please try again in a few seconds.".to_owned()),
        Refused::UnknownMessage | Refused::UnknownComponent(_) => (None, "This interaction failed.".to_owned()),
        Refused::DidNotRespond => (None, "The application did not respond".to_owned()),
    };
    Json(json!({"error": error, "option": option}))
}
