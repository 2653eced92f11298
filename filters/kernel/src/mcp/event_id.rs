//! Ids of events belong to their session.
//!
//! In the revisions with sessions a client takes a stream up again behind the event whose id it names. Servers may keep the events of
//! all sessions in one place, so an id that somebody has seen or guessed would lead to another's. So the id that a client gets is
//! `<mac>.<the server's id>`, over the session that the event was sent in, and only that session can use it. As with the ids of
//! [sessions](super::session) nothing is kept.
//!
//! [`Sealer`] writes them into a stream as it comes, byte for byte as it is but for these lines.

use super::session::Owner;
use crate::signing_keys::SigningKeys;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use memchr::memchr2;

/// The longest id of a server's. A longer one is left out: nothing is taken up again behind it.
pub const MAX_ID: usize = 512;
/// 32 bytes in base64.
const MAC: usize = 43;
const PURPOSE: &[u8] = b"tollgate-mcp-event\0";
const FIELD: &[u8] = b"id:";
const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// The ids of one session's events.
#[derive(Clone)]
pub struct EventIds {
    /// Whose session it is, and its id.
    session: Vec<u8>,
}

impl EventIds {
    /// Those of the owner's session that its server calls `id`.
    #[must_use]
    pub fn of(owner: &Owner<'_>, id: &[u8]) -> Self {
        Self { session: [&owner.id().bytes()[..], id, b"\0"].concat() }
    }

    /// What the client carries for the server's `id`; `None` for one that is too long.
    #[must_use]
    pub fn seal(&self, keys: &SigningKeys, id: &[u8]) -> Option<Vec<u8>> {
        let mac = (id.len() <= MAX_ID).then(|| keys.sign(&[PURPOSE, &self.session, id]))?;
        Some([URL_SAFE_NO_PAD.encode(mac).as_bytes(), b".", id].concat())
    }

    /// The server's id in what a client carries, if it is one of this session's.
    #[must_use]
    pub fn open<'c>(&self, keys: &SigningKeys, carried: &'c [u8]) -> Option<&'c [u8]> {
        let (mac, id) = carried.split_at_checked(MAC)?;
        let id = id.strip_prefix(b".").filter(|id| id.len() <= MAX_ID)?;
        let mac: [u8; 32] = URL_SAFE_NO_PAD.decode(mac).ok()?.try_into().ok()?;
        keys.verify(&[PURPOSE, &self.session, id], &mac).then_some(id)
    }
}

/// Without the session's id.
impl std::fmt::Debug for EventIds {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("EventIds")
    }
}

/// Seals the ids in one stream of server-sent events, however that is cut.
#[derive(Debug)]
pub struct Sealer {
    ids: EventIds,
    line: Line,
    /// Nothing of the stream was seen yet, so a byte order mark may come.
    at_start: bool,
}

/// The line that is being read.
#[derive(Debug)]
enum Line {
    /// It may be an id's: what came of it, which is held.
    Held(Vec<u8>),
    /// It is another one.
    Other,
    /// It is an id's that is too long, and left out.
    TooLong,
}

impl Sealer {
    /// One at the start of a stream.
    #[must_use]
    pub const fn new(ids: EventIds) -> Self {
        Self { ids, line: Line::Held(Vec::new()), at_start: true }
    }

    /// What the client gets instead of the next `bytes`; `None`: those.
    pub fn push(&mut self, keys: &SigningKeys, bytes: &[u8]) -> Option<Vec<u8>> {
        let mut out = Vec::with_capacity(bytes.len().saturating_add(64));
        let mut rest = bytes;
        while !rest.is_empty() {
            let (line, after) = rest.split_at(memchr2(b'\r', b'\n', rest).unwrap_or(rest.len()));
            self.read(line, &mut out);
            rest = match after.split_first() {
                Some((end, after)) => {
                    self.end(keys, &mut out);
                    out.push(*end);
                    after
                }
                None => after,
            };
        }
        (out != bytes).then_some(out)
    }

    /// What is left of a line that the stream has cut off: no client reads it.
    #[must_use]
    pub fn finish(&mut self) -> Vec<u8> {
        match std::mem::replace(&mut self.line, Line::Other) {
            Line::Held(held) => held,
            Line::Other | Line::TooLong => Vec::new(),
        }
    }

    /// A piece of a line.
    fn read(&mut self, piece: &[u8], out: &mut Vec<u8>) {
        match &mut self.line {
            Line::Other => out.extend_from_slice(piece),
            Line::TooLong => {}
            Line::Held(held) => {
                held.extend_from_slice(piece);
                if self.at_start && held.starts_with(BYTE_ORDER_MARK) {
                    out.extend(held.drain(..BYTE_ORDER_MARK.len()));
                    self.at_start = false;
                }
                let may_be_mark = self.at_start && BYTE_ORDER_MARK.starts_with(held);
                self.at_start = may_be_mark;
                let may_be_id = held.starts_with(FIELD) || FIELD.starts_with(held);
                if !may_be_id && !may_be_mark {
                    out.append(held);
                    self.line = Line::Other;
                } else if held.len() > MAX_ID.saturating_add(FIELD.len()).saturating_add(1) {
                    self.line = Line::TooLong;
                }
            }
        }
    }

    /// The line is over.
    fn end(&mut self, keys: &SigningKeys, out: &mut Vec<u8>) {
        self.at_start = false;
        match std::mem::replace(&mut self.line, Line::Held(Vec::new())) {
            Line::Held(held) => match held.strip_prefix(FIELD).map(|value| value.strip_prefix(b" ").unwrap_or(value)) {
                // Without a value it makes clients forget the one before.
                Some(id) if !id.is_empty() => {
                    out.extend_from_slice(b"id: ");
                    // INVARIANT: longer ones are not held.
                    out.extend(self.ids.seal(keys, id).unwrap_or_default());
                }
                _ => out.extend(held),
            },
            // A comment in its place: clients read over it.
            Line::TooLong => out.push(b':'),
            Line::Other => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::session::Owner;
    use super::{EventIds, MAX_ID, Sealer};
    use crate::signing_keys::SigningKeys;
    use crate::subject::Subject;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    fn keys() -> SigningKeys {
        SigningKeys::random(&[1; 32])
    }

    fn of(server: &str, fields: &str, id: &[u8]) -> EventIds {
        let subject: Subject = tollgate_config::read(fields).unwrap();
        EventIds::of(&Owner { server, subject: &subject }, id)
    }

    fn sealed(stream: &[u8], cut: usize) -> Vec<u8> {
        let mut sealer = Sealer::new(of("crm", "{}", b"s"));
        let mut out = Vec::new();
        for chunk in stream.chunks(cut.max(1)) {
            out.extend(sealer.push(&keys(), chunk).unwrap_or_else(|| chunk.to_vec()));
        }
        out.extend(sealer.finish());
        out
    }

    fn carried(id: &str) -> String {
        String::from_utf8(of("crm", "{}", b"s").seal(&keys(), id.as_bytes()).unwrap()).unwrap()
    }

    #[test]
    fn an_id_is_its_sessions_alone() {
        let ids = of("crm", "{}", b"session");
        let carried = ids.seal(&keys(), b"event-7").unwrap();
        assert_eq!(ids.open(&keys(), &carried), Some(&b"event-7"[..]));
        for other in
            [of("crm", "{}", b"session2"), of("wiki", "{}", b"session"), of("crm", r#"{"user": "ada"}"#, b"session")]
        {
            assert_eq!(other.open(&keys(), &carried), None);
        }
        assert_eq!(ids.open(&SigningKeys::random(&[2; 32]), &carried), None);
        for forged in [&b"event-7"[..], b"", &carried[..43], &carried[1..], &[&carried[..], b"8"].concat()] {
            assert_eq!(ids.open(&keys(), forged), None, "{forged:?}");
        }
    }

    #[test]
    fn ids_of_a_stream_are_sealed_and_nothing_else_is_touched() {
        let (one, two) = (carried("1"), carried("a b"));
        let long = "x".repeat(MAX_ID + 1);
        for (stream, expected) in [
            ("id: 1\ndata: {}\n\n".to_owned(), format!("id: {one}\ndata: {{}}\n\n")),
            ("data: 1\r\nid:1\r\n\r\nid:a b\r\r".to_owned(), format!("data: 1\r\nid: {one}\r\n\r\nid: {two}\r\r")),
            ("\u{feff}id: 1\n\n".to_owned(), format!("\u{feff}id: {one}\n\n")),
            (format!("id: {long}\ndata: 1\n\n"), ":\ndata: 1\n\n".to_owned()),
        ] {
            for cut in 1..=stream.len() {
                assert_eq!(String::from_utf8(sealed(stream.as_bytes(), cut)).unwrap(), expected, "cut at {cut}");
            }
        }
        for same in [
            "id\n\n",
            "id:\n\n",
            "id: \n\n",
            "idea: 1\n",
            " id: 1\n",
            ": id: 1\n",
            "data: id: 1\n",
            "retry: 5\n\n",
            "ID: 1\n",
            "data: {\"a\":1}\n\n",
            "",
            "i",
            "id",
            "id: cut off",
            "\u{feff}data: 1\n\n",
        ] {
            for cut in 1..=same.len().max(1) {
                assert_eq!(sealed(same.as_bytes(), cut), same.as_bytes(), "{same:?} cut at {cut}");
            }
        }
    }

    #[cfg(not(target_arch = "wasm32"))]
    proptest::proptest! {
        #[test]
        fn what_comes_out_does_not_depend_on_cuts(stream in "(id: ?|id|data:|\u{feff}|[a-z]|\r|\n|\0){0,40}", cut in 1_usize..8) {
            proptest::prop_assert_eq!(sealed(stream.as_bytes(), cut), sealed(stream.as_bytes(), usize::MAX));
        }
    }
}
