//! Same failure or another one? A digest that forgets what differs from run to run.

/// What stands for a number, an address, a random name or a time.
const NUMBER: &str = "N";
/// What stands for a path below a temporary directory.
const TEMP: &str = "TMP";
/// What stands for the name of a day or a month.
const DAY: &str = "DAY";
/// The longest line that [`shorten`] gives back, in characters.
const SHORT: usize = 200;

/// Directories whose content has another name in every run.
const TEMP_ROOTS: [&str; 6] =
    ["/private/var/folders/", "/var/folders/", "/private/tmp/", "/var/tmp/", "/tmp/", "/dev/shm/"];
/// The same, where they stand in the middle of a path.
const TEMP_PARTS: [&str; 4] =
    ["/.flakehunt/sessions/", "/pytest-of-", "\\AppData\\Local\\Temp\\", "\\pytest-of-"];
/// The words of `time.ctime()` and of dates in mail and HTTP.
const DAYS: [&str; 19] = [
    "Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun", "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug",
    "Sep", "Oct", "Nov", "Dec",
];

/// 16 hexadecimal digits (blake3) that are equal where `kind` (the exception's type), `place` (`file:line`) and the
/// [`masked`] message are equal.
pub fn fingerprint(kind: &str, place: &str, message: &str) -> String {
    let mut hasher = blake3::Hasher::new();
    for part in [kind, place, &masked(message)] {
        // The length keeps ("ab", "c") and ("a", "bc") apart.
        hasher.update(&(part.len() as u64).to_le_bytes());
        hasher.update(part.as_bytes());
    }
    hasher.finalize().to_hex()[..16].to_string()
}

/// The message without what differs from run to run: numbers, addresses, UUIDs and other hexadecimal names, dates,
/// times and temporary paths are replaced by placeholders.
pub fn masked(message: &str) -> String {
    let mut out = String::with_capacity(message.len());
    let mut rest = message;
    while let Some(first) = rest.chars().next() {
        let in_path = out.chars().next_back().is_some_and(is_path);
        let (mask, length) = if !in_path && is_path(first) && temp_path(rest) {
            (TEMP, rest.find(|c| !is_path(c)).unwrap_or(rest.len()))
        } else if !first.is_ascii_alphanumeric() {
            out.push(first);
            rest = &rest[first.len_utf8()..];
            continue;
        } else if let Some(length) = uuid(rest) {
            (NUMBER, length)
        } else {
            let length = rest.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(rest.len());
            let word = &rest[..length];
            if let Some(length) = temp_name(rest) {
                (TEMP, length)
            } else if DAYS.contains(&word) {
                (DAY, length)
            } else if number(rest) >= length || hexadecimal(word) {
                // `12345678.5` is both a number and, up to the point, a hexadecimal word: the longer one counts.
                (NUMBER, number(rest).max(length))
            } else if first.is_ascii_digit() {
                (NUMBER, number(rest))
            } else {
                // A word up to its first digit: `worker12` becomes `workerN`.
                let letters = word.find(|c: char| c.is_ascii_digit()).unwrap_or(length);
                (&rest[..letters], letters)
            }
        };
        out.push_str(mask);
        rest = &rest[length..];
    }
    out
}

/// The first line that is not blank, of at most 200 characters, with control and direction characters shown as escapes.
pub fn shorten(message: &str) -> String {
    let line = message.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
    let mut out = String::new();
    let mut length = 0;
    for c in line.chars() {
        let shown = if is_unseen(c) { escape(c) } else { c.to_string() };
        length += shown.chars().count();
        if length > SHORT {
            // Cut to leave room for the mark, whatever the last escape was.
            let keep = out.char_indices().nth(SHORT - 1).map_or(out.len(), |(at, _)| at);
            out.truncate(keep);
            out.push('…');
            break;
        }
        out.push_str(&shown);
    }
    out
}

/// Characters that move the cursor, change direction, or cannot be seen at all.
fn is_unseen(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

/// The escape Python would show.
fn escape(c: char) -> String {
    match c {
        '\t' => "\\t".to_owned(),
        '\n' => "\\n".to_owned(),
        '\r' => "\\r".to_owned(),
        c if (c as u32) < 0x100 => format!("\\x{:02x}", c as u32),
        c => format!("\\u{:04x}", c as u32),
    }
}

/// What a path in a message is made of; quotes, brackets, commas and spaces end it.
fn is_path(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '/' | '\\' | '.' | '_' | '-' | '~' | '+' | '@' | '%') || c == ':'
}

/// Whether the path at the start of `text` lies in a temporary directory.
fn temp_path(text: &str) -> bool {
    let path = &text[..text.find(|c| !is_path(c)).unwrap_or(text.len())];
    TEMP_ROOTS.iter().any(|root| path.starts_with(root)) || TEMP_PARTS.iter().any(|part| path.contains(part))
}

/// The length of a name as Python's `tempfile` makes them: `tmp` and eight characters.
fn temp_name(text: &str) -> Option<usize> {
    let length = text.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(text.len());
    let random = text[..length].strip_prefix("tmp")?;
    let made = random.len() == 8 && random.bytes().all(|b| !b.is_ascii_uppercase());
    made.then_some(length)
}

/// The length of a UUID at the start of `text`.
fn uuid(text: &str) -> Option<usize> {
    let bytes = text.as_bytes().get(..36)?;
    let fits = bytes.iter().enumerate().all(|(at, byte)| match at {
        8 | 13 | 18 | 23 => *byte == b'-',
        _ => byte.is_ascii_hexdigit(),
    });
    fits.then_some(36)
}

/// `0x7f...`, or a word of at least eight hexadecimal digits: digests, random names.
fn hexadecimal(word: &str) -> bool {
    let digits = word.strip_prefix("0x").or_else(|| word.strip_prefix("0X"));
    match digits {
        Some(digits) => !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_hexdigit()),
        None => word.len() >= 8 && word.bytes().all(|b| b.is_ascii_hexdigit()),
    }
}

/// The length of a decimal number at the start of `text`, with fraction and exponent.
fn number(text: &str) -> usize {
    let bytes = text.as_bytes();
    let digits = |from: usize| bytes[from..].iter().take_while(|b| b.is_ascii_digit()).count();
    let mut end = digits(0);
    if bytes.get(end) == Some(&b'.') && digits(end + 1) > 0 {
        end += 1 + digits(end + 1);
    }
    if matches!(bytes.get(end), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(bytes.get(end + 1), Some(b'+' | b'-')));
        let exponent = bytes.get(end + 1 + sign).map_or(0, |_| digits(end + 1 + sign));
        if exponent > 0 {
            end += 1 + sign + exponent;
        }
    }
    end
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_differs_between_runs_is_masked() {
        for (message, expected) in [
            ("<Client object at 0x7f8b8c0d5e50> is closed", "<Client object at N> is closed"),
            ("assert 12 == 7.5e-06", "assert N == N"),
            ("no such file: '/tmp/pytest-of-ann/pytest-3/test_x0/data.json'", "no such file: 'TMP'"),
            ("key 3f2504e0-4f89-11d3-9a0c-0305e82c3301 is unknown", "key N is unknown"),
            ("at 2026-11-23T02:48:11.123456+00:00", "at N-N-NTN:N:N+N:N"),
            ("at Mon Nov 23 02:48:11 2026", "at DAY DAY N N:N:N N"),
            ("worker12 lost", "workerN lost"),
            ("table tmpa_1k9x2c exists", "table TMP exists"),
            ("commit 9fceb02d0ae598e9 not found", "commit N not found"),
            (r"C:\Users\ann\AppData\Local\Temp\x1\y is locked", "TMP is locked"),
            ("/srv/app/.flakehunt/sessions/3kq7/runs/000017/tmp/x gone", "TMP gone"),
            ("the tempo of decade and facade", "the tempo of decade and facade"),
            ("1.e", "N.e"),
            ("took 747945406.3020515 s, 12345678e-05, 1e5abcde9", "took N s, N, N"),
            ("5e", "Ne"),
        ] {
            assert_eq!(masked(message), expected, "{message}");
        }
    }

    #[test]
    fn type_place_and_words_count() {
        let base = fingerprint("ValueError", "tests/test_a.py:3", "bad value 1");
        assert_eq!(base.len(), 16);
        assert_eq!(base, fingerprint("ValueError", "tests/test_a.py:3", "bad value 22"));
        assert_ne!(base, fingerprint("KeyError", "tests/test_a.py:3", "bad value 1"));
        assert_ne!(base, fingerprint("ValueError", "tests/test_a.py:4", "bad value 1"));
        assert_ne!(base, fingerprint("ValueError", "tests/test_a.py:3", "bad key 1"));
    }

    #[test]
    fn a_long_line_is_cut_and_controls_are_shown() {
        assert_eq!(shorten("\n  one\ttwo\nthree"), "one\\ttwo");
        assert_eq!(shorten("\u{1b}[31mred\u{9b}\u{202e}"), "\\x1b[31mred\\x9b\\u202e");
        assert_eq!(shorten(""), "");
        let long = shorten(&"é".repeat(500));
        assert_eq!(long.chars().count(), 200);
        assert!(long.ends_with('…'));
    }

    /// What one run may say, and what another run may say in its place.
    fn varying() -> impl Strategy<Value = String> {
        prop_oneof![
            any::<u64>().prop_map(|number| number.to_string()),
            (0.0..1e9_f64).prop_map(|number| format!("{number:?}")),
            any::<u64>().prop_map(|address| format!("{address:#x}")),
            any::<u128>().prop_map(|digest| format!("{digest:032x}")),
            (any::<u32>(), any::<u16>(), any::<u64>())
                .prop_map(|(a, b, c)| format!("{a:08x}-{b:04x}-{b:04x}-{b:04x}-{:012x}", c >> 16)),
        ]
    }

    fn temporary() -> impl Strategy<Value = String> {
        prop_oneof![
            "/tmp/[a-z0-9_]{1,12}(/[a-z0-9.-]{1,9}){0,3}",
            "/var/folders/[a-z0-9]{2}/T/[a-z0-9_]{4}",
            "/home/[a-z]{3}/x/pytest-of-[a-z]{2}/pytest-[0-9]{1,3}/test_[a-z]{1,9}0",
            "tmp[a-z0-9_]{8}",
        ]
    }

    fn time() -> impl Strategy<Value = String> {
        (0..24u8, 0..60u8, 0..60u8, 1..1_000_000u32)
            .prop_map(|(h, m, s, f)| format!("{h:02}:{m:02}:{s:02}.{f:06}"))
    }

    proptest! {
        #[test]
        fn the_same_failure_in_another_run_has_the_same_fingerprint(
            words in proptest::collection::vec("[a-z<>'(]{1,9}", 4),
            (a1, b1, c1) in (varying(), temporary(), time()),
            (a2, b2, c2) in (varying(), temporary(), time()),
        ) {
            let message = |a: &str, b: &str, c: &str| {
                format!("{} {a} {} '{b}' {} {c} {}", words[0], words[1], words[2], words[3])
            };
            let (one, other) = (message(&a1, &b1, &c1), message(&a2, &b2, &c2));
            prop_assert_eq!(masked(&one), masked(&other));
            prop_assert_eq!(fingerprint("E", "f:1", &one), fingerprint("E", "f:1", &other));
            prop_assert_ne!(fingerprint("E", "f:1", &one), fingerprint("F", "f:1", &one));
        }

        #[test]
        fn any_text_is_masked_and_shortened(text in "\\PC*|[\\x00-\\xff]*|(\\S|0x|tmp|/tmp/|-){0,40}") {
            masked(&text);
            let short = shorten(&text);
            prop_assert!(short.chars().count() <= 200);
            prop_assert!(!short.chars().any(char::is_control));
        }
    }
}
