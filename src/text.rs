//! Text from outside: removes hidden characters, and cuts it between whole characters as people see them.
//!
//! Any module may import this one, which imports none. Discord counts as JavaScript does, in UTF-16 units.

use icu_properties::{
    CodePointSetData,
    props::{BidiControl, DefaultIgnorableCodePoint, ExtendedPictographic},
};
use unicode_segmentation::UnicodeSegmentation as _;

/// A text as it may be displayed: without invisible characters, without characters that change the direction of the text around them, and
/// with line breaks replaced by spaces. Invisible characters that join the parts of an emoji, or color it, are kept.
pub fn visible(foreign: &str) -> String {
    // Nearly every name is of this kind, and 25 of them are shown on every keystroke.
    if foreign.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic()) {
        return foreign.to_owned();
    }
    let pictographs = CodePointSetData::new::<ExtendedPictographic>();
    let mut text = String::with_capacity(foreign.len());
    for character in characters(foreign) {
        let is_emoji = character.chars().next().is_some_and(|first| pictographs.contains(first));
        let joins = |letter: char| is_emoji && matches!(letter, '\u{200d}' | '\u{fe0f}');
        text.extend(character.chars().filter_map(|letter| if joins(letter) { Some(letter) } else { shown(letter) }));
    }
    text
}

/// A text as one line that may be displayed: words separated by single spaces.
pub fn one_line(foreign: &str) -> String {
    let visible = visible(foreign);
    visible.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A character as it may be displayed; `None` if it is invisible or changes the text around it.
fn shown(letter: char) -> Option<char> {
    let is_hidden = CodePointSetData::new::<DefaultIgnorableCodePoint>().contains(letter)
        || CodePointSetData::new::<BidiControl>().contains(letter)
        // Interlinear annotations hide what they annotate.
        || matches!(letter, '\u{fff9}'..='\u{fffb}');
    // Line and paragraph separators break lines without being control characters.
    let breaks = letter.is_control() || matches!(letter, '\u{2028}' | '\u{2029}');
    match (is_hidden, breaks) {
        (true, _) => None,
        (false, true) => Some(' '),
        (false, false) => Some(letter),
    }
}

/// The length of a text as Discord counts it.
pub fn length(text: &str) -> usize {
    text.encode_utf16().count()
}

/// At most `longest` UTF-16 units of a text, with `…` in place of the rest.
pub fn shorten(text: &str, longest: usize) -> String {
    if length(text) <= longest {
        return text.to_owned();
    }
    let kept = beginning(text, longest.saturating_sub(1), length);
    // Text that was truncated before already ends in this mark.
    format!("{}…", kept.trim_end_matches(|letter: char| letter == '…' || letter.is_whitespace()))
}

/// At most `longest` code points of a text.
pub fn start(text: &str, longest: usize) -> &str {
    beginning(text, longest, |grapheme| grapheme.chars().count())
}

/// The visible characters of a text in order, each with all its code points.
pub fn characters(text: &str) -> impl Iterator<Item = &str> {
    text.graphemes(true)
}

/// As many whole characters as fit. A single character that is too long is omitted.
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

    #[test]
    fn what_hides_or_turns_text_is_taken_out_and_an_emoji_stays_whole() {
        assert_eq!(visible("a\u{202e}b\u{200b}c\u{2028}d\te\u{ad}\u{e0041}"), "abc d e");
        for whole in ["👩\u{200d}🚀", "❤\u{fe0f}", "🇺🇦", "1 ﷼ ﷽"] {
            assert_eq!(visible(whole), whole);
        }
        assert_eq!(visible("a\u{200d}b\u{fe0f}"), "ab");
        assert_eq!(one_line(" a\n\tb\u{0}\u{1b}[31m  c "), "a b [31m c");
    }

    proptest! {
        #[test]
        fn nothing_that_is_shown_breaks_a_line_or_turns_it(text: String) {
            let shown = visible(&text);
            let breaks = |letter: char| letter.is_control() || ('\u{2028}'..='\u{202e}').contains(&letter);
            prop_assert!(!shown.chars().any(breaks));
            prop_assert_eq!(visible(&shown), shown.clone());
        }

        #[test]
        fn cutting_never_lengthens(text: String, longest in 1_usize..50) {
            prop_assert!(length(&shorten(&text, longest)) <= longest);
            prop_assert!(start(&text, longest).chars().count() <= longest);
        }
    }
}
