//! Direct messages to one person, for what no channel accepts.

use serenity::{http::Http, model::id};

use super::{
    delivery,
    messages::message::Message,
    reporter::deadline::{deadline, in_time},
    wire,
};
use crate::operation::ids::UserId;

/// Sends a person a message. Buttons and menus are left out, because they count only in the guild, where people have roles.
pub(super) async fn tell(http: &Http, person: UserId, said: &Message, nonce: String) -> serenity::Result<()> {
    let buttons = said.buttons.iter().filter(|button| button.press().is_none()).cloned().collect();
    let said = Message { menus: Vec::new(), buttons, ..said.clone().calling_nobody_else() };
    let channel = in_time(deadline(), wire::direct_channel(http, id::UserId::new(person.0.max(1)))).await?;
    let create = delivery::create(&said, nonce, None);
    in_time(deadline(), wire::post(http, channel, &create, None)).await.map(drop)
}
