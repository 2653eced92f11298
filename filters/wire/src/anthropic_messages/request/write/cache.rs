//! Marks for the prompt cache.

use crate::conversation::CacheTtl;
use tollgate_kernel::json::Writer;

/// Anthropic refuses more.
const MAX_MARKS: usize = 4;

/// Makes marks, in the order of the prompt (tools, system, messages), ones that Anthropic takes: the last four, and none
/// for an hour after one for five minutes. Whether anything was lost by it.
pub(super) fn keep_to_the_rules(mut marks: Vec<&mut Option<CacheTtl>>) -> bool {
    let more = marks.len().saturating_sub(MAX_MARKS);
    let mut lost = more > 0;
    for mark in marks.drain(..more) {
        *mark = None;
    }
    let mut shortened = false;
    for mark in marks {
        if shortened && *mark == Some(CacheTtl::Long) {
            *mark = Some(CacheTtl::Short);
            lost = true;
        }
        shortened |= *mark == Some(CacheTtl::Short);
    }
    lost
}

/// Writes the field that marks an object.
pub(super) fn write_cache_control(cache: Option<CacheTtl>, out: &mut Writer<'_>) {
    let Some(ttl) = cache else { return };
    out.key("cache_control").open_object().key("type").text("ephemeral");
    if ttl == CacheTtl::Long {
        out.key("ttl").text("1h");
    }
    out.close_object();
}

#[cfg(test)]
mod tests {
    use super::*;
    use CacheTtl::{Long, Short};
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn the_last_four_marks_stay_and_a_long_one_never_follows_a_short_one() {
        for (asked, kept, lost) in [
            (&[][..], &[][..], false),
            (&[Long, Long, Short, Short], &[Some(Long), Some(Long), Some(Short), Some(Short)], false),
            (&[Short, Long], &[Some(Short), Some(Short)], true),
            (&[Short, Long, Long, Short, Long], &[None, Some(Long), Some(Long), Some(Short), Some(Short)], true),
            (&[Long; 6], &[None, None, Some(Long), Some(Long), Some(Long), Some(Long)], true),
        ] {
            let mut marks: Vec<Option<CacheTtl>> = asked.iter().copied().map(Some).collect();
            assert_eq!(keep_to_the_rules(marks.iter_mut().collect()), lost, "{asked:?}");
            assert_eq!(marks, kept);
        }
    }
}
