//! A watch as bytes.

use super::{AGENTS, Agent, CALLS, Fingerprint, Repeated, Watch};

const VERSION: u8 = 1;

impl Watch {
    /// Writes it.
    #[must_use]
    pub fn write(&self) -> Vec<u8> {
        let mut out = vec![VERSION, small(self.agents.len())];
        for agent in &self.agents {
            out.extend(agent.who.0);
            out.extend(agent.streak.to_le_bytes());
            out.extend(agent.rests_until_ms.to_le_bytes());
            out.push(small(agent.calls.len()));
            for call in &agent.calls {
                out.extend(call.call.0);
                out.extend(call.times.to_le_bytes());
                out.extend(call.since_ms.to_le_bytes());
            }
        }
        out
    }

    /// Reads what [`Self::write`] wrote.
    #[must_use]
    pub fn read(bytes: &[u8]) -> Option<Self> {
        let rest = &mut { bytes };
        let [version, agents] = take(rest)?;
        if version != VERSION || usize::from(agents) > AGENTS {
            return None;
        }
        let agents = (0..agents).map(|_| agent(rest)).collect::<Option<_>>()?;
        rest.is_empty().then_some(Self { agents })
    }
}

fn agent(rest: &mut &[u8]) -> Option<Agent> {
    let who = Fingerprint(take(rest)?);
    let streak = u32::from_le_bytes(take(rest)?);
    let rests_until_ms = u64::from_le_bytes(take(rest)?);
    let [calls] = take(rest)?;
    let calls = (0..calls).map(|_| call(rest)).collect::<Option<Vec<_>>>()?;
    (calls.len() <= CALLS).then_some(Agent { who, streak, rests_until_ms, calls })
}

fn call(rest: &mut &[u8]) -> Option<Repeated> {
    Some(Repeated {
        call: Fingerprint(take(rest)?),
        times: u32::from_le_bytes(take(rest)?),
        since_ms: u64::from_le_bytes(take(rest)?),
    })
}

fn take<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (first, after) = rest.split_first_chunk()?;
    *rest = after;
    Some(*first)
}

/// INVARIANT: there are at most 32 of anything.
fn small(count: usize) -> u8 {
    u8::try_from(count).unwrap_or(u8::MAX)
}
