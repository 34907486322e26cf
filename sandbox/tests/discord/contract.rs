//! Discord's own OpenAPI document as a judge of what the sandbox answers.

use std::{
    collections::BTreeMap,
    sync::{Mutex, OnceLock},
};

use jsonschema::Validator;
use serde_json::Value;
use snapshot_bot_sandbox::discord::journal::{Answer, Exchange, Request};

use crate::required;

/// The document, with a validator for each schema that was needed so far.
pub(crate) struct Contract {
    document: Value,
    validators: Mutex<BTreeMap<String, Validator>>,
}

impl Contract {
    /// The one of this run, read from `SPEC_DIR/discord.json`; without `SPEC_DIR` nothing is checked.
    pub(crate) fn get() -> Option<&'static Self> {
        static CONTRACT: OnceLock<Option<Contract>> = OnceLock::new();
        CONTRACT.get_or_init(Self::load).as_ref()
    }

    fn load() -> Option<Self> {
        let folder = required::variable("SPEC_DIR", "the folder of discord.json, which answers are held against")?;
        let text = std::fs::read_to_string(format!("{folder}/discord.json")).expect("SPEC_DIR holds discord.json");
        let document = serde_json::from_str(&text).expect("the specification is JSON");
        Some(Self { document, validators: Mutex::default() })
    }

    /// Why this exchange is not what the specification says, if so.
    pub(crate) fn broken_by(&self, exchange: &Exchange) -> Option<String> {
        let Answer { status, body: answer } = exchange.sent().filter(|_| !exchange.tampered)?;
        let (status, Request { method, path, .. }) = (*status, &exchange.request);
        let Some((template, operation)) = self.operation(path, method) else {
            // What Discord does not document it refuses; so must we.
            return (status < 400).then(|| format!("{method} {path} is not documented"));
        };
        let pointer = |status: &str| {
            let escaped = template.replace('/', "~1");
            format!("/paths/{escaped}/{}/responses/{status}", method.to_lowercase())
        };
        let exact = operation["responses"].get(status.to_string()).is_some();
        let name = match (exact, status) {
            (true, _) => status.to_string(),
            (false, 400..=499) => "4XX".to_owned(),
            (false, _) => return Some(format!("{method} {template}: status {status} is not documented")),
        };
        let mut at = pointer(&name);
        // Shared responses stand elsewhere.
        if let Some(elsewhere) = self.document.pointer(&at).and_then(|response| response["$ref"].as_str()) {
            at = elsewhere.trim_start_matches('#').to_owned();
        }
        let at = format!("{at}/content/application~1json/schema");
        if self.document.pointer(&at).is_none() {
            return (!answer.is_null()).then(|| format!("{method} {template}: a body at {status}"));
        }
        let mut validators = self.validators.lock().expect("no test panics in here");
        let validator = validators.entry(at.clone()).or_insert_with(|| self.validator(&at));
        let mut checked = answer.clone();
        if let Some(object) = checked.as_object_mut().filter(|_| status >= 400) {
            // The specification wants numbers as codes in here; Discord's own reference and its answers have words.
            object.remove("errors");
        }
        let errors: Vec<String> =
            validator.iter_errors(&checked).map(|error| format!("  at `{}`: {error}", error.instance_path())).collect();
        let shown = || format!("{method} {template} {status}:\n{}\n{answer}", errors.join("\n"));
        (!errors.is_empty()).then(shown)
    }

    /// The schema that stands at this place, with the components it refers to.
    fn validator(&self, pointer: &str) -> Validator {
        let mut schema = self.document.pointer(pointer).cloned().unwrap_or_default();
        schema["$schema"] = "https://json-schema.org/draft/2020-12/schema".into();
        schema["components"] = self.document["components"].clone();
        jsonschema::validator_for(&schema).expect("the specification's schemas are well formed")
    }

    /// The path template that fits best, literal parts before variables.
    fn operation(&self, path: &str, method: &str) -> Option<(&str, &Value)> {
        let parts: Vec<&str> = path.split('/').collect();
        let fits = |template: &str| {
            let own: Vec<&str> = template.split('/').collect();
            own.len() == parts.len() && own.iter().zip(&parts).all(|(own, part)| own.starts_with('{') || own == part)
        };
        let paths = self.document["paths"].as_object().expect("a document with paths");
        let (template, operations) = paths
            .iter()
            .filter(|(template, _)| fits(template))
            .min_by_key(|(template, _)| template.matches('{').count())?;
        operations.get(method.to_lowercase()).map(|operation| (template.as_str(), operation))
    }
}
