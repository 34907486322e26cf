//! Cutting texts: whole characters as people see them, never a part of one.
//!
//! Any room may ask here, and this one asks none. Discord counts as JavaScript does, in UTF-16 units.

use unicode_segmentation::UnicodeSegmentation as _;

/// How long Discord finds a text.
pub fn length(text: &str) -> usize {
    text.encode_utf16().count()
}

/// At most `longest` UTF-16 units of a text, with `…` in place of what is cut off.
pub fn shorten(text: &str, longest: usize) -> String {
    if length(text) <= longest {
        return text.to_owned();
    }
    let kept = beginning(text, longest.saturating_sub(1), length);
    // What was cut before ends in such a mark already.
    format!("{}…", kept.trim_end_matches(|letter: char| letter == '…' || letter.is_whitespace()))
}

/// At most `longest` code points of a text.
pub fn start(text: &str, longest: usize) -> &str {
    beginning(text, longest, |grapheme| grapheme.chars().count())
}

/// The visible characters of a text in order, each with everything that it is made of.
pub fn characters(text: &str) -> impl Iterator<Item = &str> {
    text.graphemes(true)
}

/// As many whole characters as there is room for. One alone that is longer than the room is left out.
fn beginning(text: &str, room: usize, measure: impl Fn(&str) -> usize) -> &str {
    let mut left = room;
    for (at, grapheme) in text.grapheme_indices(true) {
        match left.checked_sub(measure(grapheme)) {
            Some(rest) => left = rest,
            None => return text.get(..at).unwrap_or_default(),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn no_character_is_cut_in_two() {
        // A flag of two letters, a letter with two marks, an astronaut of three parts.
        for whole in ["🇺🇦", "o\u{323}\u{302}", "👩\u{200d}🚀"] {
            let text = whole.repeat(5);
            for longest in 1..=length(&text) {
                let shown = shorten(&text, longest);
                let kept = shown.trim_end_matches('…');
                assert!(kept.is_empty() || kept == whole.repeat(kept.len() / whole.len()), "{shown:?}");
                assert!(start(&text, longest).len().is_multiple_of(whole.len()), "{longest}");
            }
        }
        assert_eq!((shorten("ääää", 3), shorten("abc", 3)), ("ää…".to_owned(), "abc".to_owned()));
        assert_eq!((start("ääää", 3), start("abc", 3)), ("äää", "abc"));
    }

    proptest! {
        #[test]
        fn cutting_never_lengthens(text: String, longest in 1_usize..50) {
            prop_assert!(length(&shorten(&text, longest)) <= longest);
            prop_assert!(start(&text, longest).chars().count() <= longest);
        }
    }
}
