//! What speaks against a tool.

use super::catalogue::Tool;
use crate::config::{Lint, Pin, ServerConfig};
use std::fmt;
use tollgate_kernel::json::Digest;
use tollgate_kernel::mcp::lint::Finding;

/// Why a tool is neither shown nor called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Objection {
    /// It was in no list since Envoy started, and this setting of its server must know it.
    NotSeen(&'static str),
    /// Its definition is none, or wants arguments repeated in headers that cannot be.
    Malformed,
    /// It has another definition than the one that is approved.
    Changed {
        /// The digest of that.
        pinned: Digest,
        /// Of its own.
        found: Digest,
    },
    /// None of its definitions is approved.
    NotPinned {
        /// The digest of the one it has.
        found: Digest,
    },
    /// Something in its definition is suspicious.
    Suspected(Finding),
}

/// What becomes of a tool.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Judgement {
    /// It is neither shown nor called.
    pub refused: Option<Objection>,
    /// It would not be, but for a setting in shadow.
    pub shadow: Option<Objection>,
}

/// What becomes of the tool of a server; `None`: it is not known.
#[must_use]
pub fn judge(config: &ServerConfig, tool: Option<&Tool>) -> Judgement {
    let Some(tool) = tool else {
        return Judgement { refused: must_know(config).map(Objection::NotSeen), shadow: None };
    };
    if tool.now.facts.is_none() {
        return Judgement { refused: Some(Objection::Malformed), shadow: None };
    }
    let by_pin = config.pin.as_ref().and_then(|pin| pin.objection(tool));
    let in_shadow = config.pin.as_ref().is_some_and(|pin| pin.shadow);
    let suspected = || tool.now.findings.first().filter(|_| config.hides(tool)).map(|it| Objection::Suspected(*it));
    match by_pin {
        Some(_) if in_shadow => Judgement { refused: suspected(), shadow: by_pin },
        Some(_) => Judgement { refused: by_pin, shadow: None },
        None => Judgement { refused: suspected(), shadow: None },
    }
}

/// The setting of a server that does not let a tool through of which nothing is known.
fn must_know(config: &ServerConfig) -> Option<&'static str> {
    let pinned = config.pin.as_ref().is_some_and(|pin| !pin.shadow);
    match config.lint {
        _ if pinned => Some("pin"),
        Lint::Hide => Some("lint"),
        _ if config.check_arguments => Some("check_arguments"),
        _ if config.check_results => Some("check_results"),
        Lint::None | Lint::Warn => None,
    }
}

impl Pin {
    fn objection(&self, tool: &Tool) -> Option<Objection> {
        let found = tool.now.digest;
        match self.tools.get(tool.name.as_str()).copied() {
            Some(pinned) => (pinned != found).then_some(Objection::Changed { pinned, found }),
            None if self.first_use => {
                let pinned = tool.first();
                (pinned != found).then_some(Objection::Changed { pinned, found })
            }
            None => Some(Objection::NotPinned { found }),
        }
    }
}

impl ServerConfig {
    /// The digest of a tool's definition that is approved by this configuration.
    #[must_use]
    pub fn pinned(&self, tool: &str) -> Option<Digest> {
        self.pin.as_ref().and_then(|pin| pin.tools.get(tool).copied())
    }

    /// Whether suspicion is enough to hide a tool: somebody who pins a definition has read it.
    fn hides(&self, tool: &Tool) -> bool {
        self.lint == Lint::Hide && self.pinned(&tool.name) != Some(tool.now.digest)
    }
}

impl Objection {
    /// The stable reason code.
    #[must_use]
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::NotSeen(_) => "tool_not_seen",
            Self::Malformed => "tool_malformed",
            Self::Changed { .. } => "tool_changed",
            Self::NotPinned { .. } => "tool_not_pinned",
            Self::Suspected(_) => "tool_suspected",
        }
    }

    /// Where in the configuration it stands.
    #[must_use]
    pub fn rule(&self, server: &str) -> String {
        match self {
            Self::NotSeen(setting) => format!("servers.{server}.{setting}"),
            Self::Malformed => format!("servers.{server}"),
            Self::Changed { .. } | Self::NotPinned { .. } => format!("servers.{server}.pin"),
            Self::Suspected(_) => format!("servers.{server}.lint"),
        }
    }
}

impl fmt::Display for Objection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotSeen(_) => f.write_str("not seen in a list since the gateway started; list the tools first"),
            Self::Malformed => f.write_str("its definition is not what MCP wants"),
            Self::Changed { pinned, found } => write!(
                f,
                "its definition has the digest {found}, and {pinned} is pinned; who has read the new one and agrees \
                 pins its digest in `pin.tools`"
            ),
            Self::NotPinned { found } => write!(
                f,
                "its definition has the digest {found}, and none is pinned; who has read it and agrees pins its digest \
                 in `pin.tools`"
            ),
            Self::Suspected(finding) => write!(
                f,
                "{} in its {}; who has read it and agrees pins its digest in `pin.tools`",
                finding.suspicion.name(),
                finding.part.name()
            ),
        }
    }
}
