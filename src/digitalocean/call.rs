//! One wish of DigitalOcean as data: what to send, how its answers are read, and whether a further page is needed.
//!
//! Made by [`super::reads`] and [`super::commands`]; carried out by [`super::client::Client`], or by anything that can turn
//! a request into an answer. Does no I/O and reads no clock.

use std::{collections::HashSet, hash::Hash};

use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;
use url::{Url, form_urlencoded};

use super::{
    budget::Priority,
    error::Error,
    exchange::{HttpAnswer, HttpRequest, Method, TransportError},
};

/// The most items that DigitalOcean puts on one page.
pub(super) const PER_PAGE: usize = 200;
/// More pages than any honest list has: 50,000 items.
const MOST_PAGES: u32 = 250;

/// One wish, with the place where its reading stands.
pub struct Call<T> {
    method: Method,
    path: String,
    query: Vec<(&'static str, String)>,
    body: Option<Value>,
    priority: Priority,
    scopes: &'static [&'static str],
    page: Option<u32>,
    read: Box<Reader<T>>,
}

type Reader<T> = dyn FnMut(&HttpAnswer) -> Result<Turn<T>, Mismatch> + Send;

/// What one answer brought.
#[derive(Debug)]
pub enum Progress<T> {
    /// Ask again: [`Call::request`] is now the next page's.
    More,
    /// The whole result.
    Done(T),
}

enum Turn<T> {
    Page(u32),
    Done(T),
}

/// A body that is not what the API describes: where, and how.
pub(super) struct Mismatch {
    path: String,
    detail: String,
}

impl Mismatch {
    pub(super) fn at(path: &str, detail: impl Into<String>) -> Self {
        Self { path: path.to_owned(), detail: detail.into() }
    }
}

impl<T: 'static> Call<T> {
    /// A call with a single answer, whose JSON `W` is turned into the result by `finish`.
    pub(super) fn single<W: DeserializeOwned>(
        method: Method,
        path: String,
        finish: impl Fn(W) -> Result<T, Mismatch> + Send + 'static,
    ) -> Self {
        Self::new(method, path, Box::new(move |answer| finish(json(&answer.body)?).map(Turn::Done)))
    }

    /// A call whose answer has no body worth reading.
    pub(super) fn bodiless(method: Method, path: String, done: fn() -> T) -> Self {
        Self::new(method, path, Box::new(move |_| Ok(Turn::Done(done()))))
    }

    fn new(method: Method, path: String, read: Box<Reader<T>>) -> Self {
        let (query, body, scopes) = (Vec::new(), None, &[][..]);
        Self { method, path, query, body, priority: Priority::Person, scopes, page: None, read }
    }

    pub(super) fn query(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.query.push((name, value.into()));
        self
    }

    pub(super) fn body(mut self, body: Value) -> Self {
        self.body = Some(body);
        self
    }

    /// The scopes that a token needs for this, named when one is missing.
    pub(super) fn scopes(mut self, scopes: &'static [&'static str]) -> Self {
        self.scopes = scopes;
        self
    }

    /// The same wish with its result turned into another.
    pub fn map<U: 'static>(self, turn: impl Fn(T) -> U + Send + 'static) -> Call<U> {
        let Self { method, path, query, body, priority, scopes, page, mut read } = self;
        let read = Box::new(move |answer: &HttpAnswer| {
            Ok(match read(answer)? {
                Turn::Page(page) => Turn::Page(page),
                Turn::Done(result) => Turn::Done(turn(result)),
            })
        });
        Call { method, path, query, body, priority, scopes, page, read }
    }

    /// The same wish with another rank in the request budget.
    #[must_use]
    pub fn with_priority(mut self, priority: Priority) -> Self {
        self.priority = priority;
        self
    }
}

impl<Item: DeserializeOwned + Send + 'static> Call<Vec<Item>> {
    /// A call that reads the list `field` to its last page; an item that two pages show (because the list grew in between)
    /// counts once.
    pub(super) fn paged<Id: Eq + Hash + Send + 'static>(
        path: String,
        field: &'static str,
        id: fn(&Item) -> Id,
    ) -> Self {
        let (mut items, mut seen, mut shown) = (Vec::new(), HashSet::new(), 0);
        let mut page = 1;
        let read = move |answer: &HttpAnswer| {
            let wire: Page<Item> = Page::read(&answer.body, field)?;
            let next = wire.next_page(page, shown + wire.items.len())?;
            shown += wire.items.len();
            items.extend(wire.items.into_iter().filter(|item| seen.insert(id(item))));
            Ok(match next {
                Some(next) => {
                    page = next;
                    Turn::Page(next)
                }
                None => Turn::Done(std::mem::take(&mut items)),
            })
        };
        Self { page: Some(1), ..Self::new(Method::Get, path, Box::new(read)) }
    }

    /// A call that reads page number `page` of the list `field` and stops there.
    pub(super) fn one_page(path: String, field: &'static str, page: u32) -> Self {
        let read = move |answer: &HttpAnswer| Ok(Turn::Done(Page::read(&answer.body, field)?.items));
        Self { page: Some(page.max(1)), ..Self::new(Method::Get, path, Box::new(read)) }
    }
}

impl<T> Call<T> {
    /// Its rank in the request budget.
    pub fn priority(&self) -> Priority {
        self.priority
    }

    /// Its verb: only a GET may be repeated without looking.
    pub fn method(&self) -> Method {
        self.method
    }

    /// What to send now.
    pub fn request(&self) -> HttpRequest {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(&self.query);
        if let Some(page) = self.page {
            query.append_pair("page", &page.to_string()).append_pair("per_page", &PER_PAGE.to_string());
        }
        let query = query.finish();
        let path_and_query = if query.is_empty() { self.path.clone() } else { format!("{}?{query}", self.path) };
        HttpRequest { method: self.method, path_and_query, body: self.body.as_ref().map(Value::to_string) }
    }

    /// Takes in the answer to [`Call::request`]. After an error the call stands where it stood, so that a read can be tried
    /// again.
    pub fn absorb(&mut self, answer: &HttpAnswer) -> Result<Progress<T>, Error> {
        if !(200..300).contains(&answer.status) {
            return Err(Error::of_answer(answer, self.scopes));
        }
        match (self.read)(answer) {
            Ok(Turn::Done(result)) => Ok(Progress::Done(result)),
            Ok(Turn::Page(page)) => {
                self.page = Some(page);
                Ok(Progress::More)
            }
            Err(Mismatch { path, detail }) => Err(Error::unreadable(answer, &path, &detail)),
        }
    }

    /// Carries the whole call out against a synchronous world: a simulation's way to run the very same encoding and reading.
    pub fn exchange(
        mut self,
        mut world: impl FnMut(HttpRequest) -> Result<HttpAnswer, TransportError>,
    ) -> Result<T, Error> {
        loop {
            if let Progress::Done(result) = self.absorb(&world(self.request())?)? {
                return Ok(result);
            }
        }
    }
}

/// One page of a list.
struct Page<Item> {
    items: Vec<Item>,
    next: Option<String>,
    total: Option<usize>,
}

#[derive(Default, Deserialize)]
struct PageLinks {
    pages: Option<PageNeighbours>,
}

#[derive(Deserialize)]
struct PageNeighbours {
    next: Option<String>,
}

#[derive(Default, Deserialize)]
struct PageMeta {
    total: Option<usize>,
}

impl<Item: DeserializeOwned> Page<Item> {
    fn read(body: &[u8], field: &'static str) -> Result<Self, Mismatch> {
        let mut fields: serde_json::Map<String, Value> = json(body)?;
        let items = fields.remove(field).ok_or_else(|| Mismatch::at(field, "it is missing"))?;
        let mut frame = |name| fields.remove(name).filter(|value| !value.is_null());
        let links = frame("links").map(|value| inner("links", value)).transpose()?.unwrap_or_default();
        let meta = frame("meta").map(|value| inner("meta", value)).transpose()?.unwrap_or_default();
        let (PageLinks { pages }, PageMeta { total }) = (links, meta);
        Ok(Self { items: inner(field, items)?, next: pages.and_then(|pages| pages.next), total })
    }

    /// The number of the page after `page`, when `shown` items were seen so far. Of the link only the number counts: it must
    /// lead forward, and it can lead to no other host.
    fn next_page(&self, page: u32, shown: usize) -> Result<Option<u32>, Mismatch> {
        const LINK: &str = "links.pages.next";
        let next = match &self.next {
            _ if self.items.is_empty() => return Ok(None),
            Some(link) => page_number(link).ok_or_else(|| Mismatch::at(LINK, "it names no page"))?,
            None if self.total.is_some_and(|total| shown < total) => page.saturating_add(1),
            None => return Ok(None),
        };
        if next <= page {
            return Err(Mismatch::at(LINK, format!("page {next} comes after page {page}")));
        }
        if next > MOST_PAGES {
            return Err(Mismatch::at(LINK, format!("the list has more than {MOST_PAGES} pages")));
        }
        Ok(Some(next))
    }
}

fn page_number(link: &str) -> Option<u32> {
    let base = Url::parse("https://api.digitalocean.com").ok()?;
    let link = base.join(link).ok()?;
    link.query_pairs().find(|(name, _)| name == "page")?.1.parse().ok()
}

/// Reads JSON, naming the field that is wrong.
fn json<W: DeserializeOwned>(body: &[u8]) -> Result<W, Mismatch> {
    let mut deserializer = serde_json::Deserializer::from_slice(body);
    serde_path_to_error::deserialize(&mut deserializer)
        .map_err(|error| Mismatch { path: error.path().to_string(), detail: error.inner().to_string() })
}

/// Reads what stands under `field`, naming the field inside it that is wrong.
fn inner<W: DeserializeOwned>(field: &str, value: Value) -> Result<W, Mismatch> {
    serde_path_to_error::deserialize(value).map_err(|error| {
        let path = match error.path().to_string() {
            inside if inside.starts_with('[') => format!("{field}{inside}"),
            inside if inside == "." => field.to_owned(),
            inside => format!("{field}.{inside}"),
        };
        Mismatch { path, detail: error.inner().to_string() }
    })
}

#[cfg(test)]
mod tests;
