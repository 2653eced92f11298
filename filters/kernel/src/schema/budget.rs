//! How much work a check may be.

/// What is left of it.
pub(super) struct Budget {
    steps: u32,
    depth: u32,
}

/// It is used up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TooMuch;

/// How deep schemas may be applied in each other: a value as deep as JSON may be, with three steps at each level.
const MAX_DEPTH: u32 = 200;

impl Budget {
    pub(super) const fn new(steps: u32) -> Self {
        Self { steps, depth: MAX_DEPTH }
    }

    pub(super) fn spend(&mut self, steps: usize) -> Result<(), TooMuch> {
        let left = u32::try_from(steps).ok().and_then(|steps| self.steps.checked_sub(steps));
        self.steps = left.unwrap_or(0);
        left.map(drop).ok_or(TooMuch)
    }

    pub(super) const fn enter(&mut self) -> Result<(), TooMuch> {
        match self.depth.checked_sub(1) {
            Some(left) => {
                self.depth = left;
                Ok(())
            }
            None => Err(TooMuch),
        }
    }

    pub(super) const fn leave(&mut self) {
        self.depth = self.depth.saturating_add(1);
    }
}
