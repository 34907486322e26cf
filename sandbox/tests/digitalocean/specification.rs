//! DigitalOcean's specification as a judge of answers: status, headers, schema, and no field that it does not know.

use std::{collections::BTreeSet, fs, path::Path};

use serde_json::{Value, json};
use snapshot_bot_sandbox::digitalocean::http_types::{Answer, Request};

use super::required;

/// DigitalOcean's OpenAPI file as JSON Schema.
pub(crate) struct Specification(Value);

impl Specification {
    /// Reads it from `SPEC_DIR`, if that is set.
    pub(crate) fn read() -> Option<Self> {
        let folder = required::variable("SPEC_DIR", "the folder of digitalocean.json")?;
        let text = fs::read_to_string(Path::new(&folder).join("digitalocean.json")).unwrap();
        let mut specification = serde_json::from_str(&text).unwrap();
        allow_nulls(&mut specification);
        Some(Self(specification))
    }

    /// The operation that a request is, with its template.
    fn operation(&self, request: &Request) -> Option<(&str, &Value)> {
        let method = request.method.to_string().to_lowercase();
        let paths = self.0["paths"].as_object().unwrap();
        let matching = paths.iter().filter(|(template, _)| is_of_template(&request.path, template));
        // `/v2/droplets/actions` is no Droplet: the template with the fewest parameters is meant.
        let (template, operations) = matching.min_by_key(|(template, _)| template.matches('{').count())?;
        Some((template, operations.get(&method)?))
    }

    fn follow<'a>(&'a self, value: &'a Value) -> &'a Value {
        match value.get("$ref").and_then(Value::as_str) {
            None => value,
            Some(pointer) => self.follow(self.0.pointer(pointer.trim_start_matches('#')).unwrap()),
        }
    }

    /// The names of all fields that a schema knows, at any depth.
    fn fields<'a>(&'a self, schema: &'a Value, seen: &mut BTreeSet<&'a str>, names: &mut BTreeSet<&'a str>) {
        if let Some(pointer) = schema.get("$ref").and_then(Value::as_str)
            && !seen.insert(pointer)
        {
            return;
        }
        match self.follow(schema) {
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

    /// Fails unless the specification says that this request may be answered so.
    pub(crate) fn hold(&self, request: &Request, answer: &Answer) -> String {
        let asked = format!("{} {} -> {}", request.method, request.path, answer.status);
        let (template, operation) = self.operation(request).unwrap_or_else(|| panic!("{asked}: no such operation"));
        let responses = &operation["responses"];
        let response = responses.get(answer.status.to_string()).unwrap_or(&responses["default"]);
        let response = self.follow(response);
        for (header, about) in response["headers"].as_object().into_iter().flatten() {
            if header != "content-type" || !answer.body.is_empty() {
                let schema = &self.follow(about)["schema"];
                let value = answer.header(header).unwrap_or_else(|| panic!("{asked}: no {header}"));
                assert!(schema["type"] != "integer" || value.parse::<u64>().is_ok(), "{asked}: {header}: {value}");
            }
        }
        let Some(schema) = response.pointer("/content/application~1json/schema") else {
            assert!(answer.body.is_empty(), "{asked}: a body where none belongs");
            return format!("{} {template} {}", request.method, answer.status);
        };
        let mut whole = schema.clone();
        whole["components"] = self.0["components"].clone();
        let options = jsonschema::options().with_draft(jsonschema::Draft::Draft7).should_validate_formats(true);
        let body = answer.json();
        let problems: Vec<String> = options
            .build(&whole)
            .unwrap()
            .iter_errors(&body)
            .map(|problem| format!("{}: {problem}", problem.instance_path()))
            .collect();
        assert!(problems.is_empty(), "{asked}: {problems:#?}\n{body:#}");
        let mut known = BTreeSet::new();
        self.fields(schema, &mut BTreeSet::new(), &mut known);
        let mut said = BTreeSet::new();
        keys(&body, &mut said);
        let unknown: Vec<_> = said.difference(&known).collect();
        assert!(unknown.is_empty(), "{asked}: fields that the specification does not know: {unknown:?}");
        format!("{} {template} {}", request.method, answer.status)
    }
}

/// OpenAPI 3.0 says `nullable: true` where JSON Schema has a second type; an enumeration must then list null too.
fn allow_nulls(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            if fields.get("nullable") == Some(&Value::Bool(true)) {
                if let Some(kind) = fields.get("type").cloned() {
                    fields.insert("type".into(), json!([kind, "null"]));
                }
                if let Some(Value::Array(values)) = fields.get_mut("enum") {
                    values.push(Value::Null);
                }
            }
            fields.values_mut().for_each(allow_nulls);
        }
        Value::Array(items) => items.iter_mut().for_each(allow_nulls),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn is_of_template(path: &str, template: &str) -> bool {
    let (given, wanted): (Vec<_>, Vec<_>) = (path.split('/').collect(), template.split('/').collect());
    given.len() == wanted.len() && given.iter().zip(wanted).all(|(one, other)| other.starts_with('{') || *one == other)
}

fn keys<'a>(value: &'a Value, names: &mut BTreeSet<&'a str>) {
    match value {
        Value::Object(fields) => {
            names.extend(fields.keys().map(String::as_str));
            fields.values().for_each(|field| keys(field, names));
        }
        Value::Array(items) => items.iter().for_each(|item| keys(item, names)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
