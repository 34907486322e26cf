//! Checks every request of the bot against the vendors' own OpenAPI files: of each call alone, and of whole conversations.
//!
//! The files are read from the folder that `SPEC_DIR` names; without it the tests are skipped. That the sandbox's answers are as the vendors
//! describe them is checked by the sandbox's own tests.

mod calls;
mod conversations;

use serde_json::{Value, json};

use crate::openapi::OpenApi;

/// What the vendor would refuse about a request: its path, its query, or its body.
fn complaints(vendor: &OpenApi, method: &str, path_and_query: &str, body: Option<&Value>) -> Vec<String> {
    let (path, query) = path_and_query.split_once('?').unwrap_or((path_and_query, ""));
    let Some((_, operation)) = vendor.operation(method, path) else {
        return vec![format!("there is no {method} {path}")];
    };
    let mut complaints = Vec::new();
    for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
        let parameters = operation["parameters"].as_array().into_iter().flatten();
        let mut parameters = parameters.map(|parameter| vendor.follow(parameter));
        let Some(parameter) = parameters.find(|known| known["in"] == "query" && known["name"] == *name) else {
            complaints.push(format!("{method} {path} has no query parameter {name}"));
            continue;
        };
        let number = value.parse::<i64>().ok().filter(|_| parameter["schema"]["type"] == "integer");
        let value = number.map_or_else(|| json!(value), |number| json!(number));
        complaints.extend(vendor.problems(&parameter["schema"], &value).iter().map(|it| format!("{path}?{name} {it}")));
    }
    let schema = operation["requestBody"]["content"]["application/json"].get("schema");
    match (schema, body) {
        (None, Some(_)) => complaints.push(format!("{method} {path} takes no body")),
        (Some(_), None) if operation["requestBody"]["required"] != false => {
            complaints.push(format!("{method} {path} wants a body"));
        }
        (None | Some(_), None) => {}
        (Some(schema), Some(body)) => {
            let problems = vendor.problems(chosen(vendor, schema, body), body);
            complaints.extend(problems.iter().map(|problem| format!("{method} {path} {problem}\n{body}")));
        }
    }
    complaints
}

/// The schema that the discriminator selects: `anyOf` alone would accept anything with a `type`.
fn chosen<'a>(vendor: &'a OpenApi, schema: &'a Value, body: &Value) -> &'a Value {
    let discriminator = &schema["discriminator"];
    let kind = discriminator["propertyName"].as_str().and_then(|name| body[name].as_str());
    match kind.and_then(|kind| discriminator["mapping"][kind].as_str()) {
        Some(reference) => vendor.at(reference),
        None => schema,
    }
}
