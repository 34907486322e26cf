//! One call to DigitalOcean as data: what to send, how its answers are read, and whether another page is needed.
//!
//! Created by [`super::queries`] and [`super::mutations`]; performed by [`super::client::Client`], or by anything that can turn a request
//! into an answer. Does no I/O and reads no clock.

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

/// How many items DigitalOcean puts on one page at most.
pub(super) const PER_PAGE: usize = 200;
/// More pages than any plausible list has: 50,000 items.
const MOST_PAGES: u32 = 250;

/// One call, with the progress of reading its answers.
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

/// The result of one answer.
#[derive(Debug)]
pub enum Progress<T> {
    /// Send another request: [`Call::request`] is now the next page's.
    More,
    /// The complete result.
    Done(T),
}

enum Turn<T> {
    Page(u32),
    Done(T),
}

impl<T: 'static> Call<T> {
    /// A call with a single answer, whose JSON object `finish` turns into the result.
    pub(super) fn single(
        method: Method,
        path: String,
        finish: impl Fn(&Fields) -> Result<T, Mismatch> + Send + 'static,
    ) -> Self {
        Self::new(method, path, Box::new(move |answer| finish(&Fields::of_body(&answer.body)?).map(Turn::Done)))
    }

    /// A call whose answer has no body worth reading. An HTML page is not an answer by DigitalOcean, though: something in between sent it.
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

    /// Sets the scopes that a token needs for this call, which are named if one is missing.
    pub(super) fn scopes(mut self, scopes: &'static [&'static str]) -> Self {
        self.scopes = scopes;
        self
    }

    /// The same call with its result mapped.
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

    /// This call with another priority in the request budget.
    #[must_use]
    pub fn with_priority(mut self, priority: Priority) -> Self {
        self.priority = priority;
        self
    }
}

impl<Item: DeserializeOwned + Send + 'static> Call<Vec<Item>> {
    /// A call that reads the list `field` to its last page. An item that appears on two pages (because the list grew in between) counts
    /// once, and one that cannot be read is skipped.
    pub(super) fn paged<Id: Eq + Hash + Send + 'static>(
        path: String,
        field: &'static str,
        id: fn(&Item) -> Id,
    ) -> Self {
        Self::pages(path, field, id, |_| false, Unreadable::IsSkipped)
    }

    /// Like [`Call::paged`], for a list that must not appear empty merely because it cannot be read: a page on which no item can be read is
    /// an error, and so is an empty list for which DigitalOcean states a total.
    pub(super) fn paged_in_earnest<Id: Eq + Hash + Send + 'static>(
        path: String,
        field: &'static str,
        id: fn(&Item) -> Id,
    ) -> Self {
        Self::pages(path, field, id, |_| false, Unreadable::MustNotBeAll)
    }

    /// Like [`Call::paged`], for a list that proves that something does not exist: one item that cannot be read, or fewer items than the
    /// total that DigitalOcean states, makes the whole list unreadable.
    ///
    /// A list of several pages is read to its end and back to its beginning. When an item goes away, all that follow move forward, one of
    /// them from the page that is read next to the one that was read before. On the way back it cannot be missed.
    pub(super) fn paged_whole<Id: Eq + Hash + Send + 'static>(
        path: String,
        field: &'static str,
        id: fn(&Item) -> Id,
    ) -> Self {
        Self::pages(path, field, id, |_| false, Unreadable::SpoilsTheList)
    }

    /// Like [`Call::paged`], but stops after the first page for which `is_enough` returns true. Pages with an item
    /// that cannot be read are never passed to it.
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
        let (mut page, mut goes_back) = (1, false);
        let read = move |answer: &HttpAnswer| {
            let wire: Page<Item> = Page::read(&answer.body, field)?;
            let shown_by_now = shown + wire.shown;
            let next = if goes_back { None } else { wire.next_page(page, shown_by_now)? };
            let lacks_some = next.is_none() && !goes_back && wire.total.is_some_and(|total| shown_by_now < total);
            let is_spoilt = match unreadable {
                Unreadable::IsSkipped => false,
                Unreadable::MustNotBeAll => {
                    wire.items.is_empty() && (wire.shown > 0 || (shown_by_now == 0 && lacks_some))
                }
                Unreadable::SpoilsTheList => wire.items.len() < wire.shown || lacks_some,
            };
            if is_spoilt {
                return Err(Mismatch::at(field, "what is looked for may be what cannot be read".to_owned()));
            }
            shown = shown_by_now;
            let next = next.filter(|_| wire.items.len() < wire.shown || !is_enough(&wire.items));
            items.extend(wire.items.into_iter().filter(|item| seen.insert(id(item))));
            let back = (page > 1 && next.is_none() && unreadable == Unreadable::SpoilsTheList).then(|| page - 1);
            goes_back |= back.is_some();
            Ok(match next.or(back) {
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

/// What an unreadable item means for its list.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Unreadable {
    IsSkipped,
    MustNotBeAll,
    SpoilsTheList,
}

/// One page of a list, and whether more follow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OnePage<Item> {
    /// The items that can be read.
    pub items: Vec<Item>,
    /// Whether it is the last page.
    pub is_last: bool,
    /// The number of the last page, if DigitalOcean states the length of the list.
    pub last: Option<u32>,
}

impl<Item: DeserializeOwned + Send + 'static> Call<OnePage<Item>> {
    /// A call that reads only page number `page` of the list `field`.
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
    /// Its priority in the request budget.
    pub fn priority(&self) -> Priority {
        self.priority
    }

    /// Its HTTP method: only a GET may be repeated without looking.
    pub fn method(&self) -> Method {
        self.method
    }

    /// The request to send now.
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

    /// Processes the answer to [`Call::request`]. An error leaves the call unchanged, so that a read can be repeated.
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

    /// Performs the whole call against a synchronous world, so that a simulation uses the very same encoding and reading.
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
    /// How many items it has, including those that cannot be read.
    shown: usize,
    next: NextLink,
    total: Option<usize>,
}

/// What a page says about the one after it.
enum NextLink {
    /// Nothing.
    None,
    /// Its number.
    To(u32),
    /// A link that leads to no page.
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

    /// The number of the page after `page`, when `shown` items were seen so far. Only the number in the link counts: it must lead
    /// forward, and it cannot lead to another host. If the link is unusable, the total decides, or else whether the page is full, so
    /// that a list is read to its end in any case.
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
