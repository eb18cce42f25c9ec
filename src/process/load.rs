//! Busy processors: threads that compute nothing, for as long as somebody wants them.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

/// Keeps processors busy until it is dropped. Threads of ours: nothing that could outlive us.
#[derive(Debug)]
pub struct Load {
    over: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

impl Load {
    /// Keeps so many processors busy from now on.
    ///
    /// # Errors
    /// The system gives us no more threads.
    pub fn start(processors: u32) -> std::io::Result<Self> {
        let mut load = Self { over: Arc::new(AtomicBool::new(false)), threads: Vec::new() };
        for _ in 0..processors {
            let over = load.over.clone();
            let busy = move || {
                while !over.load(Ordering::Relaxed) {
                    // No `spin_loop`: that is a hint to the processor to rest.
                    std::hint::black_box(0_u64);
                }
            };
            load.threads.push(std::thread::Builder::new().name("load".to_owned()).spawn(busy)?);
        }
        Ok(load)
    }
}

impl Drop for Load {
    /// Waits for the threads, a time slice at most: what comes next must find the processors idle.
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        for thread in self.threads.drain(..) {
            // It does nothing that could panic.
            let _ = thread.join();
        }
    }
}
