//! What the rules say of a request. Pure.

use crate::config::{Agent, Gate};
use crate::exchange::{Asked, Decided};
use crate::refusal::Refusal;
use tollgate_identity::Token;
use tollgate_kernel::a2a::policy::{self, Content, Verdict};
use tollgate_kernel::caller::Caller;

/// Who calls whom, and when.
#[derive(Debug, Clone, Copy)]
pub struct Context<'c> {
    /// The configuration.
    pub gate: &'c Gate,
    /// The agent that is called.
    pub callee: &'c Agent,
    /// Who calls.
    pub caller: &'c Caller,
    /// The verified token, where one proves that.
    pub token: Option<&'c Token>,
    /// Milliseconds since 1970.
    pub now_ms: u64,
}

impl Context<'_> {
    /// What the rules say of a request; and why it is refused, if they do.
    pub fn decide(&self, asked: &Asked) -> (Decided, Result<(), Refusal>) {
        let content = asked.said.as_ref().map_or(Content::Unread, |said| Content::Read {
            tenant: said.tenant.as_deref(),
            skill: said.skill.as_deref(),
        });
        let question = policy::Asked {
            callee: self.callee.name.as_str(),
            operation: &asked.operation,
            content,
            extensions: asked.said.as_ref().map_or(&[], |said| &said.extensions),
            actors: &self.caller.chain,
            now_ms: self.now_ms,
        };
        let decision = self.gate.rules.decide(&question, |field| self.caller.subject.text(field));
        let rule = decision.rule.map(|rule| format!("rules.{rule}"));
        let verdict = match decision.verdict {
            Verdict::Allow => Ok(()),
            Verdict::Deny => Err(Refusal::denied(rule.clone(), decision.reason.name(), decision.told)),
        };
        let decided = Decided {
            verdict: decision.verdict.name(),
            rule,
            reason: decision.reason.name(),
            shadow: decision.shadow.map(|(rule, verdict)| (format!("rules.{rule}"), verdict.name())),
        };
        (decided, verdict)
    }
}

#[cfg(test)]
mod tests;
