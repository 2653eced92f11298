//! A session belongs to the subject that opened it.
//!
//! The id that a client carries is `<mac><what it can>.<the server's id>`: HMAC-SHA-256 in base64url over the server's name,
//! every field of the subject, and what stands behind it. So nothing is kept, any Envoy with the same keys knows it, and it
//! proves nothing for anybody else, nor at another server. A subject that changes in any field, its tier for one, opens a new
//! session, as after any 404.

use crate::digest::short;
use crate::hex;
use crate::owner::{self, OwnerId};
use crate::signing_keys::SigningKeys;
use crate::subject::{Subject, SubjectField};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

/// The longest id of a server's.
pub const MAX_ID: usize = 256;
/// 32 bytes in base64.
const MAC: usize = 43;
const PURPOSE: &[u8] = b"tollgate-mcp-session";

/// What the client of a session said that it can, when it opened it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Client {
    /// Nothing that matters later.
    #[default]
    Plain,
    /// Send its person to an address.
    OpensAddresses,
}

/// Whose session it is: who, at which server.
#[derive(Debug, Clone, Copy)]
pub struct Owner<'o> {
    /// The server's name.
    pub server: &'o str,
    /// Who.
    pub subject: &'o Subject,
}

impl Owner<'_> {
    /// What the client carries for the server's `id`; `None` for what MCP allows no id to be, and for what is too long.
    #[must_use]
    pub fn seal(&self, keys: &SigningKeys, id: &[u8], client: Client) -> Option<String> {
        let id = str::from_utf8(id).ok().filter(|id| is_id(id.as_bytes()))?;
        let sealed = format!("{}.{id}", char::from(client.letter()));
        let mac = keys.sign(&self.parts(sealed.as_bytes()));
        Some(format!("{}{sealed}", URL_SAFE_NO_PAD.encode(mac)))
    }

    /// The server's id in what a client carries, if it is this owner's, and what the client can.
    #[must_use]
    pub fn open<'c>(&self, keys: &SigningKeys, carried: &'c [u8]) -> Option<(&'c [u8], Client)> {
        let (mac, sealed) = carried.split_at_checked(MAC)?;
        let mac: [u8; 32] = URL_SAFE_NO_PAD.decode(mac).ok()?.try_into().ok()?;
        let [letter, b'.', id @ ..] = sealed else { return None };
        let client = Client::of_letter(*letter).filter(|_| is_id(id))?;
        keys.verify(&self.parts(sealed), &mac).then_some((id, client))
    }

    /// Of whom something is.
    #[must_use]
    pub fn id(&self) -> OwnerId {
        OwnerId::of(&self.parts(b""))
    }

    fn parts<'p>(&'p self, last: &'p [u8]) -> Vec<&'p [u8]> {
        let mut parts = owner::parts(PURPOSE, &[self.server], self.subject, &SubjectField::ALL);
        parts.push(last);
        parts
    }
}

impl Client {
    const fn letter(self) -> u8 {
        match self {
            Self::Plain => b'-',
            Self::OpensAddresses => b'u',
        }
    }

    const fn of_letter(letter: u8) -> Option<Self> {
        match letter {
            b'-' => Some(Self::Plain),
            b'u' => Some(Self::OpensAddresses),
            _ => None,
        }
    }
}

/// What a session is called in records and limits: enough to tell sessions apart, too little to use one.
#[must_use]
pub fn name(server: &str, id: &[u8]) -> String {
    hex::write(&short::<8>(Sha256::new().chain_update(server).chain_update(b"\0").chain_update(id)))
}

fn is_id(id: &[u8]) -> bool {
    (1..=MAX_ID).contains(&id.len()) && id.iter().all(u8::is_ascii_graphic)
}

#[cfg(test)]
mod tests {
    use super::{Client, MAX_ID, Owner, name};
    use crate::signing_keys::SigningKeys;
    use crate::subject::Subject;
    use serde_json::json;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    fn subject(fields: serde_json::Value) -> Subject {
        tollgate_config::read(&fields.to_string()).unwrap()
    }

    fn keys(byte: u8) -> SigningKeys {
        SigningKeys::random(&[byte; 32])
    }

    #[test]
    fn a_session_is_its_owners_at_its_server_alone() {
        let ada = subject(json!({"user": "ada", "team": "eng"}));
        let owner = Owner { server: "crm", subject: &ada };
        let carried = owner.seal(&keys(1), b"abc-1.2", Client::Plain).unwrap();
        assert_eq!(owner.open(&keys(1), carried.as_bytes()), Some((&b"abc-1.2"[..], Client::Plain)));
        assert_eq!(owner.open(&keys(2), carried.as_bytes()), None, "another key");
        assert_eq!(Owner { server: "crm2", subject: &ada }.open(&keys(1), carried.as_bytes()), None, "another server");
        for other in [
            json!({"user": "ada"}),
            json!({"user": "ada", "team": "eng", "agent": "a"}),
            json!({"user": "eng", "team": "ada"}),
            json!({"user": "ada", "feature": "eng"}),
            json!({"user": "ada", "team": "eng", "tier": "gold"}),
            json!({}),
        ] {
            let other = subject(other);
            assert_eq!(Owner { server: "crm", subject: &other }.open(&keys(1), carried.as_bytes()), None, "{other:?}");
        }
    }

    #[test]
    fn what_a_client_can_is_carried_and_cannot_be_changed() {
        let nobody = Subject::default();
        let owner = Owner { server: "crm", subject: &nobody };
        let sealed = |client| owner.seal(&keys(1), b"a", client).unwrap();
        let (plain, opens) = (sealed(Client::Plain), sealed(Client::OpensAddresses));
        assert_eq!(owner.open(&keys(1), plain.as_bytes()), Some((&b"a"[..], Client::Plain)));
        assert_eq!(owner.open(&keys(1), opens.as_bytes()), Some((&b"a"[..], Client::OpensAddresses)));
        for (text, with) in [(&plain, "u.a"), (&opens, "-.a"), (&opens, "x.a"), (&opens, ".a"), (&opens, "ua")] {
            let changed = format!("{}{with}", text.get(..43).unwrap());
            assert_eq!(owner.open(&keys(1), changed.as_bytes()), None, "{with}");
        }
    }

    #[test]
    fn what_is_no_id_is_not_carried() {
        let nobody = Subject::default();
        let owner = Owner { server: "crm", subject: &nobody };
        for (id, good) in [
            (vec![b'a'; MAX_ID], true),
            (vec![b'!', b'~'], true),
            (vec![b'a'; MAX_ID + 1], false),
            (vec![], false),
            (b"a b".to_vec(), false),
            (b"a\0".to_vec(), false),
            ("ü".as_bytes().to_vec(), false),
        ] {
            let carried = owner.seal(&keys(1), &id, Client::Plain);
            assert_eq!(carried.is_some(), good, "{id:?}");
            assert!(carried.is_none_or(|carried| carried.bytes().all(|byte| byte.is_ascii_graphic())));
        }
    }

    #[test]
    fn a_name_tells_sessions_apart_and_holds_nothing_of_them() {
        let one = name("crm", b"secret");
        assert_eq!((one.len(), one.contains("secret")), (16, false));
        assert_eq!(one, name("crm", b"secret"));
        assert_ne!(one, name("crm", b"other"));
        assert_ne!(one, name("other", b"secret"));
    }

    #[cfg(not(target_arch = "wasm32"))]
    proptest::proptest! {
        #[test]
        fn nothing_but_the_whole_is_opened(id in "[!-~]{1,64}", at in 0_usize..109, with: u8, opens: bool) {
            let nobody = Subject::default();
            let owner = Owner { server: "crm", subject: &nobody };
            let client = if opens { Client::OpensAddresses } else { Client::Plain };
            let mut carried = owner.seal(&keys(1), id.as_bytes(), client).unwrap().into_bytes();
            proptest::prop_assert_eq!(owner.open(&keys(1), &carried), Some((id.as_bytes(), client)));
            let at = at.checked_rem(carried.len()).unwrap();
            if carried[at] != with {
                carried[at] = with;
                proptest::prop_assert_eq!(owner.open(&keys(1), &carried), None);
            }
        }
    }
}
