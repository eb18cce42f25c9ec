//! Words from elsewhere, made safe to show; numbers and lists as people read them.

use std::borrow::Cow;
use std::fmt::Write as _;

/// Whether a character may not reach a terminal or a page as it is: it would act (control, escape sequences), hide
/// (zero width) or reorder what stands around it (bidirectional marks).
pub fn acts(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{fffe}' | '\u{ffff}' | '\u{e0000}'..='\u{e007f}')
}

/// The text with every character that [`acts`] written as Python would: `\x1b`, `\n`, `\u202e`.
pub fn shown(text: &str) -> Cow<'_, str> {
    if !text.contains(acts) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if acts(c) { escape(c, &mut out) } else { out.push(c) }
    }
    Cow::Owned(out)
}

fn escape(c: char, out: &mut String) {
    let _ = match (c, c as u32) {
        ('\n', _) => write!(out, "\\n"),
        ('\r', _) => write!(out, "\\r"),
        ('\t', _) => write!(out, "\\t"),
        (_, code @ ..=0xff) => write!(out, "\\x{code:02x}"),
        (_, code @ ..=0xffff) => write!(out, "\\u{code:04x}"),
        (_, code) => write!(out, "\\U{code:08x}"),
    };
}

/// One argument for a POSIX shell. Characters that act are written in `$'...'`, so the line can be shown and copied.
pub fn quoted(argument: &str) -> Cow<'_, str> {
    if !argument.contains(acts) {
        // `--option=value` and `NAME=value` need no quotes; shell-words gives them some.
        let plain = |c: char| c.is_ascii_alphanumeric() || "_-.,:/@%+".contains(c);
        return match argument.split_once('=') {
            Some((name, value)) if !name.is_empty() && name.chars().chain(value.chars()).all(plain) => {
                argument.into()
            }
            _ => shell_words::quote(argument),
        };
    }
    let mut out = String::from("$'");
    for c in argument.chars() {
        match c {
            '\'' | '\\' => out.extend(['\\', c]),
            // `\x` takes two digits in bash and would mean a byte, not a character, beyond ASCII.
            c if acts(c) && !c.is_ascii() && (c as u32) <= 0xff => {
                let _ = write!(out, "\\u{:04x}", c as u32);
            }
            c if acts(c) => escape(c, &mut out),
            c => out.push(c),
        }
    }
    out.push('\'');
    Cow::Owned(out)
}

/// A command as one line for a POSIX shell.
pub fn command(argv: &[String]) -> String {
    argv.iter().map(|argument| quoted(argument)).collect::<Vec<_>>().join(" ")
}

/// `1 test`, `2 tests`.
pub fn counted(n: impl Into<u64>, noun: &str) -> String {
    let n = n.into();
    if n == 1 { format!("1 {noun}") } else { format!("{n} {noun}s") }
}

/// A share in whole percent; what is not all is never 100, what is not nothing is never 0.
pub fn percent(share: f64) -> String {
    let rounded = (share * 100.0).round();
    match () {
        () if share > 0.0 && rounded == 0.0 => "<1 %".to_owned(),
        () if share < 1.0 && rounded >= 100.0 => ">99 %".to_owned(),
        () => format!("{rounded:.0} %"),
    }
}

/// Both ends of an interval in whole percent, rounded outwards so that it still covers what it covered.
pub fn percent_interval(interval: [f64; 2]) -> String {
    let [low, high] = interval;
    // Four decimals came in: what lies below them is noise of the multiplication.
    let (low, high) = ((low * 1e4).round() / 100.0, (high * 1e4).round() / 100.0);
    format!("{:.0}-{:.0} %", low.floor(), high.ceil())
}

/// Both ends of an interval in percent, rounded outwards; with a decimal where whole numbers would say little.
pub fn rates(interval: [f64; 2]) -> String {
    let [low, high] = interval;
    if high >= 0.1 {
        return percent_interval(interval);
    }
    let tenths = |share: f64| (share * 1e4).round() / 10.0;
    let (low, high) = (tenths(low).floor() / 10.0, tenths(high).ceil() / 10.0);
    format!("{low}-{high} %")
}

/// A length of time in seconds as people say it, from `0.4 ms` on.
pub fn seconds(seconds: f64) -> String {
    match seconds * 1e3 {
        ms if ms < 10.0 => format!("{ms:.1} ms"),
        ms if ms < 1000.0 => format!("{ms:.0} ms"),
        ms => duration(ms as u64),
    }
}

/// A duration as people say it: `0.4 s`, `8.2 s`, `1m10s`, `2h05m`.
pub fn duration(ms: u64) -> String {
    match ms / 1000 {
        0..=59 => format!("{}.{} s", ms / 1000, ms % 1000 / 100),
        seconds @ 60..=3599 => format!("{}m{:02}s", seconds / 60, seconds % 60),
        seconds => format!("{}h{:02}m", seconds / 3600, seconds % 3600 / 60),
    }
}

/// Lines of at most `width` columns, broken at spaces; a word that is longer keeps a line of its own.
pub fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split(' ').filter(|word| !word.is_empty()) {
        match lines.last_mut() {
            Some(line) if columns(line) + 1 + columns(word) <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

/// Columns a text takes, counted in characters: wide characters only cost alignment.
pub fn columns(text: &str) -> usize {
    text.chars().count()
}

/// The beginning of a text, with what was left out said.
pub fn shortened(text: &str, limit: usize) -> Cow<'_, str> {
    match text.char_indices().nth(limit) {
        None => Cow::Borrowed(text),
        Some((at, _)) => {
            Cow::Owned(format!("{} [{} more characters]", &text[..at], text[at..].chars().count()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_acts_is_shown() {
        assert_eq!(shown("plain ü \\n"), "plain ü \\n");
        assert_eq!(
            shown("a\x1b]8;;http://x\x07b\n\u{9b}\u{202e}\0"),
            "a\\x1b]8;;http://x\\x07b\\n\\x9b\\u202e\\x00"
        );
    }

    #[test]
    fn a_shell_reads_back_what_was_quoted() {
        for raw in
            ["tests/a.py::t[a b]", "it's", "$(id)", "a\nb\x1b[0m'\\x", "-e\u{202e}", "\u{9b}", "x\\ny\n"]
        {
            let script = format!("printf %s {}", quoted(raw));
            #[expect(clippy::disallowed_methods, reason = "a shell is the only judge of shell quoting")]
            let output = std::process::Command::new("bash")
                .env("LC_ALL", "C.UTF-8")
                .args(["-c", &script])
                .output()
                .expect("bash runs");
            assert_eq!(String::from_utf8_lossy(&output.stdout), raw, "{script}");
        }
    }

    #[test]
    fn shares_never_claim_more_than_they_are() {
        assert_eq!(percent(1.0), "100 %");
        assert_eq!(percent(0.999), ">99 %");
        assert_eq!(percent(0.001), "<1 %");
        assert_eq!(percent_interval([0.3181, 0.6068]), "31-61 %");
        assert_eq!(percent_interval([0.07, 0.29]), "7-29 %");
        assert_eq!(rates([0.3181, 0.6068]), "31-61 %");
        assert_eq!(rates([0.0, 0.0362]), "0-3.7 %");
        assert_eq!(rates([0.0025, 0.0545]), "0.2-5.5 %");
    }

    #[test]
    fn durations() {
        let said: Vec<String> = [432, 8_250, 70_000, 7_500_000].map(duration).into();
        assert_eq!(said, ["0.4 s", "8.2 s", "1m10s", "2h05m"]);
        let said: Vec<String> = [0.00042, 0.0253, 8.25, 70.0].map(seconds).into();
        assert_eq!(said, ["0.4 ms", "25 ms", "8.2 s", "1m10s"]);
    }

    #[test]
    fn long_words_stay_whole() {
        assert_eq!(wrapped("aa bb cccccccc d", 5), ["aa bb", "cccccccc", "d"]);
    }
}
