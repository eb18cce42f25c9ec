//! How far a hunt is, on standard error. The only place that knows progress bars.
//!
//! Nothing here can fail: where standard error is closed, what was to be said is lost and the hunt goes on.

use std::io::{self, IsTerminal, Write};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// The modes of `--progress`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Mode {
    /// A bar in a terminal, plain lines otherwise.
    #[default]
    Auto,
    /// A bar.
    Bar,
    /// A line at every phase, and one every 10 seconds at most.
    Plain,
    /// Nothing.
    None,
}

/// Plain lines come no closer than this, but for new phases.
const PACE: Duration = Duration::from_secs(10);

/// Says how far a hunt is.
pub struct Progress {
    face: Face,
}

enum Face {
    None,
    Bar(ProgressBar),
    Plain(Box<Mutex<Plain>>),
}

struct Plain {
    out: Box<dyn Write + Send>,
    state: State,
    began: Instant,
    said: Duration,
}

/// What a plain line says.
#[derive(Clone, Debug, Default)]
struct State {
    phase: String,
    done: u64,
    total: Option<u64>,
    suspects: u32,
}

impl Progress {
    /// Progress on standard error.
    pub fn new(mode: Mode) -> Self {
        let terminal = io::stderr().is_terminal();
        let face = match (mode, terminal) {
            (Mode::None, _) => Face::None,
            (Mode::Plain, _) | (Mode::Auto | Mode::Bar, false) => return Self::plain(Box::new(io::stderr())),
            (Mode::Auto | Mode::Bar, true) => {
                // Nothing is drawn before the first phase.
                let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden());
                bar.set_message(suspects_word(0));
                Face::Bar(bar)
            }
        };
        Self { face }
    }

    /// Plain lines to wherever they are wanted.
    pub fn plain(out: Box<dyn Write + Send>) -> Self {
        #[expect(clippy::disallowed_methods, reason = "progress is an effect; no report depends on it")]
        let began = Instant::now();
        let plain = Plain { out, state: State::default(), began, said: Duration::ZERO };
        Self { face: Face::Plain(Box::new(Mutex::new(plain))) }
    }

    /// A new phase (`hunting`, `confirming`), of so many runs where that is known.
    pub fn phase(&self, name: &str, total: Option<u64>) {
        match &self.face {
            Face::None => {}
            Face::Bar(bar) => {
                bar.set_style(style(total.is_some()));
                bar.set_prefix(format!("{name:11}"));
                bar.reset();
                match total {
                    Some(total) => bar.set_length(total),
                    None => bar.unset_length(),
                }
                if bar.is_hidden() {
                    bar.set_draw_target(ProgressDrawTarget::stderr_with_hz(4));
                    bar.enable_steady_tick(Duration::from_secs(1));
                }
            }
            Face::Plain(plain) => plain_of(plain).now(|state| {
                *state = State { phase: name.to_owned(), total, suspects: state.suspects, done: 0 };
            }),
        }
    }

    /// So many runs of this phase are done.
    pub fn advance(&self, done: u64) {
        match &self.face {
            Face::None => {}
            Face::Bar(bar) => bar.set_position(done),
            Face::Plain(plain) => plain_of(plain).paced(|state| state.done = done),
        }
    }

    /// So many tests are suspected of not being healthy.
    pub fn suspects(&self, suspects: u32) {
        match &self.face {
            Face::None => {}
            Face::Bar(bar) => bar.set_message(suspects_word(suspects)),
            Face::Plain(plain) => plain_of(plain).paced(|state| state.suspects = suspects),
        }
    }

    /// A line of its own on standard error, which does not tear the bar. It is said in every mode: what must not be
    /// said under `-q` is for the caller to leave out.
    pub fn println(&self, line: &str) {
        match &self.face {
            Face::None => lost(writeln!(io::stderr(), "{line}")),
            Face::Bar(bar) => bar.suspend(|| lost(writeln!(io::stderr(), "{line}"))),
            Face::Plain(plain) => lost(writeln!(plain_of(plain).out, "{line}")),
        }
    }

    /// Takes the bar away while something else writes to the terminal.
    pub fn suspend<R>(&self, write: impl FnOnce() -> R) -> R {
        match &self.face {
            Face::Bar(bar) => bar.suspend(write),
            Face::None | Face::Plain(_) => write(),
        }
    }

    /// The end: the bar goes, the last plain line says how far it came.
    pub fn finish(&self) {
        match &self.face {
            Face::None => {}
            Face::Bar(bar) => bar.finish_and_clear(),
            Face::Plain(plain) => plain_of(plain).now(|_| {}),
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Face::Bar(bar) = &self.face {
            bar.finish_and_clear();
        }
    }
}

impl Plain {
    fn now(&mut self, change: impl FnOnce(&mut State)) {
        change(&mut self.state);
        self.said = self.began.elapsed();
        lost(writeln!(self.out, "{}", line(&self.state)));
    }

    fn paced(&mut self, change: impl FnOnce(&mut State)) {
        change(&mut self.state);
        if due(self.said, self.began.elapsed()) {
            self.now(|_| {});
        }
    }
}

/// Whether enough time went by for a further line.
fn due(said: Duration, now: Duration) -> bool {
    now.saturating_sub(said) >= PACE
}

fn line(state: &State) -> String {
    let total = state.total.map(|total| format!("/{total}")).unwrap_or_default();
    format!("{:11}{}{total}   {}", state.phase, state.done, suspects_word(state.suspects))
}

fn suspects_word(suspects: u32) -> String {
    if suspects == 1 { "1 suspect".to_owned() } else { format!("{suspects} suspects") }
}

const WITH_TOTAL: &str = "{prefix}[{bar:22}] {pos}/{len}   {msg}   eta {eta}";
const WITHOUT_TOTAL: &str = "{prefix}{pos} runs   {msg}   {elapsed}";

fn style(total: bool) -> ProgressStyle {
    let template = if total { WITH_TOTAL } else { WITHOUT_TOTAL };
    // The templates are right, a test says so; were they not, the default bar would do.
    ProgressStyle::with_template(template)
        .unwrap_or_else(|_| ProgressStyle::default_bar())
        .progress_chars("=> ")
}

fn plain_of(plain: &Mutex<Plain>) -> std::sync::MutexGuard<'_, Plain> {
    plain.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Nobody reads it any more: that is no reason to stop.
fn lost(_: io::Result<()>) {}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[derive(Clone, Default)]
    struct Sink(Arc<Mutex<Vec<u8>>>);

    impl Write for Sink {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().expect("not poisoned").extend_from_slice(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    struct Closed;

    impl Write for Closed {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::BrokenPipe.into())
        }
        fn flush(&mut self) -> io::Result<()> {
            Err(io::ErrorKind::BrokenPipe.into())
        }
    }

    #[test]
    fn a_phase_is_said_at_once_and_the_end_says_how_far() {
        let sink = Sink::default();
        let progress = Progress::plain(Box::new(sink.clone()));
        progress.phase("hunting", Some(50));
        progress.suspects(2);
        progress.advance(27);
        progress.println("a line");
        progress.finish();
        let said = String::from_utf8(sink.0.lock().expect("not poisoned").clone()).expect("UTF-8");
        let lines: Vec<&str> = said.lines().collect();
        assert_eq!(lines.first(), Some(&"hunting    0/50   0 suspects"));
        assert_eq!(lines.last(), Some(&"hunting    27/50   2 suspects"));
        assert!(lines.contains(&"a line"), "{said}");
    }

    #[test]
    fn lines_keep_their_distance() {
        let at = Duration::from_secs;
        assert!(!due(at(5), at(14)));
        assert!(due(at(5), at(15)));
        assert!(!due(at(5), at(4)));
    }

    #[test]
    fn nobody_listens() {
        let progress = Progress::plain(Box::new(Closed));
        progress.phase("hunting", None);
        progress.println("lost");
        progress.finish();
        assert_eq!(progress.suspend(|| 7), 7);
    }

    #[test]
    fn the_templates_are_right() {
        for template in [WITH_TOTAL, WITHOUT_TOTAL] {
            assert!(ProgressStyle::with_template(template).is_ok(), "{template}");
        }
    }
}
