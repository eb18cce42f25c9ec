//! Busy processors: threads that compute nothing, for as long as somebody wants them.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Keeps processors busy until it is dropped. Threads of ours: nothing that could outlive us.
#[derive(Debug)]
pub struct Load(Arc<AtomicBool>);

impl Load {
    /// Keeps so many processors busy from now on.
    ///
    /// # Errors
    /// The system gives us no more threads.
    pub fn start(processors: u32) -> std::io::Result<Self> {
        let load = Self(Arc::new(AtomicBool::new(false)));
        for _ in 0..processors {
            let over = load.0.clone();
            std::thread::Builder::new().name("load".to_owned()).spawn(move || {
                while !over.load(Ordering::Relaxed) {
                    // No `spin_loop`: that is a hint to the processor to rest.
                    std::hint::black_box(0_u64);
                }
            })?;
        }
        Ok(load)
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}
