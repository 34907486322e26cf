//! One wish of DigitalOcean as data: what to send, how its answers are read, and whether a further page is needed.
//!
//! Made by [`super::queries`] and [`super::mutations`]; carried out by [`super::client::Client`], or by anything that can turn
//! a request into an answer. Does no I/O and reads no clock.

use std::{collections::HashSet, hash::Hash};

use serde::de::DeserializeOwned;
use serde_json::Value;
use url::{Url, form_urlencoded};

use super::{
    budget::Priority,
    error::Error,
    http_types::{HttpAnswer, HttpRequest, Method, TransportError},
    lenient::{Fields, Mismatch, Whole, readable},
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

impl<T: 'static> Call<T> {
    /// A call with a single answer, whose JSON object is turned into the result by `finish`.
    pub(super) fn single(
        method: Method,
        path: String,
        finish: impl Fn(&Fields) -> Result<T, Mismatch> + Send + 'static,
    ) -> Self {
        Self::new(method, path, Box::new(move |answer| finish(&Fields::of_body(&answer.body)?).map(Turn::Done)))
    }

    /// A call whose answer has no body worth reading. A page for people is none of DigitalOcean's answers, though: something in
    /// between sent it.
    pub(super) fn bodiless(method: Method, path: String, done: fn() -> T) -> Self {
        let read = move |answer: &HttpAnswer| {
            let is_page = answer.body.trim_ascii_start().starts_with(b"<");
            if is_page { Err(Mismatch::at(".", "it is a page for people")) } else { Ok(Turn::Done(done())) }
        };
        Self::new(method, path, Box::new(read))
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
    /// counts once, and one that cannot be read is left out.
    pub(super) fn paged<Id: Eq + Hash + Send + 'static>(
        path: String,
        field: &'static str,
        id: fn(&Item) -> Id,
    ) -> Self {
        Self::pages(path, field, id, |_| false, Unreadable::IsSkipped)
    }

    /// Like [`Call::paged`], for a list that is never empty for want of understanding: unreadable is a page of which nothing can be read,
    /// and a list that shows nothing although DigitalOcean says that it has something.
    pub(super) fn paged_in_earnest<Id: Eq + Hash + Send + 'static>(
        path: String,
        field: &'static str,
        id: fn(&Item) -> Id,
    ) -> Self {
        Self::pages(path, field, id, |_| false, Unreadable::MustNotBeAll)
    }

    /// Like [`Call::paged`], for a list from which it follows that something is not there: one item that cannot be read, or fewer items
    /// than DigitalOcean says that there are, and all of it is unreadable.
    pub(super) fn paged_whole<Id: Eq + Hash + Send + 'static>(
        path: String,
        field: &'static str,
        id: fn(&Item) -> Id,
    ) -> Self {
        Self::pages(path, field, id, |_| false, Unreadable::SpoilsTheList)
    }

    /// Like [`Call::paged`], but no page is read after one that is enough, by all that was shown before it. A page with an item
    /// that cannot be read is never asked about.
    pub(super) fn paged_until<Id: Eq + Hash + Send + 'static>(
        path: String,
        field: &'static str,
        id: fn(&Item) -> Id,
        is_enough: impl FnMut(&[Item]) -> bool + Send + 'static,
    ) -> Self {
        Self::pages(path, field, id, is_enough, Unreadable::IsSkipped)
    }

    fn pages<Id: Eq + Hash + Send + 'static>(
        path: String,
        field: &'static str,
        id: fn(&Item) -> Id,
        mut is_enough: impl FnMut(&[Item]) -> bool + Send + 'static,
        unreadable: Unreadable,
    ) -> Self {
        let (mut items, mut seen, mut shown) = (Vec::new(), HashSet::new(), 0);
        let mut page = 1;
        let read = move |answer: &HttpAnswer| {
            let wire: Page<Item> = Page::read(&answer.body, field)?;
            let next = wire.next_page(page, shown + wire.shown)?;
            shown += wire.shown;
            let lacks_some = next.is_none() && wire.total.is_some_and(|total| shown < total);
            let is_spoilt = match unreadable {
                Unreadable::IsSkipped => false,
                Unreadable::MustNotBeAll => wire.items.is_empty() && (wire.shown > 0 || (shown == 0 && lacks_some)),
                Unreadable::SpoilsTheList => wire.items.len() < wire.shown || lacks_some,
            };
            if is_spoilt {
                return Err(Mismatch::at(field, "what is looked for may be what cannot be read".to_owned()));
            }
            let next = next.filter(|_| wire.items.len() < wire.shown || !is_enough(&wire.items));
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
}

/// What an item that cannot be read means to its list.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Unreadable {
    IsSkipped,
    MustNotBeAll,
    SpoilsTheList,
}

/// One page of a list, and whether more follow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OnePage<Item> {
    /// Those of its items that can be read.
    pub items: Vec<Item>,
    /// Whether it is the last page.
    pub is_last: bool,
    /// The number of the last page, where DigitalOcean says how long the list is.
    pub last: Option<u32>,
}

impl<Item: DeserializeOwned + Send + 'static> Call<OnePage<Item>> {
    /// A call that reads page number `page` of the list `field` and stops there.
    pub(super) fn one_page(path: String, field: &'static str, page: u32) -> Self {
        let page = page.max(1);
        let read = move |answer: &HttpAnswer| {
            let wire: Page<Item> = Page::read(&answer.body, field)?;
            let before = usize::try_from(page - 1).unwrap_or(usize::MAX).saturating_mul(PER_PAGE);
            let is_last = wire.next_page(page, before.saturating_add(wire.shown))?.is_none();
            let last = wire.total.and_then(|total| u32::try_from(total.div_ceil(PER_PAGE).max(1)).ok());
            Ok(Turn::Done(OnePage { items: wire.items, is_last, last }))
        };
        Self { page: Some(page), ..Self::new(Method::Get, path, Box::new(read)) }
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
    /// How many items it has, those that cannot be read included.
    shown: usize,
    next: NextLink,
    total: Option<usize>,
}

/// What a page says of the one after it.
enum NextLink {
    /// Nothing.
    None,
    /// Its number.
    To(u32),
    /// Something that leads to no page.
    Odd,
}

impl<Item: DeserializeOwned> Page<Item> {
    fn read(body: &[u8], field: &'static str) -> Result<Self, Mismatch> {
        let wire = Fields::of_body(body)?;
        let raw = wire.items(field)?;
        let pages: Option<Fields> = wire.known("links").and_then(|links: Fields| links.known("links.pages"));
        let next = match pages.filter(|pages| pages.has_value("next")) {
            None => NextLink::None,
            Some(pages) => match pages.known("links.pages.next").and_then(|link: String| page_number(&link)) {
                Some(page) => NextLink::To(page),
                None => NextLink::Odd,
            },
        };
        let total = wire.known("meta").and_then(|meta: Fields| meta.known("meta.total"));
        let total = total.and_then(|Whole(total)| usize::try_from(total).ok());
        Ok(Self { items: readable(&raw, field), shown: raw.len(), next, total })
    }

    /// The number of the page after `page`, when `shown` items were seen so far. Of the link only the number counts: it must
    /// lead forward, and it can lead to no other host. Where it does not, the total decides, and else whether the page is full:
    /// a list is read to its end whatever stands around it.
    fn next_page(&self, page: u32, shown: usize) -> Result<Option<u32>, Mismatch> {
        let more = match (&self.next, self.total) {
            _ if self.shown == 0 => return Ok(None),
            (NextLink::To(next), _) if (page + 1..=MOST_PAGES).contains(next) => return Ok(Some(*next)),
            (_, Some(total)) => shown < total,
            (NextLink::To(_) | NextLink::Odd, None) => true,
            (NextLink::None, None) => self.shown >= PER_PAGE,
        };
        match page.saturating_add(1) {
            _ if !more => Ok(None),
            next if next > MOST_PAGES => {
                Err(Mismatch::at("links.pages.next", format!("the list has more than {MOST_PAGES} pages")))
            }
            next => Ok(Some(next)),
        }
    }
}

fn page_number(link: &str) -> Option<u32> {
    let base = Url::parse("https://api.digitalocean.com").ok()?;
    let link = base.join(link).ok()?;
    link.query_pairs().find(|(name, _)| name == "page")?.1.parse().ok()
}

#[cfg(test)]
mod tests;
