//! Every request that the calls produce, held against DigitalOcean's own OpenAPI file: path, method, query and body.
//!
//! The file is read from the folder that `SPEC_DIR` names; without it the tests are skipped.

#![expect(clippy::unwrap_used, reason = "a test ends where something is not as it should be")]

#[path = "harness/required.rs"]
mod required;

use jsonschema::Validator;
use serde_json::{Value, json};
use snapshot_bot::{
    digitalocean::{
        call::Call,
        http_types::{HttpRequest, Method},
        mutations::{self, NewDroplet},
        queries,
    },
    operation::ids::{ActionId, DropletId, SnapshotId},
};

fn every_request() -> Vec<HttpRequest> {
    fn of<T>(call: &Call<T>) -> HttpRequest {
        call.request()
    }
    let (droplet, action, snapshot) = (DropletId(3_164_444), ActionId(36_804_636), SnapshotId(6_372_321));
    let new = NewDroplet {
        name: "web-2.example".to_owned(),
        region: "nyc3".to_owned(),
        size: "s-1vcpu-1gb".to_owned(),
        image: snapshot,
        tags: vec!["env:prod".to_owned(), "op-7f3kq2xa".to_owned()],
        ssh_keys: vec!["3b:16:bf:e4:8b:00:8b:b8:59:8c:a9:d3:f0:19:45:fa".to_owned()],
    };
    vec![
        of(&queries::account()),
        of(&queries::droplets(None)),
        of(&queries::droplets(Some("env:prod"))),
        of(&queries::droplets_named("web 1&page=2")),
        of(&queries::droplets_page(3)),
        of(&queries::droplet(droplet)),
        of(&queries::droplet_actions(droplet)),
        of(&queries::droplet_snapshots(droplet)),
        of(&queries::droplet_backups(droplet)),
        of(&queries::actions_page(2)),
        of(&queries::action(action)),
        of(&queries::snapshots()),
        of(&queries::snapshot(snapshot)),
        of(&queries::sizes()),
        of(&queries::regions()),
        of(&queries::ssh_keys()),
        of(&mutations::shutdown(droplet)),
        of(&mutations::power_off(droplet)),
        of(&mutations::power_on(droplet)),
        of(&mutations::take_snapshot(droplet, "web-1-20261122-1740-7f3kq2xa")),
        of(&mutations::restore(droplet, snapshot)),
        of(&mutations::create_droplet(&new)),
        of(&mutations::delete_snapshot(snapshot)),
    ]
}

/// The vendor's file as a judge.
struct Spec(Value);

impl Spec {
    fn load() -> Option<Self> {
        let folder = required::variable("SPEC_DIR", "the folder of digitalocean.json")?;
        let path = std::path::Path::new(&folder).join("digitalocean.json");
        let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let mut spec = serde_json::from_str(&text).unwrap();
        translate(&mut spec);
        Some(Self(spec))
    }

    fn follow<'a>(&'a self, mut node: &'a Value) -> &'a Value {
        while let Some(reference) = node["$ref"].as_str() {
            node = self.0.pointer(reference.trim_start_matches('#')).expect(reference);
        }
        node
    }

    fn validator(&self, schema: &Value) -> Validator {
        let whole = json!({ "allOf": [schema], "components": self.0["components"] });
        jsonschema::draft4::new(&whole).unwrap()
    }

    /// The operation that a path belongs to; a literal segment goes before a parameter.
    fn operation(&self, method: Method, path: &str) -> Option<&Value> {
        let segments = |path: &str| path.split('/').map(str::to_owned).collect::<Vec<_>>();
        let wanted = segments(path);
        let fits = |template: &str| {
            let template = segments(template);
            template.len() == wanted.len()
                && template.iter().zip(&wanted).all(|(a, b)| a == b || (a.starts_with('{') && !b.is_empty()))
        };
        let paths = self.0["paths"].as_object().unwrap();
        let template = paths.keys().filter(|template| fits(template)).min_by_key(|path| path.matches('{').count())?;
        paths[template].get(method.as_str().to_lowercase())
    }

    fn complaints(&self, request: &HttpRequest) -> Vec<String> {
        let (path, query) = request.path_and_query.split_once('?').unwrap_or((&request.path_and_query, ""));
        let Some(operation) = self.operation(request.method, path) else {
            return vec![format!("there is no {} {path}", request.method.as_str())];
        };
        let mut complaints = Vec::new();
        for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
            let parameters = operation["parameters"].as_array().unwrap().iter().map(|parameter| self.follow(parameter));
            let Some(parameter) = parameters.into_iter().find(|known| known["in"] == "query" && known["name"] == *name)
            else {
                complaints.push(format!("{path} has no query parameter {name}"));
                continue;
            };
            let value = match parameter["schema"]["type"].as_str() {
                Some("integer") => json!(value.parse::<i64>().unwrap()),
                _ => json!(value),
            };
            let judge = self.validator(&parameter["schema"]);
            complaints.extend(judge.iter_errors(&value).map(|error| format!("{path}?{name}: {error}")));
        }
        match (operation["requestBody"]["content"]["application/json"].get("schema"), &request.body) {
            (None, Some(_)) => complaints.push(format!("{path} takes no body")),
            (Some(_), None) => complaints.push(format!("{path} wants a body")),
            (Some(schema), Some(body)) => {
                let body: Value = serde_json::from_str(body).unwrap();
                let judge = self.validator(self.body_schema(schema, &body));
                complaints.extend(judge.iter_errors(&body).map(|error| format!("{path}: {error}")));
            }
            (None, None) => {}
        }
        complaints
    }

    /// The schema that the discriminator chooses: `anyOf` alone would let anything pass that has a `type`.
    fn body_schema<'a>(&'a self, schema: &'a Value, body: &Value) -> &'a Value {
        let discriminator = &schema["discriminator"];
        let kind = discriminator["propertyName"].as_str().and_then(|name| body[name].as_str());
        match kind.and_then(|kind| discriminator["mapping"][kind].as_str()) {
            Some(reference) => self.0.pointer(reference.trim_start_matches('#')).unwrap(),
            None => schema,
        }
    }
}

/// OpenAPI 3.0 says `nullable` where JSON Schema says `"type": [.., "null"]`.
fn translate(node: &mut Value) {
    match node {
        Value::Object(fields) => {
            if fields.get("nullable") == Some(&json!(true))
                && let Some(kind) = fields.get("type").cloned()
            {
                fields.insert("type".to_owned(), json!([kind, "null"]));
            }
            fields.values_mut().for_each(translate);
        }
        Value::Array(items) => items.iter_mut().for_each(translate),
        _ => {}
    }
}

#[test]
fn every_request_is_one_that_the_vendor_describes() {
    let Some(spec) = Spec::load() else { return };
    let complaints: Vec<_> = every_request().iter().flat_map(|request| spec.complaints(request)).collect();
    assert!(complaints.is_empty(), "{complaints:#?}");
}

#[test]
fn the_judge_refuses_what_the_vendor_would_refuse() {
    let Some(spec) = Spec::load() else { return };
    let request = |method, path: &str, body: Option<Value>| HttpRequest {
        method,
        path_and_query: path.to_owned(),
        body: body.map(|body| body.to_string()),
    };
    let wrong = [
        request(Method::Get, "/v2/droplet", None),
        request(Method::Delete, "/v2/actions/1", None),
        request(Method::Get, "/v2/snapshots?resource_type=image", None),
        request(Method::Get, "/v2/actions?sort=desc", None),
        request(Method::Get, "/v2/droplets?per_page=201", None),
        request(Method::Post, "/v2/droplets/1/actions", None),
        request(Method::Post, "/v2/droplets/1/actions", Some(json!({ "type": "sleep" }))),
        request(Method::Post, "/v2/droplets/1/actions", Some(json!({ "type": "restore", "image": "7" }))),
        request(Method::Post, "/v2/droplets", Some(json!({ "name": "a b", "size": "s", "image": 1 }))),
    ];
    for request in wrong {
        assert!(!spec.complaints(&request).is_empty(), "{request:?}");
    }
}

#[test]
fn no_text_can_leave_its_query_parameter() {
    let request = queries::droplets_named("web 1&page=2#x").request();
    assert_eq!(request.path_and_query, "/v2/droplets?name=web+1%26page%3D2%23x&page=1&per_page=200");
}
