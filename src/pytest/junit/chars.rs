//! Text that XML 1.0 can hold.

use std::borrow::Cow;

/// Whether pytest writes this character as it is: the characters of XML 1.0 without DEL.
fn is_kept(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | ' '..='\u{7e}' | '\u{80}'..='\u{fffd}' | '\u{10000}'..)
}

/// Replaces what XML 1.0 cannot hold the way pytest does (`_pytest.junitxml.bin_xml_escape`): ESC becomes the text
/// `#x1B`. Done twice it changes nothing more.
pub fn visible(text: &str) -> Cow<'_, str> {
    if text.chars().all(is_kept) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        match c {
            c if is_kept(c) => out.push(c),
            c => out.push_str(&format!("#x{:02X}", c as u32)),
        }
    }
    Cow::Owned(out)
}

/// [`visible`] text with markup escaped, for an attribute: a reader turns literal white space there into blanks, so
/// line ends and tabs are written as references.
pub fn attribute(text: &str) -> String {
    escaped(&visible(text), |c| matches!(c, '\t' | '\n' | '\r' | '"'))
}

/// [`visible`] text with markup escaped, for the content of an element: a reader turns a literal CR into a line feed.
pub fn content(text: &str) -> String {
    escaped(&visible(text), |c| c == '\r')
}

fn escaped(text: &str, also: impl Fn(char) -> bool) -> String {
    let mut out = String::with_capacity(text.len() + text.len() / 16);
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            c if also(c) => out.push_str(&format!("&#{};", c as u32)),
            c => out.push(c),
        }
    }
    out
}

/// The longest start of `text` of at most `limit` bytes.
pub fn head(text: &str, limit: usize) -> &str {
    &text[..text.floor_char_boundary(limit)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_pytest_writes_it() {
        assert_eq!(visible("a\u{1b}[31m\0\u{7f}\u{fffe}é\t\n"), "a#x1B[31m#x00#x7F#xFFFEé\t\n");
        assert_eq!(attribute("<\"&'\n\t>"), "&lt;&#34;&amp;'&#10;&#9;&gt;");
        assert_eq!(content("]]>\r\n"), "]]&gt;&#13;\n");
        assert_eq!(head("aé", 2), "a");
    }
}
