//! Makes names and texts from outside harmless. They reach Discord only through this module.
//!
//! A foreign text is shown as a code span, in which Discord renders neither markdown nor mentions, or in a footer, which renders nothing at
//! all. Characters that could end the span, break the line or reverse its direction are removed.

pub use crate::text::shorten;
use crate::text::visible;

/// The longest foreign name that is shown. A Droplet's name may have 255 characters, and a title holds 256 in all.
const LONGEST_NAME: usize = 100;
/// The longest foreign sentence that is shown.
const LONGEST_QUOTE: usize = 300;

/// A name from outside, as a code span.
pub fn name(foreign: &str) -> String {
    span(foreign, LONGEST_NAME)
}

/// A sentence from outside, as a code span.
pub fn quote(foreign: &str) -> String {
    span(foreign, LONGEST_QUOTE)
}

/// A word from DigitalOcean, such as `power_off`, as people write it.
pub fn vendors(word: &str) -> String {
    name(&plain(&word.replace('_', " "), 40))
}

/// A text from outside for places that render nothing: one line of at most `longest` UTF-16 units, as Discord counts.
pub fn plain(foreign: &str, longest: usize) -> String {
    let visible = shown(foreign);
    let words: Vec<&str> = visible.split_whitespace().collect();
    shorten(&words.join(" "), longest)
}

/// Whether a text contains invisible characters or line breaks.
pub fn hides_something(text: &str) -> bool {
    shown(text) != text.replace('`', "'")
}

fn span(foreign: &str, longest: usize) -> String {
    let inner = plain(foreign, longest);
    if inner.is_empty() { "`(no name)`".to_owned() } else { format!("`{inner}`") }
}

/// A text that is safe inside a code span, which a backtick would end.
fn shown(foreign: &str) -> String {
    visible(foreign).replace('`', "'")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_backtick_cannot_end_the_span() {
        assert_eq!(name("`@everyone` <@1>"), "`'@everyone' <@1>`");
        assert_eq!(name("a\nb\u{202e}c\u{200b}d\u{2028}e"), "`a bcd e`");
        assert_eq!(name(" \u{200b}\n"), "`(no name)`");
    }

    #[test]
    fn a_long_name_is_cut_between_characters() {
        assert_eq!(plain("😀😀😀", 4), "😀…");
        assert_eq!(plain("🇺🇦🇺🇦🇺🇦", 6), "🇺🇦…");
    }

    #[test]
    fn an_emoji_of_several_parts_is_one_character_and_hides_nothing() {
        for whole in ["👩\u{200d}🚀", "❤\u{fe0f}", "🇺🇦"] {
            assert_eq!(name(whole), format!("`{whole}`"));
            assert!(!hides_something(whole));
        }
        assert!(hides_something("a\u{200d}b") && hides_something("a\u{fe0f}") && hides_something("a\nb"));
        assert!(!hides_something("a`b"));
    }

    fn hostile() -> impl Strategy<Value = String> {
        let piece = prop_oneof![
            any::<String>(),
            Just("`".to_owned()),
            Just("```".to_owned()),
            Just("@everyone".to_owned()),
            Just("<@&1>".to_owned()),
            Just("\u{202e}\r\n".to_owned()),
            Just("[a](http://b)".to_owned()),
            Just("\\".to_owned()),
            "[a-z]{0,400}",
        ];
        proptest::collection::vec(piece, 0..8).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #[test]
        fn nothing_foreign_leaves_its_span(foreign in hostile()) {
            for shown in [name(&foreign), quote(&foreign)] {
                let inner = shown.strip_prefix('`').and_then(|rest| rest.strip_suffix('`'));
                prop_assert!(inner.is_some_and(|inner| !inner.is_empty() && !inner.contains('`')));
                let breaks = |letter: char| letter.is_control() || ('\u{2028}'..='\u{202e}').contains(&letter);
                prop_assert!(!shown.chars().any(breaks));
            }
            prop_assert!(name(&foreign).encode_utf16().count() <= LONGEST_NAME + 2);
            prop_assert!(quote(&foreign).encode_utf16().count() <= LONGEST_QUOTE + 2);
        }
    }
}
