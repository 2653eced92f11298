//! How much of the VM's memory held answers may take, all streams of a worker together.
//!
//! A wasm VM has 1 GiB and never gives memory back; past that it traps, and every stream of the worker with it. So
//! what a single limit bounds per answer is bounded here for all of them.

use std::cell::Cell;

thread_local! {
    static HELD: Cell<usize> = const { Cell::new(0) };
}

/// A share of the budget; given back when it is dropped.
#[derive(Debug, Default)]
pub struct Share(usize);

/// The budget is used up.
#[derive(Debug, PartialEq, Eq)]
pub struct Exhausted;

impl Share {
    /// Changes the share to `bytes`.
    ///
    /// # Errors
    /// When all shares together would pass `total`. The share stays as it was.
    pub fn resize(&mut self, bytes: usize, total: usize) -> Result<(), Exhausted> {
        let others = HELD.get().saturating_sub(self.0);
        let held = others.saturating_add(bytes);
        if bytes > self.0 && held > total {
            return Err(Exhausted);
        }
        HELD.set(held);
        self.0 = bytes;
        Ok(())
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        HELD.set(HELD.get().saturating_sub(self.0));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn shares_of_all_streams_together_stay_within_the_budget() {
        let (mut first, mut second) = (Share::default(), Share::default());
        assert_eq!(first.resize(60, 100), Ok(()));
        assert_eq!(second.resize(41, 100), Err(Exhausted));
        assert_eq!(second.resize(40, 100), Ok(()));
        assert_eq!(first.resize(61, 100), Err(Exhausted));
        assert_eq!(first.resize(10, 100), Ok(()), "what is given back is free again");
        assert_eq!(second.resize(90, 100), Ok(()));
        drop(second);
        assert_eq!(first.resize(100, 100), Ok(()));
        drop(first);
        assert_eq!(HELD.get(), 0);
    }
}
