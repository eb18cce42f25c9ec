//! Output of two runs, compared word by word without what differs from run to run.

/// Session names as the pages write them, in the order in which sessions are made.
const NAMES: [&str; 12] =
    ["3kq7", "8fwd", "t2mh", "b6xe", "m4rc", "y9ta", "d3gn", "k5zp", "7hwx", "n2pe", "c8vb", "z6mt"];

/// Which session stands behind which name of the pages.
#[derive(Default)]
pub struct Sessions(Vec<String>);

impl Sessions {
    /// Takes note of the session that this output names, if it is new.
    pub fn learn(&mut self, said: &str) {
        let mut words = said.split_whitespace();
        while let Some(word) = words.next() {
            if word == "session"
                && let Some(name) = words.next().filter(|name| name.len() == NAMES[0].len())
            {
                if !self.0.iter().any(|known| known == name) {
                    self.0.push(name.to_owned());
                    assert!(self.0.len() <= NAMES.len(), "more sessions than names for them");
                }
                return;
            }
        }
    }

    /// A command of a page with the names that are true today.
    pub fn in_command(&self, command: &str) -> String {
        self.0.iter().zip(NAMES).fold(command.to_owned(), |text, (real, name)| text.replace(name, real))
    }

    /// Output with the names that pages use.
    pub fn renamed(&self, said: &str) -> String {
        self.0.iter().zip(NAMES).fold(said.to_owned(), |text, (real, name)| text.replace(real, name))
    }
}

/// Compares; a line `...` of the page stands for any output. The error says where they part.
pub fn same(page: &str, said: &str) -> Result<(), String> {
    let said = plain(said);
    let mut parts: Vec<Vec<String>> = vec![Vec::new()];
    for line in page.lines() {
        match (line.trim(), parts.last_mut()) {
            ("...", _) => parts.push(Vec::new()),
            (_, Some(part)) => part.extend(line.split_whitespace().map(str::to_owned)),
            (_, None) => {}
        }
    }
    let (mut at, last) = (0, parts.len() - 1);
    for (nth, part) in parts.iter().enumerate() {
        let part = plain(&part.join(" "));
        let places = if nth == 0 { 0..=0 } else { at..=said.len() };
        let fits = |place: &usize| {
            said[*place..].starts_with(&part)
                && (nth < last || nth == 0 || part.is_empty() || place + part.len() == said.len())
        };
        let Some(place) = places.into_iter().find(fits) else {
            let equal = part.iter().zip(&said[at..]).take_while(|(page, said)| page == said).count();
            let some =
                |words: &[String]| words.iter().skip(equal).take(12).cloned().collect::<Vec<_>>().join(" ");
            return Err(format!("the page:    {}\nthe program: {}", some(&part), some(&said[at..])));
        };
        at = place + part.len();
    }
    let open = parts.len() > 1;
    if open || at == said.len() {
        Ok(())
    } else {
        Err(format!("the program goes on: {}", said[at..].join(" ")))
    }
}

/// Words without line breaks (a width has its own tests), and without what differs from run to run: times, versions,
/// the executor, how many processes it took, how often what always holds was tried.
fn plain(text: &str) -> Vec<String> {
    let mut words: Vec<String> =
        text.split_whitespace().filter(|word| *word != "\\").map(str::to_owned).collect();
    for at in 0..words.len() {
        let (core, tail) = split(&words[at]);
        let next = words.get(at + 1).map(|word| split(word).0.to_owned()).unwrap_or_default();
        let next = next.as_str();
        let kind = if core.chars().next().is_none_or(|c| !c.is_ascii_digit()) {
            if matches!(core, "fork" | "spawn") && next.starts_with('x') { Some("EXECUTOR") } else { None }
        } else if core.split('.').count() == 3 && core.chars().all(|c| c.is_ascii_digit() || c == '.') {
            Some("VERSION")
        } else if matches!(next, "s" | "ms") || is_time(core) {
            Some("TIME")
        } else if matches!(next, "runs" | "processes" | "test") && (at == 0 || words[at - 1] != "of") {
            Some("MANY")
        } else if core.contains('/')
            && core.split('/').next_back().is_some_and(|run| run.parse::<u32>().is_ok())
        {
            Some("SESSION/RUN")
        } else {
            None
        };
        if let Some(kind) = kind {
            words[at] = format!("{kind}{tail}");
        }
        // `0.2 s.` and `1m20s.` are one word.
        if kind == Some("TIME") && matches!(next, "s" | "ms") {
            let tail = split(&words[at + 1]).1.to_owned();
            words[at].push_str(&tail);
            words[at + 1].clear();
        }
    }
    words.retain(|word| !word.is_empty());
    for at in 2..words.len() {
        let (of, tail) = split(&words[at]);
        let always = match (words[at - 2].parse::<u32>(), words[at - 1].as_str(), of.parse::<u32>()) {
            (Ok(0), "of", Ok(_)) => "NONE",
            (Ok(k), "of", Ok(n)) if k == n => "ALL",
            _ => continue,
        };
        let tail = tail.to_owned();
        words[at - 2] = always.to_owned();
        words[at] = format!("{always}{tail}");
    }
    words
}

/// A word and the punctuation at its end.
fn split(word: &str) -> (&str, &str) {
    word.split_at(word.trim_end_matches([',', ';', '.', ')']).len())
}

/// `1m20s`, `22s`, `1.5s`.
fn is_time(word: &str) -> bool {
    word.ends_with('s') && word.chars().all(|c| c.is_ascii_digit() || matches!(c, 'm' | 's' | 'h' | '.'))
}

#[test]
fn what_differs_from_run_to_run_does_not_matter_and_the_rest_does() {
    let page = "flakehunt 0.1.0 pytest 9.2.0 fork x2\nfails after it 10 of 10, without it 0 of 10\nspent 3 runs in 1m20s";
    let said = "flakehunt 0.2.0  pytest 8.4.2\nspawn x2 fails after it 8 of 8, without it 0 of 2\nspent 4 runs in 0.2 s";
    assert_eq!(same(page, &said.replace("0.2 s", "2m01s")), Ok(()));
    assert!(same(page, &said.replace("0 of 2", "1 of 2")).is_err());
    assert!(same(page, &format!("{said} more")).is_err());
    assert_eq!(same("a b\n...\ny z\n", "a b c d y z"), Ok(()));
    assert_eq!(same("a\n...\n", "a b c"), Ok(()));
    assert!(same("a b\n...\ny z\n", "a b c d y").is_err());
    assert!(same("b\n...\n", "a b").is_err());
}
