//! `additionalModelRequestFields` of a provider's request: what only some models know, each family under its own name.

use super::write_content::is_readable;
use crate::bedrock_converse::model::{Family, Thinking};
use crate::conversation::{Effort, Part, ReasoningRequest, Request, Role, ToolChoice};
use crate::dropped::Dropped;
use tollgate_kernel::json::Writer;

/// The least that Claude thinks with.
const MIN_BUDGET: u64 = 1024;

/// The most that Nova's `topK` may be.
const MAX_NOVA_TOP_K: u64 = 128;

/// How the model is asked to think.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asked {
    /// `thinking` with a budget.
    Budget(u64),
    /// `thinking` as much as it likes, and `outputConfig.effort`.
    Adaptive { effort: Option<Effort>, shown: Option<bool> },
    /// Nova's `reasoningConfig`.
    Nova(Effort),
    /// `reasoning_effort`.
    Oss(Effort),
    /// `reasoning.effort`.
    Openai(Effort),
}

impl Asked {
    /// What of the client's wish the model can be asked.
    pub(super) fn of(request: &Request, family: Family, dropped: &mut Dropped) -> Option<Self> {
        let reasoning = request.reasoning?;
        let (asked, all) = match family.thinking() {
            Thinking::Budget => budget(request, reasoning),
            Thinking::Adaptive => adaptive(request, reasoning, family),
            Thinking::NovaEffort => nova(request, reasoning),
            Thinking::OssEffort => oss(reasoning),
            Thinking::OpenaiEffort => openai(reasoning),
            // Models that are known and cannot think do what is asked when that is not to.
            Thinking::Unknown => (None, is_off(reasoning) && family != Family::Other),
        };
        dropped.push_if(!all, "reasoning");
        asked
    }

    pub(super) const fn is_of_claude(&self) -> bool {
        matches!(self, Self::Budget(_) | Self::Adaptive { .. })
    }

    /// `outputConfig.effort`.
    pub(super) fn effort(&self) -> Option<&'static str> {
        match self {
            Self::Adaptive { effort, .. } => effort.map(Effort::name),
            Self::Budget(_) | Self::Nova(_) | Self::Oss(_) | Self::Openai(_) => None,
        }
    }
}

/// What is asked, and whether that is all that was wished.
type Decision = (Option<Asked>, bool);

fn is_off(reasoning: ReasoningRequest) -> bool {
    reasoning.effort == Some(Effort::None) || reasoning.budget_tokens == Some(0)
}

fn effort(reasoning: ReasoningRequest) -> Option<Effort> {
    reasoning.effort.or_else(|| reasoning.budget_tokens.map(Effort::of_budget))
}

/// The budget must leave room for an answer.
fn budget(request: &Request, reasoning: ReasoningRequest) -> Decision {
    if is_off(reasoning) {
        return (None, true);
    }
    let wished = reasoning.budget_tokens.unwrap_or_else(|| reasoning.effort.unwrap_or(Effort::Medium).budget_tokens());
    let room = request.max_output_tokens.map_or(u64::MAX, |tokens| tokens.saturating_sub(1));
    if room < MIN_BUDGET || is_forced(request) || goes_on_without_thinking(request) {
        return (None, false);
    }
    (Some(Asked::Budget(wished.max(MIN_BUDGET).min(room))), reasoning.shown != Some(false))
}

fn adaptive(request: &Request, reasoning: ReasoningRequest, family: Family) -> Decision {
    if is_off(reasoning) {
        // Some later models always think.
        return (None, !family.is_claude(4, 7));
    }
    if is_forced(request) {
        return (None, false);
    }
    let wished = effort(reasoning);
    let effort = wished.map(|effort| match effort {
        Effort::None | Effort::Minimal => Effort::Low,
        Effort::Xhigh if !family.is_claude(4, 7) => Effort::High,
        known => known,
    });
    let all = wished != Some(Effort::Xhigh) || effort == wished;
    (Some(Asked::Adaptive { effort, shown: reasoning.shown }), all)
}

/// Nova shows nothing of what it thinks, and as much as it can think only where nothing else is set.
fn nova(request: &Request, reasoning: ReasoningRequest) -> Decision {
    if is_off(reasoning) {
        return (None, true);
    }
    let sampling = request.sampling;
    let is_bound = request.max_output_tokens.is_some() || sampling.temperature.is_some() || sampling.top_p.is_some();
    let effort = of_three(effort(reasoning).unwrap_or(Effort::Medium));
    let possible = if effort == Effort::High && is_bound { Effort::Medium } else { effort };
    (Some(Asked::Nova(possible)), possible == effort && reasoning.shown != Some(true))
}

fn oss(reasoning: ReasoningRequest) -> Decision {
    let effort = effort(reasoning).unwrap_or(Effort::Medium);
    (Some(Asked::Oss(of_three(effort))), effort != Effort::None && reasoning.shown != Some(false))
}

fn openai(reasoning: ReasoningRequest) -> Decision {
    let effort = match effort(reasoning).unwrap_or(Effort::Medium) {
        Effort::Minimal => Effort::Low,
        known => known,
    };
    (Some(Asked::Openai(effort)), reasoning.shown != Some(true))
}

const fn of_three(effort: Effort) -> Effort {
    match effort {
        Effort::None | Effort::Minimal | Effort::Low => Effort::Low,
        Effort::Medium => Effort::Medium,
        Effort::High | Effort::Xhigh | Effort::Max => Effort::High,
    }
}

/// Claude does not think when it is told which tool to call, or how its answer begins, and that matters more.
fn is_forced(request: &Request) -> bool {
    let call = matches!(request.tool_choice, Some(ToolChoice::Required | ToolChoice::Named(_)));
    let begun = request.messages.last().is_some_and(|message| message.role == Role::Assistant);
    begun || (call && !request.tools.is_empty())
}

/// Whether the model's last turn called tools without having thought, as another provider's turn looks here: Claude with
/// a budget takes none.
fn goes_on_without_thinking(request: &Request) -> bool {
    let last = request.messages.iter().rev().find(|message| message.role == Role::Assistant);
    last.is_some_and(|message| {
        let calls = message.parts.iter().any(|part| matches!(part, Part::ToolCall(_)));
        let thought = message.parts.iter().any(|part| matches!(part, Part::Reasoning(said) if is_readable(said)));
        calls && !thought
    })
}

/// Writes the fields, if there is any.
pub(super) fn write_extra(
    request: &Request,
    family: Family,
    asked: Option<&Asked>,
    dropped: &mut Dropped,
    json: &mut Writer<'_>,
) {
    let top_k = top_k(request, family, asked, dropped);
    let one_call = one_call(request, family, dropped);
    if asked.is_none() && top_k.is_none() && !one_call {
        return;
    }
    json.key("additionalModelRequestFields").open_object();
    if let Some(asked) = asked {
        write_asked(asked, json);
    }
    match top_k {
        Some(top_k) if family.is_claude(0, 0) => json.key("top_k").number(top_k),
        Some(top_k) => {
            json.key("inferenceConfig").open_object().key("topK").number(top_k);
            json.close_object();
        }
        None => {}
    }
    if one_call {
        // Without a type: `toolConfig` has it, and Bedrock refuses it twice.
        json.key("tool_choice").open_object().key("disable_parallel_tool_use").flag(true);
        json.close_object();
    }
    json.close_object();
}

fn write_asked(asked: &Asked, json: &mut Writer<'_>) {
    match asked {
        Asked::Budget(tokens) => {
            json.key("thinking").open_object().key("type").text("enabled");
            json.key("budget_tokens").number(*tokens);
        }
        Asked::Adaptive { shown, .. } => {
            json.key("thinking").open_object().key("type").text("adaptive");
            if let Some(shown) = shown {
                json.key("display").text(if *shown { "summarized" } else { "omitted" });
            }
        }
        Asked::Nova(effort) => {
            json.key("reasoningConfig").open_object().key("type").text("enabled");
            json.key("maxReasoningEffort").text(effort.name());
        }
        Asked::Oss(effort) => return json.key("reasoning_effort").text(effort.name()),
        Asked::Openai(effort) => json.key("reasoning").open_object().key("effort").text(effort.name()),
    }
    json.close_object();
}

fn top_k(request: &Request, family: Family, asked: Option<&Asked>, dropped: &mut Dropped) -> Option<u64> {
    let top_k = request.sampling.top_k?;
    let is_taken = match family {
        Family::Claude(..) => family.samples() && !asked.is_some_and(Asked::is_of_claude),
        Family::Nova | Family::Nova2 => top_k <= MAX_NOVA_TOP_K,
        Family::GptOss | Family::Openai | Family::Other => false,
    };
    dropped.push_if(!is_taken, "top_k");
    is_taken.then_some(top_k)
}

/// Whether the model is to be told that it may call one tool at most. Only later Claudes can be told.
fn one_call(request: &Request, family: Family, dropped: &mut Dropped) -> bool {
    if request.parallel_tool_calls != Some(false)
        || request.tools.is_empty()
        || request.tool_choice == Some(ToolChoice::None)
    {
        return false;
    }
    let is_taken = family.is_claude(4, 5);
    dropped.push_if(!is_taken, "parallel_tool_calls");
    is_taken
}
