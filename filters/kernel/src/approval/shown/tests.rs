use super::safe_text;
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

#[test]
fn what_is_what_it_looks_like_stays() {
    for text in [
        "",
        "delete_row users 42 \"quoted\" 'x' <b>&amp;",
        "Zürich, Łódź, São Paulo, naïve",
        "Привет Людмила",
        "Ελλάδα λόγος",
        "東京都 ありがとう カタカナ 한국어",
        "5 € for §3 at 20°",
    ] {
        assert_eq!(safe_text(text), text);
    }
}

#[test]
fn what_is_not_is_written_out() {
    for (text, shown) in [
        ("a\0b\u{7f}", "a\\u{0}b\\u{7f}"),
        ("a\nb\tc\rd", "a\\nb\\tc\\rd"),
        ("a\\nb", "a\\\\nb"),
        // From right to left, and marks that say so.
        ("invoice\u{202e}fdp.exe", "invoice\\u{202e}fdp.exe"),
        ("a\u{2066}b\u{2069}c", "a\\u{2066}b\\u{2069}c"),
        ("\u{200f}\u{61c}", "\\u{200f}\\u{61c}"),
        ("שלום", "\\u{5e9}\\u{5dc}\\u{5d5}\\u{5dd}"),
        // Not seen.
        ("us\u{200b}ers\u{feff}\u{ad}\u{2060}", "us\\u{200b}ers\\u{feff}\\u{ad}\\u{2060}"),
        ("a\u{a0}b\u{2003}c\u{3000}", "a\\u{a0}b\\u{2003}c\\u{3000}"),
        ("tag\u{e0041}\u{fe0f}", "tag\\u{e0041}\\u{fe0f}"),
        ("e\u{301}", "e\\u{301}"),
        ("line\u{2028}\u{85}", "line\\u{2028}\\u{85}"),
        // Looks like something else: the whole word, or a letter in it.
        ("раураl", "\\u{440}\\u{430}\\u{443}\\u{440}\\u{430}l"),
        ("сосо", "\\u{441}\\u{43e}\\u{441}\\u{43e}"),
        ("usеrs", "us\\u{435}rs"),
        ("adminд", "admin\\u{434}"),
        ("Πay", "\\u{3a0}ay"),
        ("етсノpasswd", "\\u{435}\\u{442}\\u{441}\\u{30ce}passwd"),
        ("1ノ2", "1\\u{30ce}2"),
        ("ｕｓｅｒｓ", "\\u{ff55}\\u{ff53}\\u{ff45}\\u{ff52}\\u{ff53}"),
        ("𝐮𝐬𝐞𝐫𝐬", "\\u{1d42e}\\u{1d42c}\\u{1d41e}\\u{1d42b}\\u{1d42c}"),
        ("dıgıt", "d\\u{131}g\\u{131}t"),
        ("ſ", "\\u{17f}"),
        ("“users”", "\\u{201c}users\\u{201d}"),
        ("a‐b−c", "a\\u{2010}b\\u{2212}c"),
        ("аbc Привет", "\\u{430}bc Привет"),
        ("😀", "\\u{1f600}"),
    ] {
        assert_eq!(safe_text(text), shown, "{}", text.escape_unicode());
    }
}

#[cfg(not(target_arch = "wasm32"))]
mod properties {
    use super::super::{letter, safe_text};
    use proptest::prelude::*;

    proptest! {
        /// Two texts that are shown the same are the same, and nothing of what is shown is anything but what it seems.
        #[test]
        fn it_is_unambiguous_and_has_only_what_may_be_seen(
            one in r"[ab\\un{}0-9а\u{202e}е\n]{0,12}", other in r"[ab\\un{}0-9а\u{202e}е\n]{0,12}", any in any::<String>()
        ) {
            prop_assert_eq!(one == other, safe_text(&one) == safe_text(&other));
            let may_be_seen = |char: char| (' '..='~').contains(&char) || "£§°€".contains(char) || letter(char).is_some();
            prop_assert!(safe_text(&any).chars().all(may_be_seen));
        }
    }
}
