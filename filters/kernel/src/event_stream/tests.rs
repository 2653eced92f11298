use super::{Broken, CRC, Event, Framer, TooLarge};
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

const ROOMY: usize = 1 << 16;

/// Name and data of one event.
type Owned = (String, String);

fn owned(event: Event<'_>) -> Owned {
    (String::from_utf8_lossy(event.name).into_owned(), String::from_utf8_lossy(event.data).into_owned())
}

fn events(expected: &[(&str, &str)]) -> Vec<Owned> {
    expected.iter().map(|(name, data)| ((*name).to_owned(), (*data).to_owned())).collect()
}

fn header(name: &str, kind: u8, value: &[u8]) -> Vec<u8> {
    [&[u8::try_from(name.len()).unwrap()], name.as_bytes(), &[kind], value].concat()
}

fn text(name: &str, value: &str) -> Vec<u8> {
    let length = u16::try_from(value.len()).unwrap().to_be_bytes();
    header(name, 7, &[&length, value.as_bytes()].concat())
}

/// A prelude with the right checksum.
fn prelude(length: usize, headers: usize) -> Vec<u8> {
    let numbers = [length, headers].map(|number| u32::try_from(number).unwrap().to_be_bytes()).concat();
    let checksum = CRC.checksum(&numbers).to_be_bytes();
    [numbers, checksum.to_vec()].concat()
}

fn frame(headers: &[Vec<u8>], payload: &str) -> Vec<u8> {
    let headers = headers.concat();
    let length = headers.len().saturating_add(payload.len()).saturating_add(16);
    let checked = [prelude(length, headers.len()), headers, payload.as_bytes().to_vec()].concat();
    let checksum = CRC.checksum(&checked).to_be_bytes();
    [checked, checksum.to_vec()].concat()
}

fn event(name: &str, payload: &str) -> Vec<u8> {
    frame(&[text(":message-type", "event"), text(":event-type", name)], payload)
}

/// What a whole stream says.
fn framed<'a>(limit: usize, chunks: impl IntoIterator<Item = &'a [u8]>) -> (Vec<Owned>, Result<(), Broken>) {
    let mut framer = Framer::new(limit);
    let mut seen = Vec::new();
    for chunk in chunks {
        let pushed = framer.push(chunk, |event| seen.push(owned(event)));
        assert!(framer.pending() <= limit.max(11));
        if pushed.is_err() {
            return (seen, pushed);
        }
    }
    framer.finish();
    (seen, Ok(()))
}

#[test]
fn the_checksums_are_those_of_amazons_own_test_vector() {
    // It has no name, so it is refused for that alone.
    assert_eq!(prelude(61, 32), b"\0\0\0\x3d\0\0\0\x20\x07\xfd\x83\x96");
    let raw = b"\0\0\0=\0\0\0 \x07\xfd\x83\x96\x0ccontent-type\x07\0\x10application/json{'foo':'bar'}\x8d\x9c\x08\xb1";
    assert_eq!(framed(ROOMY, [raw.as_slice()]), (Vec::new(), Err(Broken::Unnamed)));
}

#[test]
fn the_message_type_decides_which_header_is_the_name() {
    for (headers, payload, expected) in [
        (vec![text(":event-type", "a")], "{}", ("a", "{}")),
        (vec![text(":event-type", "a"), text(":message-type", "event")], "", ("a", "")),
        (vec![text(":message-type", "exception"), text(":exception-type", "b")], "{}", ("b", "{}")),
        (vec![text(":message-type", "error"), text(":error-code", "c")], "x", ("c", "x")),
        (
            vec![text(":message-type", "error"), text(":error-message", "no luck"), text(":error-code", "c")],
            "",
            ("c", "no luck"),
        ),
        (vec![text(":message-type", "new"), text(":event-type", "a")], "{}", ("a", "{}")),
    ] {
        let raw = frame(&headers, payload);
        assert_eq!(framed(ROOMY, [raw.as_slice()]), (events(&[expected]), Ok(())), "{headers:?}");
    }
    for headers in [
        vec![],
        vec![text(":event-type", "")],
        vec![text(":message-type", "exception"), text(":event-type", "a")],
        vec![text(":message-type", "error"), text(":event-type", "a")],
    ] {
        let raw = frame(&headers, "{}");
        assert_eq!(framed(ROOMY, [raw.as_slice()]), (Vec::new(), Err(Broken::Unnamed)), "{headers:?}");
    }
}

#[test]
fn headers_of_every_type_are_read_over() {
    let others = [
        header("true", 0, b""),
        header("false", 1, b""),
        header("byte", 2, b"\xff"),
        header("short", 3, b"\0\x01"),
        header("integer", 4, b"\0\0\0\x01"),
        header("long", 5, b"\0\0\0\0\0\0\0\x01"),
        header("bytes", 6, b"\0\x02\xff\xfe"),
        text("text", "héllo"),
        header("timestamp", 8, b"\0\0\0\0\0\0\0\x01"),
        header("uuid", 9, b"0123456789abcdef"),
    ];
    for other in &others {
        let raw = frame(&[other.clone(), text(":event-type", "a"), other.clone()], "{}");
        assert_eq!(framed(ROOMY, [raw.as_slice()]), (events(&[("a", "{}")]), Ok(())), "{other:?}");
    }
    let raw = frame(&[others.concat(), text(":event-type", "a")], "");
    assert_eq!(framed(ROOMY, [raw.as_slice()]).1, Ok(()));
}

#[test]
fn a_header_of_another_form_is_broken() {
    for wrong in [
        header("", 0, b""),
        header("a", 10, b""),
        header("a", 255, b""),
        header("a", 2, b""),
        header("a", 7, b"\0"),
        header("a", 7, b"\0\x02x"),
        header("a", 6, b"\xff\xffx"),
        header("a", 9, b"0123456789abcde"),
        b"\x05a".to_vec(),
        b"\x01a".to_vec(),
        text(":event-type", "b"),
        header(":message-type", 0, b""),
        header(":exception-type", 6, b"\0\x01b"),
    ] {
        let raw = frame(&[text(":event-type", "a"), wrong.clone()], "");
        assert_eq!(framed(ROOMY, [raw.as_slice()]), (Vec::new(), Err(Broken::Header)), "{wrong:?}");
    }
}

#[test]
fn what_is_broken_is_told_once_and_nothing_after_it_is_read() {
    let good = event("a", "{}");
    let mut broken = good.clone();
    *broken.last_mut().unwrap() ^= 1;
    let raw = [good.as_slice(), &broken, &good].concat();
    let mut framer = Framer::new(ROOMY);
    let mut seen = Vec::new();
    assert_eq!(framer.push(&raw, |event| seen.push(owned(event))), Err(Broken::FrameChecksum));
    assert_eq!(framer.push(&good, |event| seen.push(owned(event))), Err(Broken::FrameChecksum));
    assert_eq!((framer.pending(), framer.unfinished()), (0, broken.len() + good.len()));
    assert_eq!(seen, events(&[("a", "{}")]));
    assert_eq!(Broken::FrameChecksum.to_string(), "the checksum of a frame is wrong");
}

#[test]
fn every_flipped_bit_is_found() {
    let good = event("contentBlockDelta", r#"{"delta":{"text":"Hi"},"contentBlockIndex":0}"#);
    for at in 0..good.len() * 8 {
        let mut raw = [good.as_slice(), &good, &good].concat();
        raw[good.len() + at / 8] ^= 1 << (at % 8);
        let (seen, result) = framed(ROOMY, [raw.as_slice()]);
        let expected = if at < 12 * 8 { Broken::PreludeChecksum } else { Broken::FrameChecksum };
        assert_eq!((seen.len(), result), (1, Err(expected)), "bit {at}");
    }
}

#[test]
fn lengths_that_contradict_each_other_are_refused() {
    for (length, headers) in [(0, 0), (15, 0), (16, 1), (100, 85), (16, u32::MAX as usize)] {
        let raw = prelude(length, headers);
        assert_eq!(framed(ROOMY, [raw.as_slice()]).1, Err(Broken::Lengths), "{length} {headers}");
        assert_eq!(framed(ROOMY, raw.chunks(1)).1, Err(Broken::Lengths), "{length} {headers}");
    }
}

#[test]
fn a_hostile_length_is_refused_before_anything_is_held_for_it() {
    let refused = Broken::TooLarge(TooLarge { max_event_bytes: ROOMY });
    for length in [ROOMY + 1, u32::MAX as usize] {
        let raw = prelude(length, 0);
        let mut framer = Framer::new(ROOMY);
        assert_eq!(framer.push(&raw, |_| {}), Err(refused));
        assert_eq!(framer.open.capacity(), 0);
    }
    // An allowed length takes no more memory than bytes have come.
    let mut framer = Framer::new(ROOMY);
    framer.push(&prelude(ROOMY, 0), |_| {}).unwrap();
    assert!(framer.open.capacity() < 64);
    assert_eq!(refused.to_string(), "an event of the stream is larger than 65536 bytes");
}

#[test]
fn the_limit_is_met_exactly() {
    let raw = event("a", "{}");
    for (limit, met) in [(raw.len(), true), (raw.len() - 1, false)] {
        assert_eq!(framed(limit, [raw.as_slice()]).1.is_ok(), met);
        assert_eq!(framed(limit, raw.chunks(1)).1.is_ok(), met);
    }
}

#[test]
fn each_slice_between_two_ends_holds_exactly_one_event() {
    let raw = [event("a", "1"), event("b", "22"), event("c", "333")].concat();
    let mut start = 0;
    let mut framer = Framer::new(ROOMY);
    framer
        .push(&raw, |event| {
            assert_eq!(event.size, event.end - start);
            assert_eq!(framed(ROOMY, [&raw[start..event.end]]), (vec![owned(event)], Ok(())));
            start = event.end;
        })
        .unwrap();
    assert_eq!((start, framer.pending(), framer.unfinished()), (raw.len(), 0, 0));
}

#[test]
fn an_event_begun_in_an_earlier_chunk_ends_within_the_last_one() {
    let raw = event("a", "{}");
    let (head, tail) = raw.split_at(20);
    let mut framer = Framer::new(ROOMY);
    framer.push(head, |_| panic!("not whole")).unwrap();
    assert_eq!((framer.pending(), framer.unfinished()), (20, 20));
    let mut ends = Vec::new();
    framer.push(&[tail, head].concat(), |event| ends.push((event.end, event.size))).unwrap();
    assert_eq!(ends, [(raw.len() - 20, raw.len())]);
    assert_eq!((framer.pending(), framer.unfinished()), (20, 20));
    framer.finish();
    assert_eq!((framer.pending(), framer.unfinished()), (0, 0));
}

#[test]
fn a_whole_frame_is_not_copied() {
    let raw = event("a", "{}");
    let within = |part: &[u8]| raw.as_ptr_range().contains(&part.as_ptr());
    Framer::new(ROOMY).push(&raw, |event| assert!(within(event.name) && within(event.data))).unwrap();
}

#[cfg(not(target_arch = "wasm32"))]
#[expect(clippy::arithmetic_side_effects, reason = "tests")]
mod any_stream {
    use super::{event, framed};
    use proptest::prelude::*;

    /// Whole frames, broken ones and bytes that are none.
    fn raw() -> impl Strategy<Value = Vec<u8>> {
        let good = ("[a-z]{1,8}", ".{0,20}").prop_map(|(name, data)| event(&name, &data));
        let flipped = (good.clone(), any::<prop::sample::Index>()).prop_map(|(mut frame, at)| {
            let at = at.index(frame.len());
            frame[at] ^= 0x10;
            frame
        });
        let noise = prop::collection::vec(any::<u8>(), 0..40);
        let piece = prop_oneof![8 => good, 1 => flipped, 1 => noise];
        prop::collection::vec(piece, 0..6).prop_map(|pieces| pieces.concat())
    }

    fn chunks<'a>(raw: &'a [u8], cuts: &[prop::sample::Index]) -> Vec<&'a [u8]> {
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(raw.len() + 1)).collect();
        cuts.extend([0, raw.len()]);
        cuts.sort_unstable();
        cuts.windows(2).map(|cut| &raw[cut[0]..cut[1]]).collect()
    }

    proptest! {
        #[test]
        fn gives_the_same_events_and_refusal_in_any_chunks(
            raw in raw(),
            cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..8),
            limit in 30..100_usize,
        ) {
            let whole = framed(limit, [raw.as_slice()]);
            prop_assert_eq!(framed(limit, chunks(&raw, &cuts)), whole.clone());
            prop_assert_eq!(framed(limit, raw.chunks(1)), whole);
        }
    }
}
