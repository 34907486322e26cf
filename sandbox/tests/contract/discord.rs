//! Checks the sandbox's answers against Discord's own OpenAPI document.

use std::sync::OnceLock;

use serde_json::Value;
use snapshot_bot_sandbox::discord::journal::{Answer, Exchange, Request};

use crate::openapi::OpenApi;

/// Discord's OpenAPI file, to check answers.
pub(crate) struct Contract(OpenApi);

impl Contract {
    /// The document of this run, read from `SPEC_DIR/discord.json`; without `SPEC_DIR` nothing is checked.
    pub(crate) fn get() -> Option<&'static Self> {
        static CONTRACT: OnceLock<Option<Contract>> = OnceLock::new();
        CONTRACT.get_or_init(|| OpenApi::read("discord.json").map(Contract)).as_ref()
    }

    /// How this exchange violates the specification; `None` if it does not.
    pub(crate) fn broken_by(&self, exchange: &Exchange) -> Option<String> {
        let Answer { status, body: answer } = exchange.sent().filter(|_| !exchange.tampered)?;
        let (status, Request { method, path, .. }) = (*status, &exchange.request);
        let Some((template, operation)) = self.0.operation(method, path) else {
            // Discord refuses undocumented requests, so the sandbox must too.
            return (status < 400).then(|| format!("{method} {path} is not documented"));
        };
        let responses = &operation["responses"];
        let at_large = || responses.get("4XX").filter(|_| (400..=499).contains(&status));
        let Some(response) = responses.get(status.to_string()).or_else(at_large) else {
            return Some(format!("{method} {template}: status {status} is not documented"));
        };
        let Some(schema) = self.0.follow(response)["content"]["application/json"].get("schema") else {
            return (!answer.is_null()).then(|| format!("{method} {template}: a body at {status}"));
        };
        let mut checked: Value = answer.clone();
        if let Some(object) = checked.as_object_mut().filter(|_| status >= 400) {
            // The specification requires numeric codes in here; Discord's own reference and its answers have words.
            object.remove("errors");
        }
        let problems = self.0.problems(schema, &checked);
        let shown = || format!("{method} {template} {status}:\n{}\n{answer}", problems.join("\n"));
        (!problems.is_empty()).then(shown)
    }
}
