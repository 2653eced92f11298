use super::{Event, Framer, TooLarge, rewrite};
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

const ROOMY: usize = 1 << 16;

/// Name and data of one event.
type Owned = (Vec<u8>, Vec<u8>);

fn owned(event: Event<'_>) -> Owned {
    (event.name.to_vec(), event.data.to_vec())
}

fn events<'a>(expected: &[(&'a str, &'a str)]) -> Vec<Owned> {
    expected.iter().map(|(name, data)| (name.as_bytes().to_vec(), data.as_bytes().to_vec())).collect()
}

/// All events of a stream that comes in `chunks`, and whether one was too large.
fn framed<'a>(limit: usize, chunks: impl IntoIterator<Item = &'a [u8]>) -> (Vec<Owned>, Result<(), TooLarge>) {
    let mut framer = Framer::new(limit);
    let mut seen = Vec::new();
    for chunk in chunks {
        let pushed = framer.push(chunk, |event| seen.push(owned(event)));
        assert!(framer.pending() <= limit);
        if pushed.is_err() {
            return (seen, pushed);
        }
    }
    framer.finish(|event| seen.push(owned(event)));
    (seen, Ok(()))
}

/// Streams, and the events in them. `|` stands for a line end.
const STREAMS: &[(&str, &[(&str, &str)])] = &[
    ("data: a||", &[("", "a")]),
    ("data: a||data: b||", &[("", "a"), ("", "b")]),
    // One space after the colon is not part of the value; a second one is.
    ("data:a||data:  a||", &[("", "a"), ("", " a")]),
    ("event: ping|data: {}||", &[("ping", "{}")]),
    ("data: {}|event: ping||", &[("ping", "{}")]),
    ("event: a|event: b|data: x||", &[("b", "x")]),
    ("event|data: x||", &[("", "x")]),
    ("data: a|data: b|data:|data||", &[("", "a\nb\n\n")]),
    // The three streams of the standard's examples.
    ("data: YHOO|data: +2|data: 10||", &[("", "YHOO\n+2\n10")]),
    (
        ": test stream||data: first event|id: 1||data:second event|id||data:  third event||",
        &[("", "first event"), ("", "second event"), ("", " third event")],
    ),
    ("data||data|data||", &[("", ""), ("", "\n")]),
    // A name does not outlive its event, told or not.
    ("event: a||data: x||", &[("", "x")]),
    ("event: a|data: x||data: y||", &[("a", "x"), ("", "y")]),
    (":||: keep-alive||||data: x|||||", &[("", "x")]),
    ("data: x|: in between|retry: 10|id: 7|unknown: z|data: y||", &[("", "x\ny")]),
    ("Data: x||data : x|| data: x||data: y||", &[("", "y")]),
    ("data: a:b: c||", &[("", "a:b: c")]),
    ("\u{feff}data: x||", &[("", "x")]),
    ("\u{feff}|data: x||", &[("", "x")]),
    ("\u{feff}\u{feff}data: x||data: y||", &[("", "y")]),
    ("data: x||\u{feff}data: y||", &[("", "x")]),
    ("data: \u{feff}x||", &[("", "\u{feff}x")]),
    ("", &[]),
    ("|||", &[]),
    // Cut streams: what `finish` tells.
    ("data: a||data: [DONE]|", &[("", "a"), ("", "[DONE]")]),
    ("data: a||event: e|data: [DONE]", &[("", "a"), ("e", "[DONE]")]),
    ("data: a|dat", &[("", "a")]),
    ("event: a", &[]),
];

#[test]
fn every_line_end_and_every_split_gives_the_same_events() {
    for (stream, expected) in STREAMS {
        let expected = events(expected);
        for line_end in ["\n", "\r", "\r\n"] {
            let raw = stream.replace('|', line_end);
            let raw = raw.as_bytes();
            let told = |chunks: &[&[u8]]| framed(ROOMY, chunks.iter().copied());
            assert_eq!(told(&[raw]), (expected.clone(), Ok(())), "{raw:?}");
            assert_eq!(framed(ROOMY, raw.chunks(1)), (expected.clone(), Ok(())), "{raw:?} byte by byte");
            for at in 0..=raw.len() {
                let (head, tail) = raw.split_at(at);
                assert_eq!(told(&[head, b"", tail]), (expected.clone(), Ok(())), "{raw:?} cut at {at}");
            }
        }
    }
}

#[test]
fn line_ends_may_be_mixed() {
    let (seen, _) = framed(ROOMY, [b"data: a\r\ndata: b\rdata: c\n\r\ndata: d\n\rdata: e\r\r".as_slice()]);
    assert_eq!(seen, events(&[("", "a\nb\nc"), ("", "d"), ("", "e")]));
}

#[test]
fn bytes_that_are_not_utf8_pass_as_they_are() {
    let (seen, _) = framed(ROOMY, [b"data: \xFF\0\xC3\n\n".as_slice()]);
    assert_eq!(seen, [(Vec::new(), b"\xFF\0\xC3".to_vec())]);
}

#[test]
fn each_slice_between_two_ends_holds_exactly_one_event() {
    let raw = b": hi\r\n\r\ndata: a\r\n\r\nevent: x\n\ndata: b\ndata: c\n\ndata: d\r\rdata: e";
    let mut slices = Vec::new();
    let mut start = 0;
    Framer::new(ROOMY)
        .push(raw, |event| {
            slices.push((raw[start..event.end].to_vec(), owned(event)));
            start = event.end;
        })
        .unwrap();
    assert_eq!(slices.len(), 3);
    for (slice, event) in &slices {
        assert_eq!(framed(ROOMY, [slice.as_slice()]).0, std::slice::from_ref(event));
    }
    let mut rejoined: Vec<u8> = slices.into_iter().flat_map(|(slice, _)| slice).collect();
    rejoined.extend_from_slice(&raw[start..]);
    assert_eq!(rejoined, raw);
}

#[test]
fn an_event_cut_within_its_last_crlf_ends_at_the_cr() {
    let mut framer = Framer::new(ROOMY);
    let mut ends = Vec::new();
    framer.push(b"data: a\r\n\r", |event| ends.push(event.end)).unwrap();
    framer.push(b"\ndata: b\r\n\r\n", |event| ends.push(event.end)).unwrap();
    assert_eq!(ends, [10, 12]);
}

#[test]
fn an_event_begun_in_an_earlier_chunk_ends_within_the_last_one() {
    let mut framer = Framer::new(ROOMY);
    let mut ends = Vec::new();
    framer.push(b"data: a\n", |event| ends.push(event.end)).unwrap();
    framer.push(b"\ndata: b", |event| ends.push(event.end)).unwrap();
    framer.finish(|event| ends.push(event.end));
    assert_eq!(ends, [1, 0]);
}

#[test]
fn a_whole_event_with_one_line_of_data_is_not_copied() {
    let raw = b"event: delta\ndata: {\"text\":\"hi\"}\n\n";
    let within = |part: &[u8]| raw.as_ptr_range().contains(&part.as_ptr());
    Framer::new(ROOMY).push(raw, |event| assert!(within(event.name) && within(event.data))).unwrap();
}

#[test]
fn pending_counts_what_the_unfinished_event_holds() {
    let mut framer = Framer::new(ROOMY);
    for (chunk, pending) in [
        (b"event: ab\n".as_slice(), 2),
        (b"data: cde", 2 + 9),
        (b"\n", 2 + 3),
        (b": a comment\n", 2 + 3),
        (b"data: f\n", 2 + 3 + 2),
        (b"\n", 0),
        (b"\n\n", 0),
    ] {
        framer.push(chunk, |_| {}).unwrap();
        assert_eq!(framer.pending(), pending, "after {chunk:?}");
    }
}

/// Every byte is of one event, or between events, or unfinished: whoever cuts an event out of a stream cuts the same
/// bytes however they came.
#[test]
fn the_size_of_an_event_does_not_depend_on_the_chunks() {
    let raw = b": hi\r\n\r\n: and\r\ndata: a\r\n\r\n\r\nid: 1\n\ndata: b\ndata: c\n\n\ndata: d\r\rdata: e\n";
    let sizes = |chunks: &mut dyn Iterator<Item = &[u8]>| {
        let (mut framer, mut sizes) = (Framer::new(ROOMY), Vec::new());
        chunks.for_each(|chunk| framer.push(chunk, |event| sizes.push(event.size)).unwrap());
        sizes.push(framer.unfinished());
        framer.finish(|event| sizes.push(event.size));
        assert_eq!(framer.unfinished(), 0);
        sizes
    };
    assert_eq!(sizes(&mut [raw.as_slice()].into_iter()), [18, 17, 9, 8, 8]);
    // Between the CR and the LF of a blank line the event ends at the CR.
    assert_eq!(sizes(&mut raw.chunks(1)), [17, 17, 9, 8, 8]);
}

#[test]
fn an_event_is_rewritten_where_its_data_was_and_nowhere_else() {
    for (from, data, to) in [
        ("data: a||", "b", "data: b||"),
        ("data:a||", "", "data: ||"),
        ("data||", "b", "data: b||"),
        (
            "\u{feff}:c|event: x|data: a|id: 1|data|retry: 2|data:c||",
            "b",
            "\u{feff}:c|event: x|data: b|id: 1|retry: 2||",
        ),
        ("\u{feff}data: a||", "b\nc\r", "\u{feff}data: b|data: c|data: ||"),
        ("data: a|databases: x|Data: y||", "b", "data: b|databases: x|Data: y||"),
    ] {
        for line_end in ["\n", "\r", "\r\n"] {
            let [from, to] = [from, to].map(|raw| raw.replace('|', line_end));
            let mut out = Vec::new();
            rewrite(from.as_bytes(), data.as_bytes(), &mut out);
            assert_eq!(String::from_utf8(out).unwrap(), to);
        }
    }
}

#[test]
fn the_limit_is_met_exactly() {
    let refused = Err(TooLarge { max_event_bytes: 9 });
    for (raw, outcome) in [
        ("data: xyz\n\n", Ok(())),
        ("data: wxyz\n\n", refused),
        ("data: wxyz", refused),
        ("data:x\ndata:y\n\n", Ok(())),
        ("data:x\ndata:yz\n\ndata:xyz\n\n", Ok(())),
        ("data:x\ndata:y\n:\n:\n\n", Ok(())), // 18 bytes before the blank line's end
        ("data:x\ndata:y\n:\n::\n\n", refused),
        ("data:x\r\ndata:y\r\n::\r\n\r\n", refused),
        (&":\n".repeat(9), Ok(())),
        (&":\r\n".repeat(6), Ok(())),
        (&":\r\n".repeat(7), refused),
        ("event:x\ndata:x\n\n", Ok(())),
        (": comment\n", Ok(())),
        (": comments\n", refused),
    ] {
        assert_eq!(framed(9, [raw.as_bytes()]).1, outcome, "{raw:?} at once");
        assert_eq!(framed(9, raw.as_bytes().chunks(1)).1, outcome, "{raw:?} byte by byte");
    }
}

#[test]
fn an_endless_line_is_refused_and_holds_nothing() {
    for endless in ["data: x", "x", ":", "event: "] {
        let mut framer = Framer::new(1000);
        framer.push(endless.as_bytes(), |_| {}).unwrap();
        let refused = (0..1000).find(|_| {
            assert!(framer.pending() <= 1000);
            framer.push(&[b'x'; 100], |_| panic!("nothing was completed")).is_err()
        });
        assert!(refused.is_some_and(|pushes| pushes <= 10), "{endless:?}");
        assert_eq!(framer.pending(), 0);
    }
}

#[test]
fn an_endless_event_of_short_lines_is_refused() {
    assert!(framed(1000, std::iter::repeat_n(b"data: x\n".as_slice(), 1000)).1.is_err());
    // Empty data grows too, by the LF that joins it.
    assert!(framed(1000, std::iter::repeat_n(b"data\n".as_slice(), 2000)).1.is_err());
}

#[test]
fn endless_comments_are_refused_unless_blank_lines_stand_between_them() {
    assert_eq!(framed(100, std::iter::repeat_n(b": keep-alive\n\n".as_slice(), 1000)), (Vec::new(), Ok(())));
    assert!(framed(100, std::iter::repeat_n(b": keep-alive\n".as_slice(), 1000)).1.is_err());
}

#[test]
fn events_before_one_that_is_too_large_are_told_and_none_after() {
    let mut framer = Framer::new(8);
    let mut seen = Vec::new();
    let outcome = framer.push(b"data: a\n\ndata: much\n\ndata: b\n\n", |event| seen.push(owned(event)));
    assert_eq!(outcome.unwrap_err().to_string(), "an event of the stream is larger than 8 bytes");
    assert!(framer.push(b"data: c\n\n", |event| seen.push(owned(event))).is_err());
    assert_eq!(framer.unfinished(), "data: much\n\ndata: b\n\n".len());
    framer.finish(|event| seen.push(owned(event)));
    assert_eq!(seen, events(&[("", "a")]));
}

#[cfg(not(target_arch = "wasm32"))]
#[expect(clippy::arithmetic_side_effects, reason = "tests")]
mod any_stream {
    use super::{Owned, framed};
    use proptest::prelude::*;

    /// A stream made of the pieces that matter, in any order.
    fn raw() -> impl Strategy<Value = Vec<u8>> {
        let piece = prop::sample::select(vec![
            b"data".as_slice(),
            b"event",
            b"id",
            b":",
            b" ",
            b"x",
            b"\n",
            b"\n\n",
            b"\r",
            b"\r\n",
            b"\r\n\r\n",
            b"data: y",
            b"\xEF\xBB\xBF",
            b"\xEF",
            b"\xBB",
            b"\xFF",
        ]);
        prop::collection::vec(piece, 0..60).prop_map(|pieces| pieces.concat())
    }

    /// The standard's algorithm as it is written there, over the whole stream; the unfinished event is told too.
    fn by_the_book(raw: &[u8]) -> Vec<Owned> {
        let raw = raw.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(raw);
        let lf_only: Vec<u8> = raw
            .iter()
            .enumerate()
            .filter(|(at, byte)| !(**byte == b'\n' && *at > 0 && raw[at - 1] == b'\r'))
            .map(|(_, byte)| if *byte == b'\r' { b'\n' } else { *byte })
            .collect();
        let (mut told, mut name, mut data) = (Vec::new(), Vec::new(), Vec::new());
        let ended = [lf_only.as_slice(), b"\n\n"].concat();
        for line in ended.split(|byte| *byte == b'\n') {
            let mut parts = line.splitn(2, |byte| *byte == b':');
            let (field, value) = (parts.next().unwrap(), parts.next().unwrap_or_default());
            let value = value.strip_prefix(b" ").unwrap_or(value);
            if line.is_empty() {
                if data.pop().is_some() {
                    told.push((name.clone(), data.clone()));
                }
                (name, data) = (Vec::new(), Vec::new());
            } else if field == b"event" {
                name = value.to_vec();
            } else if field == b"data" {
                data.extend_from_slice(value);
                data.push(b'\n');
            }
        }
        told
    }

    fn chunks<'a>(raw: &'a [u8], cuts: &[prop::sample::Index]) -> Vec<&'a [u8]> {
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(raw.len() + 1)).collect();
        cuts.extend([0, raw.len()]);
        cuts.sort_unstable();
        cuts.windows(2).map(|cut| &raw[cut[0]..cut[1]]).collect()
    }

    proptest! {
        #[test]
        fn gives_the_events_of_the_standard(raw in raw()) {
            prop_assert_eq!(framed(usize::MAX, [raw.as_slice()]).0, by_the_book(&raw));
        }

        #[test]
        fn gives_the_same_events_and_refusal_in_any_chunks(
            raw in raw(),
            cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..8),
            limit in 0..40_usize,
        ) {
            prop_assert_eq!(framed(limit, chunks(&raw, &cuts)), framed(limit, [raw.as_slice()]));
        }
    }
}
