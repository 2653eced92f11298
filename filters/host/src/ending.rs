//! What Envoy knows when an exchange is over.

use crate::{abi, state};

/// Envoy's response flags `DC` and `DR`: the client closed the connection, or reset its HTTP/2 stream, before it had
/// everything.
const CLIENT_GONE: u64 = 1 << 14 | 1 << 28;

/// Envoy's response flags `UT`, `LR`, `UR`, `UC`, `SI`, `UMSDR`, `DT` and `UPE`: the answer had begun and was broken off, by who
/// gave it or by a timeout.
const CUT: u64 = 1 << 2 | 1 << 3 | 1 << 4 | 1 << 6 | 1 << 16 | 1 << 19 | 1 << 22 | 1 << 23;

/// Envoy's response flags `UH`, `UF`, `UO`, `NR`, `NC` and `DF`: nobody was reached. Who speaks gRPC is told so with status 200.
const UNREACHED: u64 = 1 << 1 | 1 << 5 | 1 << 7 | 1 << 8 | 1 << 24 | 1 << 26;

/// What Envoy knows when an exchange is over.
#[derive(Debug, Clone, Default)]
pub struct Ending {
    /// Nanoseconds since 1970.
    pub now: u64,
    /// Status that the client got, if any.
    pub status: Option<u16>,
    /// Envoy's response flags.
    pub flags: Option<u64>,
    /// Envoy's response code details, when the gate did not refuse.
    pub details: Option<String>,
    /// Bytes of the answer.
    pub bytes: u64,
}

impl Ending {
    /// Asks Envoy. Each question costs, so what is known is not asked: the `status` that the gate has seen; and where the gate
    /// `refused` itself, or it `relays` an answer that ended well, details say nothing more.
    #[must_use]
    pub fn read(status: Option<u16>, refused: bool, relays: bool) -> Self {
        let flags = state::number(&["response", "flags"]);
        let is_plain = refused || (relays && flags == Some(0));
        let known = || state::number(&["response", "code"]).and_then(|status| u16::try_from(status).ok());
        Self {
            now: abi::now(),
            status: status.or_else(known),
            flags,
            details: if is_plain { None } else { state::text(&["response", "code_details"]) },
            bytes: state::number(&["response", "size"]).unwrap_or_default(),
        }
    }

    /// Milliseconds since the exchange `began`: nanoseconds since 1970, 0 if it never did.
    #[must_use]
    pub fn ms(&self, began: u64) -> u64 {
        let began = if began > 0 { began } else { self.now };
        self.now.saturating_sub(began).div_euclid(1_000_000)
    }

    /// How it ended, in a word.
    #[must_use]
    pub fn word(&self, refused: bool) -> &'static str {
        let has = |any: u64| self.flags.is_some_and(|flags| flags & any != 0);
        match self.status {
            _ if refused => "refused",
            _ if has(CLIENT_GONE) => "client_gone",
            Some(200..400) if has(UNREACHED) => "failed",
            Some(200..400) if has(CUT) => "cut",
            Some(200..400) => "complete",
            _ => "failed",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Ending;

    #[test]
    fn an_answer_that_was_broken_off_is_not_complete() {
        for (status, flags, word) in [
            (Some(200), Some(0), "complete"),
            (Some(200), None, "complete"),
            (Some(200), Some(1 << 6), "cut"),
            (Some(200), Some(1 << 4), "cut"),
            (Some(200), Some(1 << 5), "failed"),
            (Some(200), Some(1 << 14 | 1 << 6), "client_gone"),
            (Some(200), Some(1 << 28), "client_gone"),
            (Some(503), Some(1 << 6), "failed"),
            (None, None, "failed"),
        ] {
            let ending = Ending { status, flags, ..Ending::default() };
            assert_eq!((ending.word(false), ending.word(true)), (word, "refused"), "{status:?} {flags:?}");
        }
    }
}
