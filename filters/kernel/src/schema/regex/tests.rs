use super::super::budget::Budget;
use super::Regex;
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

fn fits(pattern: &str, text: &str) -> bool {
    let regex = Regex::new(pattern).unwrap_or_else(|_| panic!("{pattern}"));
    regex.is_match(text, &mut Budget::new(1_000_000)).unwrap()
}

#[test]
fn an_expression_finds_what_ecma_262_says() {
    for (pattern, fitting, others) in [
        ("", &["", "a"][..], &[][..]),
        ("b", &["b", "abc"], &["", "ac"]),
        ("^a", &["a", "ab"], &["ba"]),
        ("a$", &["a", "ba"], &["ab", "a\n"]),
        ("^(a|bc|)d$", &["ad", "bcd", "d"], &["bd", "abcd"]),
        ("^a*$", &["", "aaa"], &["b", "ab"]),
        ("^a+?b??$", &["a", "aab"], &["b", "abb"]),
        ("^a{2}$", &["aa"], &["a", "aaa"]),
        ("^a{2,}$", &["aa", "aaaa"], &["a"]),
        ("^(ab){1,2}$", &["ab", "abab"], &["", "ababab"]),
        ("^a{0}$", &[""], &["a"]),
        ("^a{,2}$", &["a{,2}"], &["aa"]),
        ("^{a}]$", &["{a}]"], &["a"]),
        ("^(a*)*$", &["", "aaa"], &["b"]),
        ("^(|a)+$", &["", "aa"], &["b"]),
        (".", &["a", "é", "\u{1f600}"], &["", "\n", "\r", "\u{2028}"]),
        ("^.$", &["\u{1f600}"], &["ab"]),
        ("^[a-cx]$", &["a", "b", "x"], &["d", "-"]),
        ("^[^a-c]$", &["d", "\n"], &["a", ""]),
        ("^[-a]$|^[a-]$", &["-", "a"], &["b"]),
        (r"^[\w-]$", &["-", "_", "a"], &["é", " "]),
        (r"^[\d-x]$", &["-", "x", "5"], &["e"]),
        (r"^[\]\\\-]$", &["]", "\\", "-"], &["a"]),
        ("^[]$", &[], &["", "a"]),
        ("^[^]$", &["a", "\n"], &["", "aa"]),
        (r"^[\S]$", &["a"], &[" ", "\u{feff}"]),
        (r"^[^\S]$", &[" ", "\u{a0}"], &["a"]),
        (r"^\d\D\w\W\s\S$", &["1a_- x"], &["٣a_- x", "1a_-  "]),
        (r"^\t\n\r\f\v\0$", &["\t\n\r\u{c}\u{b}\0"], &["tnrfv0"]),
        (r"^\cC\x41\u0042\u{1f600}\ud83d\ude00$", &["\u{3}AB\u{1f600}\u{1f600}"], &["cAB"]),
        (r"^\/\.\-\@\$$", &["/.-@$"], &["/a-@$"]),
        (r"\bcat\b", &["cat", "a cat."], &["concat", "cats"]),
        (r"\Bcat", &["concat"], &["cat"]),
        (r"[\b]", &["\u{8}"], &["b"]),
        ("^(?:a)(?<name>b)$", &["ab"], &["a"]),
        ("á", &["á", "xáx"], &["a"]),
    ] {
        fitting.iter().for_each(|text| assert!(fits(pattern, text), "{pattern} {text:?}"));
        others.iter().for_each(|text| assert!(!fits(pattern, text), "{pattern} {text:?}"));
    }
}

#[test]
fn what_lies_around_a_place_can_be_asked_for() {
    for (pattern, fitting, others) in [
        ("^(?=.*\\d)(?=.*[a-z]).{4,}$", &["ab12", "1abc"][..], &["abcd", "1234", "a1"][..]),
        ("^(?!admin).*$", &["user", "xadmin"], &["admin", "administrator"]),
        ("^(?!\\.)(?!.*\\.\\.)[a-z.]+@[a-z]+$", &["a.b@c"], &[".a@c", "a..b@c"]),
        ("a(?!b)", &["ac", "abac", "a"], &["ab"]),
        ("(?<=\\$)\\d", &["$1"], &["1", "€1"]),
        ("(?<!\\$)\\d$", &["1", "$12"], &["$1"]),
        ("^(?=(?!b)[a-c])", &["a", "cb"], &["b", "d"]),
        ("(?=a$)", &["ba"], &["ab"]),
        ("(?<=^a)b", &["ab"], &["aab"]),
        ("x(?=\\b)", &["x", "x y"], &["xy"]),
        ("(?=ab)a", &["ab"], &["ba"]),
    ] {
        fitting.iter().for_each(|text| assert!(fits(pattern, text), "{pattern} {text:?}"));
        others.iter().for_each(|text| assert!(!fits(pattern, text), "{pattern} {text:?}"));
    }
}

#[test]
fn what_is_not_supported_is_no_expression() {
    for pattern in [
        "(",
        ")",
        "a)",
        "[a",
        "*",
        "a**",
        "a+*",
        "^*",
        "(?=a)*",
        "a{2,1}",
        "a{9999999999}",
        "(a{1000}){1000}",
        "[b-a]",
        "\\",
        "\\p{L}",
        "\\1",
        "\\k<a>",
        "(?i)a",
        "(?P<a>b)",
        "(?<>a)",
        "(?>a)",
        "\\z",
        "\\xg0",
        "\\u12",
        "\\ud800",
        "\\u{110000}",
        "\\c1",
        "\\01",
    ] {
        assert!(Regex::new(pattern).is_err(), "{pattern}");
    }
    assert!(Regex::new(&("(".repeat(100) + &")".repeat(100))).is_err());
}

#[test]
fn work_is_linear_in_the_text() {
    let steps = |pattern: &str, length: usize| {
        let (text, regex) = ("a".repeat(length), Regex::new(pattern).unwrap());
        (0..).map(|power| 1 << power).find(|steps| regex.is_match(&text, &mut Budget::new(*steps)).is_ok()).unwrap()
    };
    for pattern in ["^(a+)+$", "^(a|aa)+$", "(a*)*b", "^(a|a)*b", "(.*a){12}b", "(?=(a*)*b)", "(?<!(a|aa)+b)$"] {
        assert!(steps(pattern, 4096) <= 32 * steps(pattern, 256), "{pattern}");
    }
    let (regex, text) = (Regex::new("^.{0,2000}.{0,2000}b").unwrap(), "a".repeat(4000));
    assert!(regex.is_match(&text, &mut Budget::new(1_000_000)).is_err());
}
