//! A window's WebSocket: it receives everything at first, and then every change, for as long as it is open.

use std::{sync::Arc, time::Duration};

use axum::{
    extract::{
        FromRequestParts, State,
        ws::{Message, WebSocket, WebSocketUpgrade},
    },
    http::{StatusCode, request::Parts},
    response::Response,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{context::Context, place::Place, view::View};

/// DigitalOcean does not notify of events that happen without a request, so a window looks this often.
const LOOK: Duration = Duration::from_millis(200);
/// Changes within this time are sent together.
const BREATH: Duration = Duration::from_millis(20);

/// What ends a connection, and what waits for its end.
#[derive(Clone, Debug)]
pub(super) struct Watching {
    pub(super) stop: CancellationToken,
    pub(super) tasks: TaskTracker,
}

type Wired = (Arc<Context>, Watching);

impl FromRequestParts<Wired> for Place {
    type Rejection = (StatusCode, &'static str);

    async fn from_request_parts(parts: &mut Parts, (context, _): &Wired) -> Result<Self, Self::Rejection> {
        Self::from_request_parts(parts, context).await
    }
}

pub(super) async fn open(
    State((context, watching)): State<Wired>,
    place: Place,
    upgrade: WebSocketUpgrade,
) -> Response {
    let token = watching.tasks.token();
    upgrade.on_upgrade(move |socket| async move {
        tokio::select! {
            () = watching.stop.cancelled() => {}
            () = tell(socket, &context, &place) => {}
        }
        drop(token);
    })
}

async fn tell(mut socket: WebSocket, context: &Context, place: &Place) {
    let mut discord = context.discord.changes();
    let mut digitalocean = context.digitalocean.changes();
    let mut shown = View::default();
    loop {
        discord.mark_unchanged();
        digitalocean.mark_unchanged();
        let next = View::of(context, place);
        if let Some(change) = shown.change_to(&next)
            && socket.send(Message::text(change.to_string())).await.is_err()
        {
            return;
        }
        shown = next;
        tokio::select! {
            _ = discord.changed() => tokio::time::sleep(BREATH).await,
            _ = digitalocean.changed() => tokio::time::sleep(BREATH).await,
            () = tokio::time::sleep(LOOK) => {}
            // A window sends nothing except its close.
            said = socket.recv() => if !matches!(said, Some(Ok(_))) { return },
        }
    }
}
