//! What only some of OpenAI's models understand, by their names. One whose name does not tell is asked what all take.

use crate::conversation::{Part, Request};

/// The first model that can be told where to end a cached prompt. Those before cache by themselves, and refuse the field.
const FIRST_WITH_BREAKPOINTS: (u32, u32) = (5, 6);

/// Takes the cache hints away that `request`'s model does not understand.
pub(crate) fn keep_what_is_understood(request: &mut Request) {
    if version(&request.model).is_some_and(|version| version >= FIRST_WITH_BREAKPOINTS) {
        return;
    }
    let mut hinted = false;
    let instructions = request.system.iter_mut().map(|system| &mut system.cache);
    for hint in instructions.chain(request.tools.iter_mut().map(|tool| &mut tool.cache)) {
        hinted |= hint.take().is_some();
    }
    for message in &mut request.messages {
        let before = message.parts.len();
        message.parts.retain(|part| !matches!(part, Part::CacheBreakpoint(_)));
        hinted |= message.parts.len() < before;
    }
    if hinted {
        request.note_dropped("cache_control");
    }
}

/// The version in `gpt-5.6-mini`, behind any prefix that ends in a slash.
fn version(model: &str) -> Option<(u32, u32)> {
    let name = model.rsplit('/').next()?.strip_prefix("gpt-")?;
    let number = name.split('-').next()?;
    let (major, minor) = number.split_once('.').unwrap_or((number, "0"));
    Some((major.parse().ok()?, minor.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conversation::{CacheTtl, Message, Role};
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn only_a_model_that_is_known_to_understand_them_gets_cache_hints() {
        for (model, understands) in [
            ("gpt-5.6", true),
            ("gpt-5.10-mini", true),
            ("gpt-6", true),
            ("openai/gpt-5.6", true),
            ("gpt-5.5", false),
            ("gpt-5", false),
            ("gpt-4o", false),
            ("o3", false),
            ("llama-4-maverick", false),
            ("", false),
        ] {
            let parts = vec![Part::Text("Hi".to_owned()), Part::CacheBreakpoint(CacheTtl::Short)];
            let mut request = Request {
                model: model.to_owned(),
                messages: vec![Message { role: Role::User, parts }],
                ..Request::default()
            };
            keep_what_is_understood(&mut request);
            assert_eq!(request.messages[0].parts.len() == 2, understands, "{model}");
            assert_eq!(request.dropped.is_empty(), understands, "{model}");
        }
    }
}
