//! An immutable list that can be searched by half-typed names: created once per refresh, searched on every keystroke.
//!
//! Kept by [`super::cached_list`]. Names are folded to lower case once, when the list is created. Does no I/O.

use std::{
    cell::RefCell,
    cmp::{Ordering, Reverse},
    collections::HashMap,
};

use memchr::memmem::Finder;
use nucleo_matcher::{
    Config, Matcher, Utf32String,
    pattern::{AtomKind, CaseMatching, Normalization, Pattern},
};

use super::{label, listed::Listed};
use crate::{
    digitalocean::model::{Droplet, Snapshot},
    operation::ids::{DropletId, SnapshotId},
};

/// The maximum length of DigitalOcean's names: the rest of a longer text cannot match anything.
const LONGEST_TEXT: usize = 255;
/// A name less similar than this is no helpful suggestion.
const NEAR: f64 = 0.75;

thread_local! {
    // A matcher owns some 100 KiB of scratch space, so each thread that searches keeps one.
    static MATCHER: RefCell<Matcher> = RefCell::new(Matcher::new(Config::DEFAULT));
}

impl Listed for Droplet {
    type Id = DropletId;

    fn id(&self) -> DropletId {
        self.id
    }

    fn name(&self) -> &str {
        &self.name
    }

    fn is_called(&self, text: &str) -> bool {
        label::calls_droplet(text, self)
    }
}

impl Listed for Snapshot {
    type Id = SnapshotId;

    fn id(&self) -> SnapshotId {
        self.id
    }

    fn name(&self) -> &str {
        &self.name
    }

    fn is_called(&self, text: &str) -> bool {
        label::calls_snapshot(text, self)
    }
}

/// The list, in the order in which it is shown without a text.
pub(super) struct Index<T: Listed> {
    entries: Vec<Entry<T>>,
    by_id: HashMap<T::Id, usize>,
}

struct Entry<T> {
    item: T,
    folded: String,
    haystack: Utf32String,
}

/// How a matching name resembles a text, best first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Likeness {
    Equals,
    Begins,
    Contains,
    HasTheLetters,
}

impl<T> Entry<T> {
    fn likeness(&self, text: &Finder<'_>) -> Likeness {
        match text.find(self.folded.as_bytes()) {
            Some(0) if self.folded.len() == text.needle().len() => Likeness::Equals,
            Some(0) => Likeness::Begins,
            Some(_) => Likeness::Contains,
            None => Likeness::HasTheLetters,
        }
    }
}

/// What a complete text means.
pub(super) enum Meaning<'a, T> {
    /// This item.
    One(&'a T),
    /// Several items, which share the name.
    Several(Vec<&'a T>),
    /// No listed item.
    Nothing,
}

impl<T: Listed> Index<T> {
    /// A list of these items, in this order.
    pub(super) fn new(mut items: Vec<T>, order: impl Fn(&T, &T) -> Ordering) -> Self {
        items.sort_by(order);
        let entry = |item: T| {
            let folded = item.name().to_lowercase();
            Entry { item, haystack: Utf32String::from(folded.as_str()), folded }
        };
        let entries: Vec<_> = items.into_iter().map(entry).collect();
        let by_id = entries.iter().enumerate().map(|(place, entry)| (entry.item.id(), place)).collect();
        Self { entries, by_id }
    }

    /// The item with this id.
    pub(super) fn by_id(&self, id: T::Id) -> Option<&T> {
        self.by_id.get(&id).map(|place| &self.entries[*place].item)
    }

    /// All items, in the list's order.
    pub(super) fn iter(&self) -> impl Iterator<Item = &T> {
        self.entries.iter().map(|entry| &entry.item)
    }

    /// The number of items.
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// The items that match a half-typed text, at most `limit`: by [`Likeness`], then by the matcher's score, then shorter names first,
    /// then in the list's order. Without a text, simply the first ones.
    pub(super) fn search(&self, text: &str, limit: usize, counts: impl Fn(&T) -> bool) -> Vec<&T> {
        let text = fold(text);
        let counting = self.entries.iter().enumerate().filter(|(_, entry)| counts(&entry.item));
        if text.is_empty() {
            return counting.take(limit).map(|(_, entry)| &entry.item).collect();
        }
        let finder = Finder::new(&text);
        let alike = counting.map(|(place, entry)| (entry.likeness(&finder), place));
        let pattern = Pattern::new(&text, CaseMatching::Respect, Normalization::Smart, AtomKind::Fuzzy);
        let mut found: Vec<_> = MATCHER.with_borrow_mut(|matcher| {
            let ranked = promising(alike.collect(), limit).into_iter().filter_map(|(likeness, place)| {
                let entry = &self.entries[place];
                let score = pattern.score(entry.haystack.slice(..), matcher)?;
                Some((likeness, Reverse(score), entry.folded.len(), place))
            });
            ranked.collect()
        });
        if found.len() > limit && limit > 0 {
            found.select_nth_unstable(limit - 1);
        }
        found.truncate(limit);
        found.sort_unstable();
        found.into_iter().map(|(.., place)| &self.entries[place].item).collect()
    }

    /// What a complete text means among the items that count: an id, an exact name, a name in any case, or else the label of a choice,
    /// which some clients submit instead of its value.
    pub(super) fn meaning(&self, text: &str, counts: impl Fn(&T) -> bool) -> Meaning<'_, T> {
        if let Some(item) = text.parse().ok().and_then(|id| self.by_id(id)).filter(|item| counts(item)) {
            return Meaning::One(item);
        }
        let folded = text.to_lowercase();
        let same = self.entries.iter().filter(|entry| entry.folded == folded && counts(&entry.item));
        let same: Vec<_> = same.map(|entry| &entry.item).collect();
        let exact: Vec<_> = same.iter().copied().filter(|item| item.name() == text).collect();
        let mut found = if exact.is_empty() { same } else { exact };
        if found.is_empty() {
            found = self.iter().filter(|item| counts(item) && item.is_called(text)).collect();
        }
        match found.as_slice() {
            [] => Meaning::Nothing,
            [item] => Meaning::One(item),
            _ => Meaning::Several(found),
        }
    }

    /// Names that a person may have meant by a text that matches nothing, best first, without duplicates.
    pub(super) fn nearest(&self, text: &str, limit: usize, counts: impl Fn(&T) -> bool) -> Vec<String> {
        let text = fold(text);
        if text.is_empty() {
            return Vec::new();
        }
        let mut names: Vec<String> = Vec::new();
        let mut suggest = |name: &str| {
            if names.len() < limit && !names.iter().any(|known| known == name) {
                names.push(name.to_owned());
            }
        };
        // First names that contain the letters in their order, as while typing; then names that are similar in spite of a typing error.
        for item in self.search(&text, limit, &counts) {
            suggest(item.name());
        }
        let counting = self.entries.iter().filter(|entry| counts(&entry.item));
        let alike = counting.map(|entry| (strsim::jaro_winkler(&entry.folded, &text), entry));
        let mut alike: Vec<_> = alike.filter(|(likeness, _)| *likeness >= NEAR).collect();
        alike.sort_by(|(a, _), (b, _)| b.total_cmp(a));
        for (_, entry) in alike {
            suggest(entry.item.name());
        }
        names
    }
}

/// The candidates that can be among the best. The matcher is slow, and every name that contains the text matches; so if there are enough of
/// those, it need not examine names that merely have its letters.
fn promising(mut alike: Vec<(Likeness, usize)>, limit: usize) -> Vec<(Likeness, usize)> {
    if alike.len() > limit && limit > 0 {
        let worst = alike.select_nth_unstable(limit - 1).1.0;
        alike.retain(|(likeness, _)| *likeness <= worst);
    }
    alike
}

fn fold(text: &str) -> String {
    crate::text::start(text.trim(), LONGEST_TEXT).to_lowercase()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn index(names: &[&str]) -> Index<Droplet> {
        let droplet = |(id, name): (u64, &&str)| {
            serde_json::from_value(json!({ "id": id, "name": name, "status": "active" })).unwrap()
        };
        Index::new((1..).zip(names).map(droplet).collect(), |_, _| Ordering::Equal)
    }

    fn found(index: &Index<Droplet>, text: &str) -> Vec<String> {
        index.search(text, 25, |_| true).into_iter().map(|droplet| droplet.name.clone()).collect()
    }

    #[test]
    fn an_equal_name_comes_first_then_beginnings_then_likeness() {
        let index = index(&["my-web-1", "web-100", "web-10", "WEB-1", "w-e-b-1", "db"]);
        assert_eq!(found(&index, "web-1"), ["WEB-1", "web-10", "web-100", "my-web-1", "w-e-b-1"]);
    }

    #[test]
    fn the_best_are_kept_when_many_match() {
        let names: Vec<_> = (0..1000).rev().map(|number| format!("web-{number:04}")).collect();
        let index = index(&names.iter().map(String::as_str).collect::<Vec<_>>());
        assert_eq!(found(&index, "web-0042")[0], "web-0042");
        let many = found(&index, "web");
        assert_eq!((many.len(), many[0].as_str()), (25, "web-0999"), "among equals the list's order counts");
        assert!(index.search("web", 0, |_| true).is_empty());
    }

    #[test]
    fn signs_of_a_pattern_language_are_letters_here() {
        assert_eq!(found(&index(&["^a$", "!b", "'c"]), "^a$"), ["^a$"]);
        assert_eq!(found(&index(&["a", "b"]), "!b"), [""; 0]);
    }

    proptest! {
        #[test]
        fn any_text_on_any_names_is_answered(names in prop::collection::vec(".{0,20}", 0..20), text: String) {
            let index = index(&names.iter().map(String::as_str).collect::<Vec<_>>());
            prop_assert!(index.search(&text, 5, |_| true).len() <= 5);
            prop_assert!(index.nearest(&text, 3, |_| true).len() <= 3);
            let _ = index.meaning(&text, |_| true);
        }

        #[test]
        fn the_best_few_are_the_first_of_all(names in prop::collection::vec("[abc-]{1,8}", 0..60), text in "[abc]{1,3}") {
            let index = index(&names.iter().map(String::as_str).collect::<Vec<_>>());
            let search = |limit| index.search(&text, limit, |_| true).into_iter().map(|one| one.id).collect::<Vec<_>>();
            let all = search(names.len() + 1);
            for limit in [1, 5, 25] {
                prop_assert_eq!(search(limit), all.iter().copied().take(limit).collect::<Vec<_>>());
            }
        }

        #[test]
        fn a_whole_name_finds_its_bearer_first(names in prop::collection::hash_set("[a-z0-9.-]{1,12}", 1..60)) {
            let names: Vec<_> = names.iter().map(String::as_str).collect();
            let index = index(&names);
            for name in names {
                prop_assert_eq!(&found(&index, name)[0], name);
            }
        }
    }
}
