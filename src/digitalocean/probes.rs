//! Tests a token's scopes without changing anything: DigitalOcean has no request that lists them.
//!
//! Called only by `snapshot-bot check`. Reads are the smallest possible. Writes ask for something that cannot exist or cannot be created:
//! Droplet 0, image 0 and Snapshot 0 (ids start at 1), a Droplet without the required size and image, a tag without a name. A token with
//! the scope gets 404 or 422, one without it 403, and neither changes anything.

use serde_json::{Value, json};

use super::{
    call::Call,
    error::Error,
    http_types::Method::{self, Delete, Get, Post},
};

/// A test for one scope.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Probe {
    /// The scope, as DigitalOcean names it; two if only both together can be tested.
    pub scope: &'static str,
    /// Another scope that the same request needs: without it, the result says nothing about this one.
    pub behind: Option<&'static str>,
    method: Method,
    path: &'static str,
    /// The type of the Action that the request asks for.
    action: Option<&'static str>,
}

/// What the answer to a [`Probe`] shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Seen {
    /// The token can read this.
    Allowed,
    /// The write was not refused because of the scope. That DigitalOcean checks scopes first is not documented.
    NotRefused,
    /// DigitalOcean does not allow it, most likely because the scope is missing.
    Missing {
        /// DigitalOcean's words.
        message: String,
    },
    /// Another missing scope hides the result.
    Hidden,
    /// The answer says nothing about scopes.
    Unclear(Error),
}

const fn read(scope: &'static str, path: &'static str) -> Probe {
    Probe { scope, behind: None, method: Get, path, action: None }
}

const fn action(scope: &'static str, behind: Option<&'static str>, action: &'static str) -> Probe {
    Probe { scope, behind, method: Post, path: "/v2/droplets/0/actions", action: Some(action) }
}

const fn image_action(scope: &'static str, action: &'static str) -> Probe {
    Probe { scope, behind: None, method: Post, path: "/v2/images/0/actions", action: Some(action) }
}

const fn write(scope: &'static str, method: Method, path: &'static str) -> Probe {
    Probe { scope, behind: None, method, path, action: None }
}

/// Tests for every scope that the bot may use. An Action comes after the probes for the scopes that it also needs.
pub const PROBES: &[Probe] = &[
    read("actions:read", "/v2/actions?per_page=1"),
    read("droplet:read", "/v2/droplets?per_page=1"),
    read("image:read", "/v2/images?private=true&per_page=1"),
    read("snapshot:read", "/v2/snapshots?resource_type=droplet&per_page=1"),
    action("droplet:update", None, "shutdown"),
    action("image:create", Some("droplet:update"), "snapshot"),
    read("tag:read", "/v2/tags?per_page=1"),
    action("droplet:admin", Some("droplet:update"), "restore"),
    image_action("image:update", "convert"),
    write("image:delete, snapshot:delete", Delete, "/v2/snapshots/0"),
    write("droplet:create", Post, "/v2/droplets"),
    read("regions:read", "/v2/regions?per_page=1"),
    read("sizes:read", "/v2/sizes?per_page=1"),
    read("ssh_key:read", "/v2/account/keys?per_page=1"),
    write("tag:create", Post, "/v2/tags"),
    read("account:read", "/v2/account"),
    read("block_storage:read", "/v2/volumes?per_page=1"),
    read("reserved_ip:read", "/v2/reserved_ips?per_page=1"),
];

impl Probe {
    /// The request to send; [`Probe::read`] interprets its answer.
    pub fn call(&self) -> Call<()> {
        let call = Call::bodiless(self.method, self.path.to_owned(), || ());
        match (self.method, self.action) {
            (Post, Some(action)) => call.body(json!({"type": action, "image": 0, "name": "snapshot-bot-check"})),
            (Post, None) => call.body(Value::Object(serde_json::Map::new())),
            (Get | Delete, _) => call,
        }
    }

    /// What an answer shows.
    pub fn read(&self, answer: Result<(), Error>) -> Seen {
        match (answer, self.method) {
            (Ok(()), Get) => Seen::Allowed,
            (Ok(()) | Err(Error::NotFound { .. } | Error::Refused { .. } | Error::Busy { .. }), Post | Delete) => {
                Seen::NotRefused
            }
            (Err(Error::Forbidden { message, .. }), _) => Seen::Missing { message },
            (Err(error), _) => Seen::Unclear(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digitalocean::error::Outage;

    #[test]
    fn a_refusal_keeps_digitaloceans_words_and_an_outage_says_nothing_of_scopes() {
        let forbidden = Error::Forbidden { scopes: Vec::new(), message: "billing".to_owned(), request_id: None };
        let outage = Error::Unavailable { outage: Outage::Status(403), until: None, request_id: None };
        for probe in PROBES {
            assert_eq!(probe.read(Err(forbidden.clone())), Seen::Missing { message: "billing".to_owned() });
            assert_eq!(probe.read(Err(outage.clone())), Seen::Unclear(outage.clone()));
        }
    }

    #[test]
    fn no_probe_names_anything_that_can_exist_or_be_made() {
        for probe in PROBES {
            let request = probe.call().request();
            match request.method {
                Get => assert_eq!(request.body, None),
                Delete => assert!(request.path_and_query.ends_with("/0"), "{request:?}"),
                Post => {
                    let body = request.body.expect("a body");
                    let of_nothing =
                        ["/v2/droplets/0/actions", "/v2/images/0/actions"].contains(&request.path_and_query.as_str());
                    assert!(of_nothing || body == "{}", "{} {body}", request.path_and_query);
                }
            }
        }
    }
}
