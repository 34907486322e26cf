//! The person and the Channel of a window, by name, among those that the page offers.
//!
//! A missing or unknown name means the first one, so an address that is typed by hand always works.

use std::sync::Arc;

use axum::{
    extract::{FromRequestParts, Query},
    http::{StatusCode, request::Parts},
};
use serde::Deserialize;

use super::context::Context;
use crate::discord::{simulated_user::SimulatedUser, snowflake::Snowflake};

#[derive(Deserialize)]
struct Names {
    seat: Option<String>,
    channel: Option<String>,
}

/// A person in a Channel, as one browser window shows it.
#[derive(Clone, Debug)]
pub(super) struct Place {
    pub(super) user: Snowflake,
    pub(super) channel: Snowflake,
    pub(super) seat: SimulatedUser,
}

impl FromRequestParts<Arc<Context>> for Place {
    type Rejection = (StatusCode, &'static str);

    async fn from_request_parts(parts: &mut Parts, context: &Arc<Context>) -> Result<Self, Self::Rejection> {
        let nowhere = (StatusCode::NOT_FOUND, "no seat and no Channel is offered");
        let Query(names) = Query::<Names>::from_request_parts(parts, context).await.map_err(|_| nowhere)?;
        let (user, channel) = {
            let world = context.discord.world();
            let asked = names.seat.and_then(|name| world.user_named(&name)).filter(|user| context.seats.contains(user));
            let user = asked.or_else(|| context.seats.first().copied());
            let mut channels = world.channels_of(context.guild);
            let first = channels.clone().next();
            let channel = channels.find(|channel| Some(&channel.name) == names.channel.as_ref()).or(first);
            (user, channel.map(|channel| channel.id))
        };
        let (user, channel) = user.zip(channel).ok_or(nowhere)?;
        Ok(Self { user, channel, seat: context.discord.as_user(user, channel) })
    }
}
