//! V8's budget for inlining, and what to call so that it is spent: `InliningTree::NoLiftoffBudget` and `should_inline` in
//! V8's `src/wasm`, as in 14.6, which Envoy 1.40 has. Another rule makes the start slower again, or leaves the calls in.
//!
//! A function may inline a callee that is shorter than its budget, at most 60 in all. The budget is a multiple of its
//! length, at least 50; the multiple is 2 where at most a quarter of the module's functions are shorter than 50 bytes, and
//! up to 5 where more are.

/// A function shorter than this counts as small.
pub const SMALL: usize = 50;

const LEAST_BUDGET: usize = 50;

/// The multiple of a module without small functions.
const GROWTH: usize = 2;

/// What may stay: V8 then inlines only what is hardly longer than a call with its arguments.
const LEFT_OVER: usize = 32;

/// Lengths of the functions that do nothing: powers of two, so that few calls spend any budget.
pub const FILLERS: [usize; 10] = [16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192];

/// V8 inlines no more than 60, and a filler that stays a call would cost time in every call of its function.
const MOST_CALLS: usize = 56;

/// The fillers to call in a function that is `len` bytes long with the calls.
pub fn spend(len: usize) -> Vec<usize> {
    let mut budget = LEAST_BUDGET.max(len * GROWTH);
    let mut calls = Vec::new();
    while budget > LEFT_OVER && calls.len() < MOST_CALLS {
        let Some(filler) = FILLERS.iter().rposition(|&filler| filler < budget) else { break };
        budget -= FILLERS[filler];
        calls.push(filler);
    }
    calls
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn v8_inlines_every_filler_and_then_nothing_of_size() {
        for len in [2, 17, 24, 25, 50, 51, 1000, 4095, 4096, 4097, 20_000, 200_000] {
            let mut budget = LEAST_BUDGET.max(GROWTH * len);
            let calls = spend(len);
            for &filler in &calls {
                assert!(FILLERS[filler] < budget, "{len}: would stay a call");
                budget -= FILLERS[filler];
            }
            assert!(budget <= LEFT_OVER && calls.len() < 60, "{len}: {budget} after {} calls", calls.len());
        }
    }
}
