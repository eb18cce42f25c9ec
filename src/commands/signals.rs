//! Ctrl-C and SIGTERM: once ends politely, twice ends at once.

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use crate::error::Failure;
use crate::process::Cancel;
use crate::session::event::EndReason;

/// What signals have asked for by now.
pub(super) struct Signals {
    /// How hard children are stopped.
    pub stop: watch::Sender<Cancel>,
    /// Why.
    pub reason: watch::Receiver<Option<EndReason>>,
}

/// Listens from now on.
pub(super) fn listen() -> Result<Signals, Failure> {
    let unable = |error: std::io::Error| Failure::internal(format!("signals cannot be caught: {error}"));
    let mut interrupt = signal(SignalKind::interrupt()).map_err(unable)?;
    let mut terminate = signal(SignalKind::terminate()).map_err(unable)?;
    let mut hang_up = signal(SignalKind::hangup()).map_err(unable)?;
    let (stop, _) = watch::channel(Cancel::No);
    let (tell, reason) = watch::channel(None);
    let sender = stop.clone();
    tokio::task::spawn_local(async move {
        loop {
            let why = tokio::select! {
                _ = interrupt.recv() => EndReason::Interrupted,
                _ = terminate.recv() => EndReason::Terminated,
                _ = hang_up.recv() => EndReason::Terminated,
            };
            tell.send_if_modified(|known| known.is_none().then(|| *known = Some(why)).is_some());
            let harder = match *sender.borrow() {
                Cancel::No => Cancel::Politely,
                Cancel::Politely | Cancel::AtOnce => Cancel::AtOnce,
            };
            sender.send_replace(harder);
        }
    });
    Ok(Signals { stop, reason })
}
