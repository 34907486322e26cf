//! The last line of a message, which identifies its subject. The bot finds the message again by it, whatever its text.
//!
//! The reporter adds it to everything except progress, whose footer ends with the same text. Each kind of report has its own line.

use super::{lengths, message::Message, text::shorten};
use crate::operation::{ids::OperationId, report::ReportKind};

/// The line, or the end of the footer.
pub fn marker(kind: ReportKind, operation: OperationId) -> String {
    match kind {
        ReportKind::Progress => format!("operation {operation}"),
        ReportKind::Answer => format!("-# operation {operation}"),
        ReportKind::Notify => format!("-# operation {operation} · outcome"),
        ReportKind::Stuck => format!("-# operation {operation} · power"),
        ReportKind::Repaired => format!("-# operation {operation} · late shutdown"),
        ReportKind::Question => format!("-# operation {operation} · question"),
        ReportKind::Direct => format!("-# operation {operation} · direct"),
        ReportKind::Warning => format!("-# operation {operation} · warning"),
    }
}

/// Adds the last line to a message.
pub fn signed(message: Message, kind: ReportKind, operation: OperationId) -> Message {
    match kind {
        ReportKind::Progress => message,
        ReportKind::Answer
        | ReportKind::Notify
        | ReportKind::Stuck
        | ReportKind::Repaired
        | ReportKind::Question
        | ReportKind::Direct
        | ReportKind::Warning => {
            let line = marker(kind, operation);
            let content = shorten(&message.content, lengths::CONTENT - line.encode_utf16().count() - 1);
            Message { content: format!("{content}\n{line}"), ..message }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::discord::messages::{examples, progress::progress};

    #[test]
    fn each_kind_of_report_has_a_line_of_its_own() {
        let id = OperationId::from_random(7);
        let lines: std::collections::BTreeSet<String> = ReportKind::all().map(|kind| marker(kind, id)).collect();
        assert_eq!(lines.len(), ReportKind::all().len());
    }

    #[test]
    fn the_longest_message_keeps_its_line_and_no_other_is_shortened() {
        let id = OperationId::from_random(7);
        for length in [10, lengths::CONTENT, lengths::CONTENT * 2] {
            let message = signed(Message::text("ä".repeat(length)), ReportKind::Repaired, id);
            assert_eq!(message.content.lines().last(), Some(marker(ReportKind::Repaired, id).as_str()));
            assert!(message.content.encode_utf16().count() <= lengths::CONTENT);
            assert_eq!(message.content.contains('…'), length > 10);
        }
    }

    #[test]
    fn the_footer_of_progress_ends_with_it() {
        let operation = examples::waiting();
        let message = progress(&operation, &examples::wording(), examples::NOW);
        let footer = message.embeds.into_iter().next().expect("an embed").footer;
        assert!(footer.ends_with(&marker(ReportKind::Progress, operation.id)), "{footer}");
    }
}
