//! What was learned of the models' tokens: a [`Calibration`] for each target that has reported usage.
//!
//! Each worker of Envoy learns for itself, and begins anew when it starts; a change of the configuration keeps what was
//! learned. It is for estimates only, which say so.

use crate::config::Target;
use std::cell::RefCell;
use tollgate_kernel::calibration::Calibration;

/// More targets than a configuration has. The oldest makes place for a new one.
const MOST: usize = 256;

/// Calibrations by provider and model.
#[derive(Debug, Default)]
pub struct Calibrations(Vec<(String, String, Calibration)>);

thread_local! {
    static LEARNED: RefCell<Calibrations> = RefCell::default();
}

/// Gives what this worker has learned.
pub fn with<T>(use_them: impl FnOnce(&mut Calibrations) -> T) -> T {
    LEARNED.with_borrow_mut(use_them)
}

impl Calibrations {
    fn is_of(entry: &(String, String, Calibration), target: &Target) -> bool {
        entry.0 == target.provider.as_str() && entry.1 == target.model
    }

    /// What is known of a target.
    #[must_use]
    pub fn of(&self, target: &Target) -> Calibration {
        self.0.iter().find(|entry| Self::is_of(entry, target)).map(|(_, _, known)| *known).unwrap_or_default()
    }

    /// Remembers what is known of a target now.
    pub fn learn(&mut self, target: &Target, known: Calibration) {
        if let Some((_, _, place)) = self.0.iter_mut().find(|entry| Self::is_of(entry, target)) {
            *place = known;
            return;
        }
        if self.0.len() >= MOST {
            self.0.remove(0);
        }
        self.0.push((target.provider.as_str().to_owned(), target.model.clone(), known));
    }
}

#[cfg(test)]
mod tests {
    use super::{Calibration, Calibrations, MOST, Target};
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn each_target_has_its_own_and_their_number_is_bounded() {
        let target = |provider: &str, model: &str| Target {
            provider: tollgate_kernel::subject::Label::try_from(provider.to_owned()).expect("a label"),
            model: model.to_owned(),
            price: None,
            max_output_tokens: None,
            max_input_tokens: None,
            system: None,
        };
        let mut known = Calibration::default();
        known.input.observe(10_000, 5_000);
        let mut all = Calibrations::default();
        assert_eq!(all.of(&target("a", "b")), Calibration::default());
        all.learn(&target("a", "b"), known);
        all.learn(&target("a", "b"), known);
        assert_eq!((all.of(&target("a", "b")), all.0.len()), (known, 1));
        for other in [target("a", "c"), target("c", "b")] {
            assert_eq!(all.of(&other), Calibration::default());
        }
        for number in 0..MOST {
            all.learn(&target("a", &number.to_string()), known);
        }
        assert_eq!(all.0.len(), MOST);
        assert_eq!(all.of(&target("a", "b")), Calibration::default(), "the oldest is forgotten");
        assert_eq!(all.of(&target("a", "255")), known);
    }
}
