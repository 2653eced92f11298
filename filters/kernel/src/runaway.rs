//! Agents that have lost their way: they do the same again and again, or fail again and again.
//!
//! A [`Watch`] knows of some agents what they did lately. It is changed whole, so that workers can share it with
//! compare-and-swap, and bounded: when there is no room it forgets what is oldest. So an agent that is lost is seen late in the
//! worst case, and none is taken for another.

mod codec;
mod config;
#[cfg(test)]
mod tests;

pub use config::{Errors, NotRunaway, Repeats, Runaway, RunawayConfig};

use crate::json::Digest;
use sha2::{Digest as _, Sha256};

/// In how many watches agents are kept: which one follows from who they are.
pub const WATCHES: u16 = 64;
/// Of how many agents one watch knows.
pub const AGENTS: usize = 32;
/// How many different calls are known of an agent.
pub const CALLS: usize = 16;

/// Who calls, or what is called: the beginning of a hash over what tells it from others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fingerprint([u8; 16]);

/// What some agents did lately.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Watch {
    /// In the order in which they were last seen.
    agents: Vec<Agent>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Agent {
    who: Fingerprint,
    /// Failed calls since the last one that did not fail.
    streak: u32,
    /// Until when it rests. Milliseconds since 1970.
    rests_until_ms: u64,
    /// In the order in which they began to be counted.
    calls: Vec<Repeated>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Repeated {
    call: Fingerprint,
    times: u32,
    since_ms: u64,
}

/// Why a call does not go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lost {
    /// The same call was made so often.
    Repeats {
        /// How often.
        times: u32,
        /// In how many milliseconds it may be made again.
        wait_ms: u64,
    },
    /// So many calls have failed one after the other.
    Errors {
        /// How many.
        streak: u32,
        /// For how many milliseconds more none is made.
        wait_ms: u64,
    },
}

impl Fingerprint {
    /// Of parts that together tell it from others.
    #[must_use]
    pub fn of(parts: &[&str]) -> Self {
        Self::of_bytes(parts.iter().map(|part| part.as_bytes()))
    }

    /// Of a call of `tool` with these arguments.
    #[must_use]
    pub fn of_call(tool: &str, arguments: Option<&Digest>) -> Self {
        let arguments: &[u8] = arguments.map_or(&[], |digest| &digest.0);
        Self::of_bytes([tool.as_bytes(), arguments].into_iter())
    }

    fn of_bytes<'a>(parts: impl Iterator<Item = &'a [u8]>) -> Self {
        let mut hash = Sha256::new();
        for part in parts {
            hash.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_le_bytes());
            hash.update(part);
        }
        let whole: [u8; 32] = hash.finalize().into();
        let mut first = [0; 16];
        first.iter_mut().zip(whole).for_each(|(to, from)| *to = from);
        Self(first)
    }

    /// Which of the [`WATCHES`] knows this agent.
    #[must_use]
    pub const fn watch(self) -> u16 {
        let [one, two, ..] = self.0;
        u16::from_le_bytes([one, two]) % WATCHES
    }
}

impl Watch {
    /// Whether `who` may make a call now, which is then counted.
    ///
    /// # Errors
    /// Why not.
    pub fn begin(&mut self, rules: &Runaway, who: Fingerprint, call: Fingerprint, now_ms: u64) -> Result<(), Lost> {
        self.change(who, |agent| agent.begin(rules, call, now_ms))
    }

    /// A call of `who` is over. After a rest one more failure is enough for the next.
    pub fn end(&mut self, errors: &Errors, who: Fingerprint, failed: bool, now_ms: u64) {
        self.change(who, |agent| agent.end(errors, failed, now_ms));
    }

    fn change<T>(&mut self, who: Fingerprint, change: impl FnOnce(&mut Agent) -> T) -> T {
        let known = self.agents.iter().position(|agent| agent.who == who).map(|at| self.agents.remove(at));
        if known.is_none() && self.agents.len() >= AGENTS {
            drop(self.agents.remove(0));
        }
        let mut agent = known.unwrap_or(Agent { who, streak: 0, rests_until_ms: 0, calls: Vec::new() });
        let result = change(&mut agent);
        self.agents.push(agent);
        result
    }
}

impl Agent {
    fn begin(&mut self, rules: &Runaway, call: Fingerprint, now_ms: u64) -> Result<(), Lost> {
        if let Some(wait_ms) =
            self.rests_until_ms.checked_sub(now_ms).filter(|wait| *wait > 0 && rules.errors.is_some())
        {
            return Err(Lost::Errors { streak: self.streak, wait_ms });
        }
        rules.repeats.map_or(Ok(()), |repeats| self.repeat(&repeats, call, now_ms))
    }

    fn end(&mut self, errors: &Errors, failed: bool, now_ms: u64) {
        self.streak = if failed { self.streak.saturating_add(1) } else { 0 };
        if self.streak >= errors.streak {
            self.rests_until_ms = now_ms.saturating_add(errors.rest_ms);
        }
    }

    fn repeat(&mut self, repeats: &Repeats, call: Fingerprint, now_ms: u64) -> Result<(), Lost> {
        let ends = |one: &Repeated| one.since_ms.saturating_add(repeats.within_ms);
        self.calls.retain(|one| ends(one) > now_ms);
        if let Some(known) = self.calls.iter_mut().find(|one| one.call == call) {
            if known.times >= repeats.times {
                return Err(Lost::Repeats { times: known.times, wait_ms: ends(known).saturating_sub(now_ms) });
            }
            known.times = known.times.saturating_add(1);
            return Ok(());
        }
        if self.calls.len() >= CALLS {
            self.calls.remove(0);
        }
        self.calls.push(Repeated { call, times: 1, since_ms: now_ms });
        Ok(())
    }
}

impl Lost {
    /// The stable reason code.
    #[must_use]
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::Repeats { .. } => "repeated_call",
            Self::Errors { .. } => "error_streak",
        }
    }

    /// In how many milliseconds it is worth asking again.
    #[must_use]
    pub const fn wait_ms(&self) -> u64 {
        match self {
            Self::Repeats { wait_ms, .. } | Self::Errors { wait_ms, .. } => *wait_ms,
        }
    }

    /// For the model that reads it.
    #[must_use]
    pub fn message(&self) -> String {
        let wait = self.wait_ms().div_ceil(1000);
        match self {
            Self::Repeats { times, .. } => format!(
                "this exact call was made {times} times already; its answer will not change: stop, and ask the person you work for. It can be made again in {wait} seconds"
            ),
            Self::Errors { streak, .. } => format!(
                "the last {streak} calls have all failed: stop, and ask the person you work for. Calls go on in {wait} seconds"
            ),
        }
    }
}
