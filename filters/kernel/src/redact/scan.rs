//! The way through a text.

use super::{Glob, mark};

/// Bytes of UTF-8.
#[derive(Clone, Copy)]
pub(super) struct Text<'t>(pub(super) &'t [u8]);

impl<'t> Text<'t> {
    pub(super) fn at(self, at: usize) -> Option<u8> {
        self.0.get(at).copied()
    }

    pub(super) fn from(self, at: usize) -> Self {
        Self(self.0.get(at..).unwrap_or_default())
    }

    pub(super) fn starts_with(self, text: &str) -> bool {
        self.0.starts_with(text.as_bytes())
    }

    /// How many bytes of a kind it begins with.
    pub(super) fn run(self, is: fn(u8) -> bool) -> usize {
        self.0.iter().take_while(|byte| is(**byte)).count()
    }
}

/// Runs that are asked for again and again, each for one purpose.
#[derive(Clone, Copy)]
pub(super) enum Run {
    Token,
    TokenBody,
    TokenRest,
    Upper,
    PrivateKey,
    Local,
    Word,
}

const RUNS: usize = 7;

/// A text, and what is known of it already: without that, many beginnings of one long thing would take as many times its
/// length.
pub(super) struct Scan<'t> {
    pub(super) text: Text<'t>,
    next: usize,
    /// Where something ends that was replaced. It does not belong to what follows.
    fresh: usize,
    /// From where to where the last run of a purpose was.
    runs: [(usize, usize); RUNS],
    /// What the last domain was: from where, and where it ends if it is one.
    pub(super) domain: Option<(usize, Option<usize>)>,
    /// Of each glob: up to where its first text may end without anything to find.
    pub(super) hopeless: Vec<usize>,
}

impl<'t> Scan<'t> {
    pub(super) fn new(text: &'t str, also: &[Glob]) -> Self {
        let text = Text(text.as_bytes());
        Self { text, next: 0, fresh: 0, runs: [(0, 0); RUNS], domain: None, hopeless: vec![0; also.len()] }
    }

    /// The next place where something may begin.
    pub(super) fn next(&mut self) -> Option<usize> {
        while let Some(length) = mark(self.text.from(self.next)) {
            self.go_on_at(self.next.saturating_add(length));
        }
        let at = self.next;
        self.next = at.saturating_add(1);
        (at < self.text.0.len()).then_some(at)
    }

    pub(super) const fn go_on_at(&mut self, at: usize) {
        self.next = at;
        self.fresh = at;
    }

    /// The byte before `at`, if it can belong to what begins there.
    pub(super) fn before(&self, at: usize) -> Option<u8> {
        self.text.at(at.checked_sub(1)?).filter(|_| at != self.fresh)
    }

    /// Where the run of bytes of a kind ends that `at` is in.
    pub(super) fn end_of(&mut self, run: Run, is: fn(u8) -> bool, at: usize) -> usize {
        self.known_end(run, at, |text| text.run(is))
    }

    /// Where that ends which `at` is in and which has the length `measure` from there.
    pub(super) fn known_end(&mut self, run: Run, at: usize, measure: impl FnOnce(Text<'t>) -> usize) -> usize {
        let known = match run {
            Run::Token => 0,
            Run::TokenBody => 1,
            Run::TokenRest => 2,
            Run::Upper => 3,
            Run::PrivateKey => 4,
            Run::Local => 5,
            Run::Word => 6,
        };
        let text = self.text.from(at);
        let Some(known) = self.runs.get_mut(known) else { return at };
        if !(known.0..known.1).contains(&at) {
            *known = (at, at.saturating_add(measure(text)));
        }
        known.1
    }
}
