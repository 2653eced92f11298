//! How much the model may think.

use super::Generation;
use super::turns::Turn;
use crate::conversation::{Effort, ReasoningRequest, Request, Role, ToolChoice};
use crate::dropped::Dropped;
use tollgate_kernel::json::Writer;

/// `max_tokens` when the client set no bound, without thinking: Anthropic requires one, and every current model allows
/// this much.
const DEFAULT_MAX_TOKENS: u64 = 4096;

/// Anthropic refuses a lower budget.
const MIN_BUDGET: u64 = 1024;

/// What is said of thinking.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Thinking {
    pub(super) way: Way,
    pub(super) effort: Option<Effort>,
    display: Option<&'static str>,
    /// Thinking is part of it.
    pub(super) max_tokens: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// Nothing: as the model does by default.
    Default,
    Disabled,
    Adaptive,
    Budget(u64),
}

impl Thinking {
    pub(super) fn of(request: &Request, generation: Generation, turns: &[Turn<'_>], dropped: &mut Dropped) -> Self {
        let bound = request.max_output_tokens;
        let max_tokens = bound.unwrap_or(DEFAULT_MAX_TOKENS);
        let none = Self { way: Way::Default, effort: None, display: None, max_tokens };
        let Some(asked) = request.reasoning else { return none };
        if asked.effort == Some(Effort::None) || asked.budget_tokens == Some(0) {
            return Self { way: Way::Disabled, ..none };
        }
        let (wished, effort) = way(asked, generation);
        let Some(way) = possible(wished, request, turns) else {
            dropped.push("reasoning");
            return Self { effort, ..none };
        };
        dropped.push_if(way != wished, "reasoning");
        let display = asked.shown.map(|shown| if shown { "summarized" } else { "omitted" });
        // A client that set no bound gets the room to think beside the room to answer.
        let room = match way {
            Way::Budget(budget) => budget,
            _ => effort.unwrap_or(Effort::Medium).budget_tokens(),
        };
        let max_tokens = bound.unwrap_or(DEFAULT_MAX_TOKENS.saturating_add(room));
        Self { way, effort, display, max_tokens }
    }

    pub(super) const fn is_on(&self) -> bool {
        matches!(self.way, Way::Adaptive | Way::Budget(_))
    }

    pub(super) fn write(&self, out: &mut Writer<'_>) {
        let kind = match self.way {
            Way::Default => return,
            Way::Disabled => "disabled",
            Way::Adaptive => "adaptive",
            Way::Budget(_) => "enabled",
        };
        out.key("thinking").open_object();
        out.key("type").text(kind);
        if let Way::Budget(budget) = self.way {
            out.key("budget_tokens").number(budget);
        }
        out.text_if("display", self.display);
        out.close_object();
    }
}

/// The way to think and the effort that say the same to the model. An effort is also how much it writes, so it is said
/// beside a budget where the model knows both.
fn way(asked: ReasoningRequest, generation: Generation) -> (Way, Option<Effort>) {
    let ReasoningRequest { effort, budget_tokens, .. } = asked;
    let known = effort.map(|effort| match effort {
        Effort::None | Effort::Minimal => Effort::Low,
        // Since 4.7.
        Effort::Xhigh if generation == Generation::Both => Effort::High,
        effort => effort,
    });
    match (generation, budget_tokens) {
        (Generation::Budgeted, budget) => {
            (Way::Budget(budget.unwrap_or_else(|| effort.unwrap_or(Effort::Medium).budget_tokens())), None)
        }
        (Generation::Adaptive, budget) => {
            (Way::Adaptive, known.or_else(|| budget.map(|budget| Effort::of_budget(budget).max(Effort::Low))))
        }
        (Generation::Both | Generation::Other, Some(budget)) => (Way::Budget(budget), known),
        (Generation::Both | Generation::Other, None) => (Way::Adaptive, known),
    }
}

/// The nearest way that Anthropic takes with this request, `None` when there is none. A budget must be at least 1024 and
/// less than `max_tokens`. That is what the client lets the answer cost, so it is never raised: a budget that does not
/// fit in it leaves half of it to the answer.
fn possible(way: Way, request: &Request, turns: &[Turn<'_>]) -> Option<Way> {
    // A call that the client insists on is more than thinking about it.
    if matches!(request.tool_choice, Some(ToolChoice::Required | ToolChoice::Named(_))) && !request.tools.is_empty() {
        return None;
    }
    let Way::Budget(budget) = way else { return Some(way) };
    let bound = request.max_output_tokens.unwrap_or(u64::MAX);
    if bound <= MIN_BUDGET || goes_on_without_thinking(turns) {
        return None;
    }
    let fitting = if budget < bound { budget } else { bound.div_euclid(2) };
    Some(Way::Budget(fitting.max(MIN_BUDGET)))
}

/// Whether the model is to go on with a turn that it, or another model, began without thinking: a call whose result is
/// here, or text to be continued. With a budget, thinking can only begin a turn.
fn goes_on_without_thinking(turns: &[Turn<'_>]) -> bool {
    let unfinished = match turns {
        [.., calls, results] if results.role == Role::User && results.begins_with_result() => Some(calls),
        [.., last] if last.role == Role::Assistant => Some(last),
        _ => None,
    };
    unfinished.is_some_and(|turn| !turn.has_thinking())
}

#[cfg(test)]
mod tests;
