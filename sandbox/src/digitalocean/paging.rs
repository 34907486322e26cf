//! Pages: `page` from 1, `per_page` from 1 to 200 with default 20, `links.pages` and `meta.total`.

use serde_json::{Map, Value, json};

use super::{http_types::Request, refusal::Refusal};

const DEFAULT: usize = 20;
const MOST: usize = 200;

/// Which part of a list was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Page {
    number: usize,
    size: usize,
}

impl Page {
    pub(super) fn of(request: &Request) -> Result<Self, Refusal> {
        let number = |name: &str, default: usize, most: usize| match request.parameter(name).map(str::parse) {
            None => Ok(default),
            Some(Ok(number)) if (1..=most).contains(&number) => Ok(number),
            Some(_) => Err(Refusal::malformed(format!("{name} is not a number from 1 to {most}"))),
        };
        Ok(Self { number: number("page", 1, 1_000_000)?, size: number("per_page", DEFAULT, MOST)? })
    }

    /// The requested part of a list, rendering only that.
    pub(super) fn cut<T, S>(self, items: impl Iterator<Item = T>, render: impl FnMut(T) -> S) -> Vec<S> {
        items.skip((self.number - 1) * self.size).take(self.size).map(render).collect()
    }

    /// The value of `links`, which is empty if everything fits on one page.
    pub(super) fn links(self, origin: &str, request: &Request, total: usize) -> Value {
        let last = total.div_ceil(self.size).max(1);
        if last == 1 && self.number == 1 {
            return json!({});
        }
        let mut pages = Map::new();
        let mut link = |name: &str, number: usize| {
            pages.insert(name.to_owned(), Value::from(self.url(origin, request, number)));
        };
        if self.number > 1 {
            link("first", 1);
            link("prev", (self.number - 1).min(last));
        }
        if self.number < last {
            link("next", self.number + 1);
            link("last", last);
        }
        json!({ "pages": pages })
    }

    fn url(self, origin: &str, request: &Request, number: usize) -> String {
        let kept = request.query.iter().filter(|(name, _)| name != "page" && name != "per_page");
        let query = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(kept)
            .append_pair("page", &number.to_string())
            .append_pair("per_page", &self.size.to_string())
            .finish();
        format!("{origin}{}?{query}", request.path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digitalocean::http_types::Method;

    fn links(query: &str, total: usize) -> Value {
        let request = Request::new(Method::Get, &format!("/v2/droplets?{query}"));
        Page::of(&request).unwrap().links("http://x", &request, total)
    }

    #[test]
    fn one_page_has_no_links() {
        assert_eq!(links("", 20), json!({}));
    }

    #[test]
    fn the_first_page_leads_on_and_keeps_the_filter() {
        let pages = json!({"pages": {
            "next": "http://x/v2/droplets?tag_name=a&page=2&per_page=20",
            "last": "http://x/v2/droplets?tag_name=a&page=3&per_page=20",
        }});
        assert_eq!(links("tag_name=a", 41), pages);
    }

    #[test]
    fn the_last_page_leads_back_only() {
        let last = links("page=3", 41);
        assert!(last["pages"].get("next").is_none());
        assert_eq!(last["pages"]["prev"], "http://x/v2/droplets?page=2&per_page=20");
    }

    #[test]
    fn more_than_200_a_page_is_refused() {
        for query in ["per_page=201", "per_page=0", "page=0", "page=x", "per_page=-1"] {
            let request = Request::new(Method::Get, &format!("/v2/droplets?{query}"));
            assert_eq!(Page::of(&request).unwrap_err().status, 422, "{query}");
        }
    }
}
