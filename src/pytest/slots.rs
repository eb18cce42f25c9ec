//! How many runs may be in their tests at once, as places that runs take and give back. A process may start before there
//! is a place for it: to start Python and to collect needs none.

use std::cell::Cell;

use tokio::sync::{Semaphore, SemaphorePermit};

/// The places of a sitting.
#[derive(Debug)]
pub struct Slots {
    free: Semaphore,
    size: Cell<u32>,
    /// Places that are gone as soon as those who have them give them back.
    owed: Cell<u32>,
}

/// A place; dropped, it is free again.
#[derive(Debug)]
pub struct Slot<'a> {
    slots: &'a Slots,
    permit: Option<SemaphorePermit<'a>>,
}

impl Slots {
    /// So many places, all free.
    pub fn new(size: u32) -> Self {
        Self { free: Semaphore::new(size as usize), size: Cell::new(size), owed: Cell::new(0) }
    }

    /// From now on so many. Whoever has a place keeps it.
    pub fn resize(&self, size: u32) {
        let before = self.size.replace(size);
        if size >= before {
            let paid = self.owed.get().min(size - before);
            self.owed.set(self.owed.get() - paid);
            self.free.add_permits((size - before - paid) as usize);
        } else {
            let gone = self.free.forget_permits((before - size) as usize) as u32;
            self.owed.set(self.owed.get() + before - size - gone);
        }
    }

    /// A place, if one is free now.
    pub fn try_take(&self) -> Option<Slot<'_>> {
        self.free.try_acquire().ok().map(|permit| Slot { slots: self, permit: Some(permit) })
    }

    /// A place, as soon as one is free; who asked first has it first.
    pub async fn take(&self) -> Slot<'_> {
        // Nobody closes the semaphore.
        Slot { slots: self, permit: self.free.acquire().await.ok() }
    }
}

impl Drop for Slot<'_> {
    fn drop(&mut self) {
        let owed = self.slots.owed.get();
        if owed > 0
            && let Some(permit) = self.permit.take()
        {
            permit.forget();
            self.slots.owed.set(owed - 1);
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    #[test]
    fn there_are_as_many_as_there_are() {
        let slots = Slots::new(2);
        let (one, two) = (slots.try_take().expect("one"), slots.try_take().expect("two"));
        assert!(slots.try_take().is_none());
        let mut third = Box::pin(slots.take());
        assert!(third.as_mut().now_or_never().is_none());
        drop(one);
        assert!(third.now_or_never().is_some());
        drop(two);
    }

    #[test]
    fn fewer_is_true_once_they_come_back() {
        let slots = Slots::new(3);
        let taken: Vec<Slot<'_>> = (0..3).filter_map(|_| slots.try_take()).collect();
        assert_eq!(taken.len(), 3);
        slots.resize(1);
        let mut taken = taken.into_iter();
        drop((taken.next(), taken.next()));
        assert!(slots.try_take().is_none(), "one is still out, and one is all there is");
        drop(taken);
        let one = slots.try_take();
        assert!(one.is_some() && slots.try_take().is_none());
        slots.resize(2);
        assert!(slots.try_take().is_some());
    }

    #[test]
    fn more_again_is_set_off_against_what_is_owed() {
        let slots = Slots::new(2);
        let (one, two) = (slots.try_take(), slots.try_take());
        slots.resize(1);
        slots.resize(2);
        drop((one, two));
        let (one, two) = (slots.try_take(), slots.try_take());
        assert!(one.is_some() && two.is_some() && slots.try_take().is_none());
    }
}
