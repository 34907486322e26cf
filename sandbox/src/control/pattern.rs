//! Selects the requests for a gate or a fault.
//!
//! Each service adds constructors in its own terms, such as `Pattern::action` and `Pattern::response_to`.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Selects requests; a field that is left out matches everything.
///
/// Parsed from text such as `POST /channels/*/messages`, in which a method `*` matches any.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Pattern {
    /// Only this method, such as `POST`.
    pub method: Option<String>,
    /// Only this path, in which `*` matches one segment and a final `**` any number of them.
    pub path: Option<String>,
    /// Only requests whose body contains this text.
    pub containing: Option<String>,
    /// Only requests about this: at DigitalOcean the type of the Action that they start (`create` for a new Droplet), at Discord the
    /// command (`snapshot take`) or custom id of the Interaction that they answer.
    pub about: Option<String>,
}

/// The error for a text that is not a pattern.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no pattern: wanted something like `POST /channels/*/messages`")]
pub struct NotAPattern(String);

impl FromStr for Pattern {
    type Err = NotAPattern;

    fn from_str(text: &str) -> Result<Self, NotAPattern> {
        match text.split_once(' ') {
            Some((method, path)) if path.starts_with('/') => {
                Ok(Self { method: (method != "*").then(|| method.to_owned()), ..Self::at(path) })
            }
            _ => Err(NotAPattern(text.to_owned())),
        }
    }
}

impl Pattern {
    /// Every request.
    pub fn any() -> Self {
        Self::default()
    }

    /// Requests of any method at this path.
    pub fn at(path: &str) -> Self {
        Self { path: Some(path.to_owned()), ..Self::any() }
    }

    /// This pattern, only for requests with a body that contains this text.
    #[must_use]
    pub fn containing(mut self, text: &str) -> Self {
        self.containing = Some(text.to_owned());
        self
    }

    /// Whether the pattern matches this request.
    pub(crate) fn matches(&self, request: &Seen<'_>) -> bool {
        let is = |wanted: &Option<String>, given| wanted.as_deref().is_none_or(|wanted| Some(wanted) == given);
        is(&self.method, Some(request.method))
            && self.path.as_ref().is_none_or(|path| path_matches(path, request.path))
            && self.containing.as_ref().is_none_or(|text| request.body.contains(text))
            && is(&self.about, request.about)
    }
}

fn path_matches(pattern: &str, path: &[&str]) -> bool {
    let mut wanted = pattern.split('/').filter(|segment| !segment.is_empty());
    let mut given = path.iter();
    loop {
        match (wanted.next(), given.next()) {
            (Some("**"), _) | (None, None) => return true,
            (Some("*"), Some(_)) => {}
            (Some(one), Some(other)) if one == *other => {}
            (Some(_) | None, _) => return false,
        }
    }
}

/// A request as seen by patterns.
#[derive(Clone, Debug)]
pub(crate) struct Seen<'a> {
    pub(crate) method: &'a str,
    /// The path's segments, decoded.
    pub(crate) path: &'a [&'a str],
    pub(crate) body: &'a str,
    pub(crate) about: Option<&'a str>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen<'a>(method: &'a str, path: &'a [&'a str]) -> Seen<'a> {
        Seen { method, path, body: "{\"content\":\"hello\"}", about: None }
    }

    #[test]
    fn a_star_is_one_segment_and_two_are_any_number() {
        let path = ["v2", "droplets", "7", "actions"];
        assert!(path_matches("/v2/droplets/*/actions", &path));
        assert!(!path_matches("/v2/droplets/*", &path));
        assert!(path_matches("/v2/**", &path));
        assert!(path_matches("/v2/droplets/**", &path[..2]));
        assert!(!path_matches("/v2/droplets", &path[..1]));
    }

    #[test]
    fn a_pattern_matches_by_method_path_body_and_what_a_request_is_about() {
        let pattern: Pattern = "POST /channels/*/messages".parse().expect("a pattern");
        let path = ["channels", "1", "messages"];
        assert!(pattern.matches(&seen("POST", &path)));
        assert!(!pattern.matches(&seen("GET", &path)));
        assert!(!pattern.matches(&seen("POST", &["channels", "1"])));
        assert!(pattern.clone().containing("hello").matches(&seen("POST", &path)));
        assert!(!pattern.containing("bye").matches(&seen("POST", &path)));
        assert!("* /channels/**".parse::<Pattern>().expect("a pattern").matches(&seen("GET", &path)));
        assert!("channels".parse::<Pattern>().is_err());
        let take = Pattern { about: Some("snapshot take".to_owned()), ..Pattern::any() };
        assert!(take.matches(&Seen { about: Some("snapshot take"), ..seen("POST", &path) }));
        assert!(!take.matches(&seen("POST", &path)));
    }
}
