//! Every request of whole takes, held against the vendors' own OpenAPI files, which stand in the folder that `SPEC_DIR` names.

use serde_json::{Value, json};
use snapshot_bot_sandbox::digitalocean::fault::{Fault, HungAction, Pattern, Quirk};

use crate::{
    required,
    stage::{Role, Stage},
};

/// A vendor's file as a judge of requests.
struct Judge {
    document: Value,
    /// DigitalOcean writes OpenAPI 3.0, Discord 3.1.
    is_draft4: bool,
}

impl Judge {
    fn load(file: &str, is_draft4: bool) -> Option<Self> {
        let folder = required::variable("SPEC_DIR", &format!("the folder of {file}"))?;
        let text = std::fs::read_to_string(std::path::Path::new(&folder).join(file)).unwrap();
        let mut document = serde_json::from_str(&text).unwrap();
        if is_draft4 {
            allow_null(&mut document);
        }
        Some(Self { document, is_draft4 })
    }

    /// What is wrong with a request, if anything.
    fn complaints(&self, method: &str, path: &str, body: &Value) -> Vec<String> {
        let Some(operation) = self.operation(method, path) else { return vec![format!("there is no {method} {path}")] };
        let schema = operation["requestBody"]["content"]["application/json"].get("schema");
        match (schema, body) {
            (None, Value::Null) => Vec::new(),
            (None, _) => vec![format!("{method} {path} takes no body")],
            (Some(_), Value::Null) if operation["requestBody"]["required"] == true => {
                vec![format!("{method} {path} wants a body")]
            }
            (Some(_), Value::Null) => Vec::new(),
            (Some(schema), body) => {
                let mut whole = self.chosen(schema, body).clone();
                whole["components"] = self.document["components"].clone();
                let validator =
                    if self.is_draft4 { jsonschema::draft4::new(&whole) } else { jsonschema::draft202012::new(&whole) };
                let validator = validator.unwrap();
                validator
                    .iter_errors(body)
                    .map(|error| format!("{method} {path} at `{}`: {error}\n{body}", error.instance_path()))
                    .collect()
            }
        }
    }

    /// The schema that the discriminator chooses: `anyOf` alone would let anything pass that has a `type`.
    fn chosen<'a>(&'a self, schema: &'a Value, body: &Value) -> &'a Value {
        let discriminator = &schema["discriminator"];
        let kind = discriminator["propertyName"].as_str().and_then(|name| body[name].as_str());
        match kind.and_then(|kind| discriminator["mapping"][kind].as_str()) {
            Some(reference) => self.document.pointer(reference.trim_start_matches('#')).unwrap(),
            None => schema,
        }
    }

    /// The operation of a path; literal parts go before parameters.
    fn operation(&self, method: &str, path: &str) -> Option<&Value> {
        let parts: Vec<&str> = path.trim_start_matches('/').split('/').collect();
        let fits = |template: &str| {
            let own: Vec<&str> = template.trim_start_matches('/').split('/').collect();
            own.len() == parts.len() && own.iter().zip(&parts).all(|(own, part)| own.starts_with('{') || own == part)
        };
        let paths = self.document["paths"].as_object().unwrap();
        let template =
            paths.keys().filter(|template| fits(template)).min_by_key(|template| template.matches('{').count())?;
        paths[template].get(method.to_lowercase())
    }
}

/// OpenAPI 3.0 says `nullable` where JSON Schema says `"type": [.., "null"]`.
fn allow_null(node: &mut Value) {
    match node {
        Value::Object(fields) => {
            if fields.remove("nullable") == Some(json!(true))
                && let Some(kind) = fields.get("type").and_then(Value::as_str)
            {
                fields.insert("type".to_owned(), json!([kind, "null"]));
            }
            // Examples are no schemas, and DigitalOcean's hold anything.
            fields.remove("example");
            fields.values_mut().for_each(allow_null);
        }
        Value::Array(items) => items.iter_mut().for_each(allow_null),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Both vendors' files, or none.
fn judges() -> Option<(Judge, Judge)> {
    Some((Judge::load("discord.json", false)?, Judge::load("digitalocean.json", true)?))
}

/// Holds everything that was sent so far against both files.
fn judge(stage: &Stage, (discord, digitalocean): &(Judge, Judge)) {
    let mut complaints = Vec::new();
    for exchange in stage.discord.world().journal() {
        complaints.extend(discord.complaints(&exchange.request.method, &exchange.request.path, &exchange.request.body));
    }
    let asked = stage.digitalocean.journal();
    for entry in &asked {
        let body = serde_json::from_slice(&entry.request.body).unwrap_or_default();
        let path = entry.request.path.split('?').next().unwrap_or_default();
        complaints.extend(digitalocean.complaints(&entry.request.method.to_string(), path, &body));
    }
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
    assert!(asked.len() > 10 && stage.discord.world().journal().len() > 10);
}

#[tokio::test]
async fn every_request_of_a_take_is_as_the_vendors_write() {
    let Some(judges) = judges() else { return };
    let stage = Stage::new().await;
    let (ada, eve) = (stage.seat("ada", Role::Operator), stage.seat("eve", Role::Guest));
    ada.suggestions("snapshot take", "droplet", "web").await;
    ada.run("/snapshot help").await;
    eve.run("/snapshot take droplet:web-1").await;
    ada.run("/snapshot take droplet:web-1 name:first").await;
    stage.settle().await;
    // Once more with everything that asks and answers: a question, a press, a call for help, a lost answer.
    let hangs = Quirk::ShutdownHangs { action: HungAction::Errs, off_after: None };
    stage.fault(Fault::once(Pattern::action("shutdown"), hangs));
    stage.fault(Fault::once(
        Pattern::action("snapshot"),
        snapshot_bot_sandbox::digitalocean::fault::Disturbance::CutBefore,
    ));
    ada.run("/snapshot take droplet:web-1").await;
    stage.shows(&ada, "[Force power off]").await;
    ada.press("Force power off").await;
    stage.settle().await;
    ada.run("/snapshot status").await;
    judge(&stage, &judges);
    ada.transcript();
    eve.transcript();
    stage.finish().await;
}

#[tokio::test]
async fn every_request_of_the_rest_of_a_snapshots_life_is_as_the_vendors_write() {
    let Some(judges) = judges() else { return };
    let stage = Stage::new().await;
    let web = stage.droplet("web-1");
    stage.digitalocean.world(|world| {
        for number in 0..12 {
            world.add_snapshot(web, &format!("golden-{number}"), 2.0);
        }
    });
    let rex = stage.seat("rex", Role::Restorer);
    rex.run("/snapshot restore droplet:web-1 snapshot:golden-1").await;
    rex.press("Never mind").await;
    rex.run("/snapshot restore droplet:web-1 snapshot:golden-1").await;
    rex.press("Restore").await;
    stage.settle().await;
    rex.press("Undo").await;
    rex.press("Restore").await;
    stage.settle().await;
    rex.run("/snapshot list").await;
    rex.press("Next").await;
    rex.suggestions("snapshot launch", "size", "").await;
    rex.suggestions("snapshot launch", "ssh-key", "").await;
    rex.run("/snapshot launch snapshot:golden-2 name:web-2").await;
    stage.settle().await;
    rex.run("/snapshot delete snapshot:golden-3").await;
    rex.press("Delete").await;
    stage.settle().await;
    rex.run("/snapshot cancel operation:nothing").await;
    judge(&stage, &judges);
    rex.transcript();
    stage.finish().await;
}
