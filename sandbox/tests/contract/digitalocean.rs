//! Checks answers against DigitalOcean's specification: status, headers, schema, and no unknown field.

use std::collections::BTreeSet;

use serde_json::Value;
use snapshot_bot_sandbox::digitalocean::http_types::{Answer, Request};

use crate::openapi::OpenApi;

/// DigitalOcean's OpenAPI file, to check answers.
pub(crate) struct Contract(OpenApi);

impl Contract {
    /// Reads the file from `SPEC_DIR`; `None` if that is not set.
    pub(crate) fn read() -> Option<Self> {
        OpenApi::read("digitalocean.json").map(Self)
    }

    /// The names of all fields that a schema knows, at any depth.
    fn fields<'a>(&'a self, schema: &'a Value, seen: &mut BTreeSet<&'a str>, names: &mut BTreeSet<&'a str>) {
        if let Some(pointer) = schema.get("$ref").and_then(Value::as_str)
            && !seen.insert(pointer)
        {
            return;
        }
        match self.0.follow(schema) {
            Value::Object(keywords) => {
                if let Some(properties) = keywords.get("properties").and_then(Value::as_object) {
                    names.extend(properties.keys().map(String::as_str));
                }
                keywords
                    .iter()
                    .filter(|(name, _)| *name != "example")
                    .for_each(|(_, inner)| self.fields(inner, seen, names));
            }
            Value::Array(items) => items.iter().for_each(|item| self.fields(item, seen, names)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }

    /// Fails unless the specification allows this answer to this request.
    pub(crate) fn hold(&self, request: &Request, answer: &Answer) -> String {
        let asked = format!("{} {} -> {}", request.method, request.path, answer.status);
        let operation = self.0.operation(&request.method.to_string(), &request.path);
        let (template, operation) = operation.unwrap_or_else(|| panic!("{asked}: no such operation"));
        let responses = &operation["responses"];
        let response = responses.get(answer.status.to_string()).unwrap_or(&responses["default"]);
        let response = self.0.follow(response);
        for (header, about) in response["headers"].as_object().into_iter().flatten() {
            if header != "content-type" || !answer.body.is_empty() {
                let schema = &self.0.follow(about)["schema"];
                let value = answer.header(header).unwrap_or_else(|| panic!("{asked}: no {header}"));
                assert!(schema["type"] != "integer" || value.parse::<u64>().is_ok(), "{asked}: {header}: {value}");
            }
        }
        let Some(schema) = response.pointer("/content/application~1json/schema") else {
            assert!(answer.body.is_empty(), "{asked}: a body where none belongs");
            return format!("{} {template} {}", request.method, answer.status);
        };
        let body = answer.json();
        let problems = self.0.problems(schema, &body);
        assert!(problems.is_empty(), "{asked}: {problems:#?}\n{body:#}");
        let mut known = BTreeSet::new();
        self.fields(schema, &mut BTreeSet::new(), &mut known);
        if template.starts_with("/v2/images/{image_id}/actions") {
            // The schema shows an image's Action without a wrapper; its own examples, and DigitalOcean's clients, have it under a name.
            known.insert("action");
        }
        let mut said = BTreeSet::new();
        keys(&body, &mut said);
        let unknown: Vec<_> = said.difference(&known).collect();
        assert!(unknown.is_empty(), "{asked}: fields that the specification does not know: {unknown:?}");
        format!("{} {template} {}", request.method, answer.status)
    }
}

fn keys<'a>(value: &'a Value, names: &mut BTreeSet<&'a str>) {
    match value {
        Value::Object(fields) => {
            // For an object with ids as keys, the specification names only the fields of the values.
            names.extend(fields.keys().map(String::as_str).filter(|key| key.parse::<u64>().is_err()));
            fields.values().for_each(|field| keys(field, names));
        }
        Value::Array(items) => items.iter().for_each(|item| keys(item, names)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
