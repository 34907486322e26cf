//! What a bot has sent to DigitalOcean.

use serde_json::Value;
use snapshot_bot_sandbox::digitalocean::{http_types::Method, server::DigitalOcean};

/// The POSTs and DELETEs that DigitalOcean has received, as words such as `shutdown web-1`.
pub(crate) fn commands(digitalocean: &DigitalOcean) -> Vec<String> {
    let journal = digitalocean.journal();
    let sent = journal.iter().map(|entry| &entry.request).filter(|request| request.method != Method::Get);
    sent.map(|request| {
        let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
        let droplet = request.path.split('/').nth(3).and_then(|id| id.parse().ok());
        let name = droplet.and_then(|id| digitalocean.read(|world| world.droplet(id).map(|found| found.name.clone())));
        let name = name.unwrap_or_else(|| request.path.clone());
        format!("{} {name}", body["type"].as_str().unwrap_or(&request.method.to_string()))
    })
    .collect()
}
