//! Faults: what goes wrong on request, by name, for the requests that fit a pattern.
//!
//! Asked for by tests and the demo's switches; carried out by the server. What a fault caused is never a complaint.

use std::{str::FromStr, time::Duration};

use super::world::World;

/// Which requests are meant: `POST /channels/*/messages`, where `*` stands for one part and a final `**` for any number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    method: Option<String>,
    parts: Vec<String>,
    /// Words that the request's body has to contain.
    containing: Option<String>,
    /// The command's words or the custom id of the Interaction that the request answers.
    interaction: Option<String>,
}

/// A pattern that is no route.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no route: wanted something like `POST /channels/*/messages`")]
pub struct NotARoute(String);

impl FromStr for Route {
    type Err = NotARoute;

    fn from_str(text: &str) -> Result<Self, NotARoute> {
        let (method, path) = text.split_once(' ').ok_or_else(|| NotARoute(text.to_owned()))?;
        let path = path.strip_prefix('/').ok_or_else(|| NotARoute(text.to_owned()))?;
        Ok(Self {
            method: (method != "*").then(|| method.to_owned()),
            parts: path.split('/').map(str::to_owned).collect(),
            containing: None,
            interaction: None,
        })
    }
}

impl Route {
    /// Every request.
    pub fn any() -> Self {
        Self { method: None, parts: vec!["**".to_owned()], containing: None, interaction: None }
    }

    /// Only requests whose body contains this text.
    #[must_use]
    pub fn containing(mut self, text: &str) -> Self {
        self.containing = Some(text.to_owned());
        self
    }

    /// Only first responses to Interactions with this command (`snapshot take`) or custom id.
    pub fn response_to(name: &str) -> Self {
        let parts = ["interactions", "*", "*", "callback"].map(str::to_owned).to_vec();
        Self { method: Some("POST".to_owned()), parts, containing: None, interaction: Some(name.to_owned()) }
    }

    pub(super) fn fits(&self, request: &Asked<'_>) -> bool {
        self.method.as_deref().is_none_or(|method| method == request.method)
            && fits(&self.parts, request.path)
            && self.containing.as_ref().is_none_or(|text| request.body.contains(text))
            && self.interaction.as_deref().is_none_or(|name| Some(name) == request.interaction)
    }
}

/// What a pattern looks at.
#[derive(Debug)]
pub(super) struct Asked<'a> {
    pub(super) method: &'a str,
    pub(super) path: &'a [&'a str],
    pub(super) body: &'a str,
    pub(super) interaction: Option<&'a str>,
}

fn fits(pattern: &[String], path: &[&str]) -> bool {
    match (pattern, path) {
        ([rest], _) if rest == "**" => true,
        ([], []) => true,
        ([first, pattern @ ..], [part, path @ ..]) => (first == "*" || first == part) && fits(pattern, path),
        _ => false,
    }
}

/// What goes wrong.
#[derive(Clone, Debug, PartialEq)]
pub enum Fault {
    /// It is not carried out; the answer is this refusal.
    Refuse {
        /// The HTTP status.
        status: u16,
        /// Discord's code.
        code: u32,
        /// Discord's text.
        message: String,
    },
    /// Discord's edge answers with this status and a page, not JSON.
    Down(u16),
    /// It is carried out later.
    Delay(Duration),
    /// The connection is cut before it is carried out.
    CutBefore,
    /// It is carried out, and the connection is cut before the answer.
    CutAfter,
    /// 429 for this route.
    ThrottleRoute(Duration),
    /// 429 for everything.
    ThrottleGlobal(Duration),
    /// It is carried out, and the answer is no JSON.
    Malform,
}

/// A fault that waits for its requests.
#[derive(Clone, Debug)]
struct Armed {
    number: usize,
    route: Route,
    fault: Fault,
    /// How many requests it has left; none for ever.
    left: Option<usize>,
}

/// Names an armed fault, to take it back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FaultId(usize);

/// Every armed fault, oldest first.
#[derive(Debug, Default)]
pub(super) struct FaultList {
    armed: Vec<Armed>,
    next: usize,
}

impl FaultList {
    /// The first fault that fits, used up by one.
    pub(super) fn strike(&mut self, request: &Asked<'_>) -> Option<Fault> {
        let at = self.armed.iter().position(|armed| armed.route.fits(request))?;
        let fault = self.armed[at].fault.clone();
        if let Some(left) = &mut self.armed[at].left {
            *left -= 1;
            if *left == 0 {
                self.armed.remove(at);
            }
        }
        Some(fault)
    }
}

impl World {
    /// Lets the next `times` requests of a route go wrong; for ever with none.
    pub fn inject(&mut self, route: Route, fault: Fault, times: Option<usize>) -> FaultId {
        let number = self.faults.next;
        self.faults.next += 1;
        if times != Some(0) {
            self.faults.armed.push(Armed { number, route, fault, left: times });
        }
        FaultId(number)
    }

    /// Takes a fault back.
    pub fn heal(&mut self, fault: FaultId) {
        self.faults.armed.retain(|armed| armed.number != fault.0);
    }

    /// Takes every fault back.
    pub fn heal_all(&mut self) {
        self.faults.armed.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked<'a>(method: &'a str, path: &'a [&'a str]) -> Asked<'a> {
        Asked { method, path, body: "{\"content\":\"hello\"}", interaction: None }
    }

    #[test]
    fn a_route_fits_by_method_path_and_body() {
        let route: Route = "POST /channels/*/messages".parse().expect("a route");
        let path = ["channels", "1", "messages"];
        assert!(route.fits(&asked("POST", &path)));
        assert!(!route.fits(&asked("GET", &path)));
        assert!(!route.fits(&asked("POST", &["channels", "1"])));
        assert!(route.clone().containing("hello").fits(&asked("POST", &path)));
        assert!(!route.containing("bye").fits(&asked("POST", &path)));
        assert!("* /channels/**".parse::<Route>().expect("a route").fits(&asked("GET", &path)));
        assert!("channels".parse::<Route>().is_err());
    }

    #[test]
    fn a_response_is_found_by_the_name_of_what_it_answers() {
        let route = Route::response_to("snapshot take");
        let path = ["interactions", "1", "token", "callback"];
        let to = |name| Asked { interaction: Some(name), ..asked("POST", &path) };
        assert!(route.fits(&to("snapshot take")));
        assert!(!route.fits(&to("snapshot list")));
    }

    #[test]
    fn a_fault_strikes_as_often_as_was_asked() {
        let mut list = FaultList::default();
        list.armed.push(Armed { number: 0, route: Route::any(), fault: Fault::CutBefore, left: Some(2) });
        let strikes = (0..3).filter(|_| list.strike(&asked("GET", &["gateway"])).is_some()).count();
        assert_eq!(strikes, 2);
    }
}
