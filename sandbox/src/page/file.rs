//! The files of Messages, for the windows that see them.
//!
//! A window cannot ask Discord's CDN, so it asks here. A person who may not see a Message may not see its files either.

use axum::{
    extract::Path,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};

use super::place::Place;
use crate::discord::{attachment::Attachment, snowflake::Snowflake};

/// The page displays only pictures; the browser saves other files.
fn is_picture(file: &Attachment) -> bool {
    file.dimensions().is_some()
}

/// A file as a window shows it.
pub(super) fn json(message: Snowflake, file: &Attachment) -> Value {
    json!({
        "address": file.id.map(|id| format!("/file/{message}/{id}")), "name": file.name, "alt": file.description,
        "bytes": file.bytes.len(), "size": file.dimensions(),
    })
}

/// The content of a file of a Message that this person sees.
pub(super) async fn open(place: Place, Path((message, file)): Path<(u64, u64)>) -> Response {
    let (message, file) = (Snowflake::new(message), Snowflake::new(file));
    let seen = place.seat.messages().into_iter().find(|seen| seen.id == message);
    let found = seen.and_then(|seen| seen.body.attachments.into_iter().find(|known| known.id == Some(file)));
    let Some(found) = found else { return StatusCode::NOT_FOUND.into_response() };
    let disposition = if is_picture(&found) { "inline" } else { "attachment" };
    ([(header::CONTENT_TYPE, found.media_type()), (header::CONTENT_DISPOSITION, disposition)], found.bytes)
        .into_response()
}
