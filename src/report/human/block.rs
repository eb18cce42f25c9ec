//! One finding: its head, and rows with their labels and details in columns.

use std::io::{self, Write};

use super::COLUMN;
use super::paint::Paint;
use crate::core::verdict::Class;
use crate::report::Look;
use crate::report::model::Test;
use crate::report::text::{columns, quoted, shortened, shown, wrapped};
use crate::report::words::{self, Finding, Row, Value};

/// Lists are longer only where all was asked for.
const LIST: usize = 12;
/// Long texts are longer only where all was asked for.
const TEXT: usize = 24;
/// Messages are longer only where all was asked for.
const MESSAGE: usize = 300;

/// One line to be: a text that is never broken, and what is said of it.
struct Entry {
    text: String,
    detail: String,
    id: bool,
}

/// Writes a finding.
pub(super) fn finding(out: &mut dyn Write, finding: &Finding<'_>, look: Look) -> io::Result<()> {
    let rows = words::rows(finding);
    let labels = rows.iter().map(|row| row.label.len()).max().unwrap_or(0).max(11);
    let indent = 2 + labels + 2;
    let entries: Vec<(&Row, Vec<Entry>)> = rows.iter().map(|row| (row, entries(row, look, indent))).collect();
    let class = finding.class();
    let word = words::word(finding.first());
    let start = COLUMN.max(word.len() + 2);
    let test = finding.first();
    let head = match finding {
        Finding::One(..) => Entry { text: name(test), detail: finding.rate(), id: true },
        Finding::Many(..) => {
            let text = words::heading(finding, look.width.saturating_sub(start));
            Entry { text, detail: String::new(), id: false }
        }
    };
    // Details stand in one column, right of every text that leaves them room.
    let fits = |at: usize, entry: &Entry| {
        let end = at + columns(&entry.text);
        (entry.id && !entry.detail.is_empty() && end + 3 + columns(&entry.detail) <= look.width)
            .then_some(end + 3)
    };
    let inner =
        entries.iter().flat_map(|(_, entries)| entries.iter().filter_map(|entry| fits(indent, entry)));
    let longest = entries.iter().flat_map(|(_, entries)| entries).chain([&head]);
    let longest = longest.filter(|entry| entry.id).map(|entry| columns(&entry.detail)).max().unwrap_or(0);
    let column = inner.chain(fits(start, &head)).max().unwrap_or(0).min(look.width.saturating_sub(longest));
    let paint = Paint(look.color);
    let page = Page { look, column };
    page.entry(out, word, |word| paint.class(class, word), start, &head)?;
    let flaky = !test.attempts.is_empty() && class == Class::NonDeterministic;
    if flaky || matches!(class, Class::Interference | Class::Ndod) {
        for line in wrapped(words::meaning(class), look.width.saturating_sub(start)) {
            writeln!(out, "{:start$}{line}", "")?;
        }
    }
    for (row, entries) in &entries {
        for (at, one) in entries.iter().enumerate() {
            let lead = if at == 0 { format!("  {}", row.label) } else { String::new() };
            page.entry(out, &lead, |lead| paint.faint(lead), indent, one)?;
        }
    }
    Ok(())
}

/// Where details stand.
struct Page {
    look: Look,
    column: usize,
}

/// Writes ids, one a line.
pub(super) fn ids(out: &mut dyn Write, tests: &[&Test], look: Look) -> io::Result<()> {
    let limit = if look.all { usize::MAX } else { LIST };
    for test in tests.iter().take(limit) {
        writeln!(out, "  {}", Paint(look.color).id(&name(test)))?;
    }
    if tests.len() > limit {
        writeln!(out, "  and {} more", tests.len() - limit)?;
    }
    Ok(())
}

/// Writes ids with what is said of each, behind it where there is room.
pub(super) fn said_of<'a>(
    out: &mut dyn Write,
    each: impl ExactSizeIterator<Item = (&'a str, String)>,
    look: Look,
) -> io::Result<()> {
    let limit = if look.all { usize::MAX } else { LIST };
    let more = each.len().saturating_sub(limit);
    let each: Vec<(String, String)> =
        each.take(limit).map(|(id, said)| (shown(id).into_owned(), said)).collect();
    let longest = each.iter().map(|(_, said)| columns(said)).max().unwrap_or(0);
    let room = look.width.saturating_sub(longest + 5);
    let column = each.iter().map(|(id, _)| columns(id)).filter(|id| *id <= room).max().unwrap_or(0);
    for (id, said) in &each {
        let id_painted = Paint(look.color).id(id);
        match column.checked_sub(columns(id)) {
            Some(gap) => writeln!(out, "  {id_painted}{:gap$}   {said}", "")?,
            None => writeln!(out, "  {id_painted}\n    {said}")?,
        }
    }
    if more > 0 {
        writeln!(out, "  and {more} more")?;
    }
    Ok(())
}

fn name(test: &Test) -> String {
    let id = shown(&test.id);
    if test.occurrence == 0 { id.into_owned() } else { format!("{id} (occurrence {})", test.occurrence + 1) }
}

impl Page {
    /// Writes one entry behind its lead: the detail in its column, or below where the line is full.
    fn entry(
        &self,
        out: &mut dyn Write,
        lead: &str,
        painted: impl Fn(&str) -> String,
        indent: usize,
        entry: &Entry,
    ) -> io::Result<()> {
        let width = self.look.width;
        let text = if entry.id { Paint(self.look.color).id(&entry.text) } else { entry.text.clone() };
        let long = columns(&entry.text);
        let mut at = indent + long;
        if at > width && entry.id {
            // Too long to stand behind a label: whole, on a line of its own.
            if !lead.is_empty() {
                writeln!(out, "{}", painted(lead))?;
            }
            write!(out, "    {text}")?;
            at = 4 + long;
        } else {
            let gap = indent - lead.len();
            let lead = if lead.is_empty() { String::new() } else { painted(lead) };
            let gap = if text.is_empty() && lead.is_empty() { 0 } else { gap };
            write!(out, "{lead}{:gap$}{text}", "")?;
        }
        if entry.detail.is_empty() {
            return writeln!(out);
        }
        let start = if entry.id { self.column.max(at + 3) } else { at + 3 };
        if start + columns(&entry.detail) <= width {
            return writeln!(out, "{:gap$}{}", "", entry.detail, gap = start - at);
        }
        writeln!(out)?;
        for line in wrapped(&entry.detail, width.saturating_sub(indent)) {
            writeln!(out, "{:indent$}{line}", "")?;
        }
        Ok(())
    }
}

fn entries(row: &Row, look: Look, indent: usize) -> Vec<Entry> {
    let room = look.width.saturating_sub(indent).max(20);
    let plain = |text: String| Entry { text, detail: String::new(), id: false };
    let id = |text: &str| Entry { text: shown(text).into_owned(), detail: String::new(), id: true };
    let mut lines: Vec<Entry> = match &row.value {
        Value::Together { members, .. } if members.len() == 1 => vec![id(&members[0])],
        Value::Together { members, ordered } => {
            let how = if *ordered { "together, in this order:" } else { "together, in any order:" };
            std::iter::once(plain(how.to_owned())).chain(members.iter().map(|member| id(member))).collect()
        }
        Value::Each(each) => {
            let limit = if look.all { usize::MAX } else { LIST };
            let more = each.len().saturating_sub(limit);
            let mut lines: Vec<Entry> = each
                .iter()
                .take(limit)
                .map(|(text, detail)| Entry { detail: detail.clone(), ..id(text) })
                .collect();
            lines.extend((more > 0).then(|| plain(format!("and {more} more"))));
            lines
        }
        Value::Said(text) => wrapped(text, room).into_iter().map(plain).collect(),
        Value::Quoted(text) => {
            let text = shown(text);
            let text = shortened(&text, if look.all { usize::MAX } else { MESSAGE });
            wrapped(&text, room).into_iter().map(plain).collect()
        }
        Value::Text(text) => {
            let lines = words::lines(text);
            let limit = if look.all { usize::MAX } else { TEXT };
            let more = lines.len().saturating_sub(limit);
            // The end of a traceback says most.
            let left_out = (more > 0).then(|| plain(format!("[{more} lines before; -v shows all]")));
            left_out.into_iter().chain(lines.into_iter().skip(more).map(plain)).collect()
        }
        Value::Command(argv) => command_lines(argv, room).into_iter().map(plain).collect(),
    };
    // Of what takes several lines the detail follows the last one, of ids the first.
    let last = matches!(row.value, Value::Command(_) | Value::Quoted(_));
    let place = if last { lines.last_mut() } else { lines.first_mut() };
    if let Some(place) = place.filter(|place| place.detail.is_empty()) {
        place.detail.clone_from(&row.detail);
    }
    lines
}

/// A command over several lines that a shell reads as one.
fn command_lines(argv: &[String], room: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let mut used = 0;
    for argument in argv {
        let word = quoted(argument);
        // The last two columns are for the backslash.
        match lines.last_mut() {
            Some(line) if used + 1 + columns(&word) + 2 <= room => {
                line.push(' ');
                line.push_str(&word);
                used += 1 + columns(&word);
            }
            last => {
                if let Some(line) = last {
                    line.push_str(" \\");
                }
                used = columns(&word) + if lines.is_empty() { 0 } else { 2 };
                lines.push(if lines.is_empty() { word.into_owned() } else { format!("  {word}") });
            }
        }
    }
    lines
}
