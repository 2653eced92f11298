//! What a request may use at most.

use crate::config::Target;
use tollgate_limits::Need;
use tollgate_wire::endpoint::Operation;
use tollgate_wire::envelope::Envelope;

/// What most models take, in tokens.
const MOST_INPUT: u64 = 200_000;

/// What a request may use at most of `target`, with `input` tokens as they are estimated. The output is bound by the request,
/// or by the model.
#[must_use]
pub fn of_target(target: &Target, operation: Operation, envelope: &Envelope, input: u64) -> Need {
    let bound = match (envelope.max_output_tokens, target.max_output_tokens) {
        (Some(asked), Some(most)) => Some(asked.min(most)),
        (asked, most) => asked.or(most),
    };
    let input =
        if envelope.repeat.continued { input.max(target.max_input_tokens.unwrap_or(MOST_INPUT)) } else { input };
    let predicted = if envelope.predicts { input } else { 0 };
    let output = match operation {
        Operation::Chat => bound.map(|bound| bound.saturating_mul(envelope.answers).saturating_add(predicted)),
        Operation::Embeddings => Some(0),
        // To count tokens is free.
        Operation::CountTokens | Operation::Models => return Need { tokens: Some(0), nano_usd: Some(0) },
    };
    let price = target.price.as_ref();
    Need {
        tokens: output.map(|output| input.saturating_add(output)),
        nano_usd: output.zip(price).map(|(output, listed)| listed.price.most(input, output, envelope.premium).0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::example;
    use tollgate_wire::Format;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn what_the_provider_adds_is_reserved_for_as_much_as_the_model_takes() {
        for (field, tokens) in
            [("\"store\":true", 1100), ("\"conversation\":\"c\"", 200_100), ("\"previous_response_id\":\"r\"", 200_100)]
        {
            let body = format!("{{\"model\":\"claude\",\"max_output_tokens\":100,{field}}}");
            let admitted = example::admitted(Format::OpenaiResponses, &body);
            let need = |most, input| {
                let target = Target { max_input_tokens: most, ..admitted.targets()[0].clone() };
                of_target(&target, Operation::Chat, &admitted.envelope, input).tokens
            };
            assert_eq!(need(None, 1000), Some(tokens), "{field}");
            assert_eq!(need(Some(4000), 1000), Some(tokens.min(4100)), "{field}");
            assert_eq!(need(Some(4000), 9000), Some(9100), "{field}");
        }
    }

    #[test]
    fn the_output_is_bound_by_the_request_or_by_the_model() {
        for (asked, most, operation, tokens, cost) in [
            // 1000 tokens of input and the output, at 3 and 15 dollars a million.
            ("\"max_tokens\":100", None, Operation::Chat, Some(1100), Some(4_500_000)),
            ("\"max_tokens\":100", Some(50), Operation::Chat, Some(1050), Some(3_750_000)),
            ("\"max_tokens\":100,\"n\":3", Some(200), Operation::Chat, Some(1300), Some(7_500_000)),
            // What does not come as it was predicted is billed as output, beyond the bound.
            ("\"max_tokens\":100,\"prediction\":{}", None, Operation::Chat, Some(2100), Some(19_500_000)),
            ("\"x\":1", Some(50), Operation::Chat, Some(1050), Some(3_750_000)),
            ("\"x\":1", None, Operation::Chat, None, None),
            ("\"x\":1", None, Operation::Embeddings, Some(1000), Some(3_000_000)),
            ("\"x\":1", None, Operation::CountTokens, Some(0), Some(0)),
        ] {
            let admitted = example::admitted(Format::OpenaiChat, &format!("{{\"model\":\"claude\",{asked}}}"));
            let target = Target { max_output_tokens: most, ..admitted.targets()[0].clone() };
            let need = of_target(&target, operation, &admitted.envelope, 1000);
            assert_eq!((need.tokens, need.nano_usd), (tokens, cost), "{asked} {most:?} {operation:?}");
            let unpriced = of_target(&Target { price: None, ..target }, operation, &admitted.envelope, 1000);
            assert_eq!(unpriced.tokens, tokens);
            assert_eq!(unpriced.nano_usd, (operation == Operation::CountTokens).then_some(0));
        }
    }
}
