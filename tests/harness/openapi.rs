//! A vendor's OpenAPI file, from the folder that `SPEC_DIR` names: finds the operation of a request, and checks values against schemas.
//!
//! Every test crate that checks against such a file includes this one by its path, together with `required`.

use std::{collections::HashMap, path::Path, sync::Arc};

use jsonschema::{Draft, Validator};
use parking_lot::Mutex;
use serde_json::{Value, json};

use crate::required;

/// A vendor's file. Both vendors' files are so large that each schema's validator is built once.
pub(crate) struct OpenApi {
    document: Value,
    draft: Draft,
    validators: Mutex<HashMap<String, Arc<Validator>>>,
}

impl OpenApi {
    /// Reads the file of this name. After `None` the test must end: see [`required::variable`].
    ///
    /// # Panics
    /// If `SPEC_DIR` is set, and it contains no such OpenAPI file.
    pub(crate) fn read(file: &str) -> Option<Self> {
        let folder = required::variable("SPEC_DIR", &format!("the folder of {file}"))?;
        let path = Path::new(&folder).join(file);
        let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let mut document: Value = serde_json::from_str(&text).expect("a file of JSON");
        // OpenAPI 3.0 has its own dialect, close to draft 4; since 3.1 it is JSON Schema.
        let is_dialect = document["openapi"].as_str().expect("a version of OpenAPI").starts_with("3.0");
        if is_dialect {
            allow_nulls(&mut document);
        }
        let draft = if is_dialect { Draft::Draft4 } else { Draft::Draft202012 };
        Some(Self { document, draft, validators: Mutex::default() })
    }

    /// The operation of a path without its query, and its template. Literal parts take precedence over parameters: `/v2/droplets/actions`
    /// is not a Droplet.
    pub(crate) fn operation(&self, method: &str, path: &str) -> Option<(&str, &Value)> {
        let parts: Vec<&str> = path.split('/').collect();
        let fits = |template: &str| {
            let own: Vec<&str> = template.split('/').collect();
            let same = |own: &str, part: &str| own == part || (own.starts_with('{') && !part.is_empty());
            own.len() == parts.len() && own.iter().zip(&parts).all(|(own, part)| same(own, part))
        };
        let templates = self.document["paths"].as_object().expect("a document with paths").iter();
        let (template, operations) = templates
            .filter(|(template, _)| fits(template))
            .min_by_key(|(template, _)| template.matches('{').count())?;
        Some((template, operations.get(method.to_lowercase())?))
    }

    /// The node itself, or the node that it refers to.
    pub(crate) fn follow<'a>(&'a self, mut node: &'a Value) -> &'a Value {
        while let Some(reference) = node["$ref"].as_str() {
            node = self.at(reference);
        }
        node
    }

    /// The node of a reference such as `#/components/schemas/droplet`.
    pub(crate) fn at(&self, reference: &str) -> &Value {
        self.document.pointer(reference.trim_start_matches('#')).expect(reference)
    }

    /// Where a value violates a schema, and why.
    pub(crate) fn problems(&self, schema: &Value, value: &Value) -> Vec<String> {
        let validator = self.validator(schema);
        validator.iter_errors(value).map(|problem| format!("at `{}`: {problem}", problem.instance_path())).collect()
    }

    fn validator(&self, schema: &Value) -> Arc<Validator> {
        let mut known = self.validators.lock();
        let validator = known.entry(schema.to_string()).or_insert_with(|| {
            let mut whole = schema.clone();
            whole["components"] = self.document["components"].clone();
            let options = jsonschema::options().with_draft(self.draft).should_validate_formats(true);
            Arc::new(options.build(&whole).expect("a schema that is well formed"))
        });
        Arc::clone(validator)
    }
}

/// OpenAPI 3.0 has `nullable: true` where JSON Schema has a second type; an enumeration must then list null too.
fn allow_nulls(node: &mut Value) {
    match node {
        Value::Object(fields) => {
            // Examples are not schemas, and may contain anything.
            fields.remove("example");
            if fields.remove("nullable") == Some(json!(true)) {
                if let Some(kind) = fields.get("type").filter(|kind| kind.is_string()).cloned() {
                    fields.insert("type".to_owned(), json!([kind, "null"]));
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
