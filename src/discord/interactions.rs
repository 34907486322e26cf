//! Reads interactions: mended if serenity cannot read them as they are, and at least answered if nothing helps.
//!
//! [`super::relay`] gives serenity the interaction as one text. serenity takes that for an event of an unknown kind, which it shows to a raw
//! event handler. If it read the interaction itself, it would build it three times and drop one that it cannot read.

use std::sync::Arc;

use serde_json::Value;
use serenity::{
    async_trait,
    builder::{CreateAutocompleteResponse, CreateInteractionResponse, CreateInteractionResponseMessage},
    client::{Context, EventHandler as _, RawEventHandler},
    http::Http,
    model::{
        application::Interaction,
        event::{Event, UnknownEvent},
        id::InteractionId,
    },
};

use super::{handler::Handler, mend::mend, messages::reply, wire};

/// The name of the event.
pub(super) const INTERACTION: &str = "INTERACTION_CREATE";
/// Discord's numbers for interactions that can be answered: a command, a press or choice, an autocomplete request, a form.
const SUGGESTING: u64 = 4;
const ANSWERABLE: [u64; 4] = [2, 3, SUGGESTING, 5];

/// Gives interactions to the handler of all events.
pub(super) struct Interactions(pub(super) Arc<Handler>);

/// An interaction of which no more can be read than these fields.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Unreadable {
    id: u64,
    token: String,
    kind: u64,
}

#[async_trait]
impl RawEventHandler for Interactions {
    async fn raw_event(&self, context: Context, event: Event) {
        let Event::Unknown(UnknownEvent { kind, value, .. }) = event else { return };
        if kind != INTERACTION {
            return;
        }
        match value.as_str().ok_or(None).and_then(read) {
            Ok(interaction) => self.0.interaction_create(context, interaction).await,
            Err(unreadable) => {
                tracing::warn!("Discord sent an interaction that cannot be read");
                if let Some(unreadable) = unreadable {
                    answer(&context.http, unreadable).await;
                }
            }
        }
    }
}

/// The interaction; otherwise what an answer needs, if there is that much.
fn read(text: &str) -> Result<Interaction, Option<Unreadable>> {
    if let Ok(interaction) = serde_json::from_str(text) {
        return Ok(interaction);
    }
    let mut json: Value = serde_json::from_str(text).map_err(|_| None)?;
    mend(&mut json);
    let unreadable = unreadable(&json);
    let interaction = serde_json::from_value(json).map_err(|_| unreadable)?;
    tracing::info!("Discord sent an interaction in a form that is new to us; it was read all the same");
    Ok(interaction)
}

fn unreadable(interaction: &Value) -> Option<Unreadable> {
    let id = interaction["id"].as_str()?.parse().ok().filter(|id| *id > 0)?;
    let (token, kind) = (interaction["token"].as_str()?.to_owned(), interaction["type"].as_u64()?);
    ANSWERABLE.contains(&kind).then_some(Unreadable { id, token, kind })
}

/// Answers an interaction by its id and token, which is all that is known.
async fn answer(http: &Http, Unreadable { id, token, kind }: Unreadable) {
    let response = if kind == SUGGESTING {
        CreateInteractionResponse::Autocomplete(CreateAutocompleteResponse::new())
    } else {
        let message = CreateInteractionResponseMessage::new().content(reply::unreadable()).ephemeral(true);
        CreateInteractionResponse::Message(message)
    };
    let answered = http.create_interaction_response(InteractionId::new(id), &token, &response, Vec::new()).await;
    wire::count(&answered);
    if let Err(error) = answered {
        tracing::warn!(
            interaction.id = id,
            cause = wire::describe(&error),
            "could not answer an interaction that cannot be read"
        );
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn command(user: Value, member: Option<Value>) -> Value {
        let mut interaction = json!({
            "version": 1, "id": "7", "application_id": "8", "type": 2, "token": "abc", "channel_id": "9", "locale": "en-US",
            "data": {"id": "1", "name": "snapshot", "type": 1}, "entitlements": [], "attachment_size_limit": 1,
            "authorizing_integration_owners": {}
        });
        match member {
            Some(mut member) => {
                member["user"] = user;
                interaction["member"] = member;
                interaction["guild_id"] = json!("5");
            }
            None => interaction["user"] = user,
        }
        interaction
    }

    fn ada(flags: u64) -> Value {
        json!({"id": "4", "username": "ada", "discriminator": "0", "global_name": null, "avatar": null, "public_flags": flags})
    }

    #[test]
    fn flags_beyond_32_bits_and_members_that_lack_fields_are_mended() {
        let members =
            [json!({"roles": [], "permissions": "0"}), json!({"permissions": "0", "deaf": null, "nick": null})];
        for interaction in [command(ada(1 << 44 | 64), None)]
            .into_iter()
            .chain(members.map(|member| command(ada(1 << 50), Some(member))))
        {
            let text = interaction.to_string();
            assert!(serde_json::from_str::<Interaction>(&text).is_err(), "serenity reads it by now: {text}");
            assert!(matches!(read(&text), Ok(Interaction::Command(command)) if command.user.id == 4), "{text}");
        }
        assert!(read(&command(ada(64), None).to_string()).is_ok());
    }

    #[test]
    fn an_interaction_that_nobody_can_read_is_answered_by_id_and_token() {
        let mut odd = command(ada(0), None);
        odd["data"] = json!("something else");
        let unreadable = Unreadable { id: 7, token: "abc".to_owned(), kind: 2 };
        assert_eq!(read(&odd.to_string()).expect_err("nobody can"), Some(unreadable));
        odd["type"] = json!(9);
        assert_eq!(read(&odd.to_string()).expect_err("nor this, which has no known answer"), None);
        assert_eq!(read("{").expect_err("nor this"), None);
    }
}
