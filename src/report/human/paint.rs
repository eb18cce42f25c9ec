//! Colours, where they are wanted. What they mark is always said in words too.

use anstyle::{AnsiColor, Style};

use crate::core::verdict::Class;

/// Paints, or does not.
#[derive(Clone, Copy, Debug)]
pub(super) struct Paint(pub(super) bool);

impl Paint {
    pub(super) fn strong(self, text: &str) -> String {
        self.with(Style::new().bold(), text)
    }

    pub(super) fn faint(self, text: &str) -> String {
        self.with(Style::new().dimmed(), text)
    }

    pub(super) fn id(self, text: &str) -> String {
        self.with(AnsiColor::Cyan.on_default(), text)
    }

    pub(super) fn class(self, class: Class, text: &str) -> String {
        let color = match class {
            Class::Broken | Class::Undecided | Class::Interference => AnsiColor::Yellow,
            _ => AnsiColor::Red,
        };
        self.with(color.on_default().bold(), text)
    }

    pub(super) fn good(self, text: &str) -> String {
        self.with(AnsiColor::Green.on_default().bold(), text)
    }

    fn with(self, style: Style, text: &str) -> String {
        if self.0 { format!("{style}{text}{style:#}") } else { text.to_owned() }
    }
}
