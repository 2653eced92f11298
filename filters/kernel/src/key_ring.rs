//! The virtual keys that are configured, and what each of them may do.

use crate::allowed::Allowed;
use crate::caller::Caller;
use crate::limit::Limit;
use crate::subject::{KeyId, Subject};
use crate::timestamp::Timestamp;
use crate::virtual_key::{SecretHash, VirtualKey};
use schemars::JsonSchema;
use std::collections::BTreeMap;
use std::fmt;
use std::rc::Rc;
use tollgate_config::{Fault, Read, Value, object};

/// One virtual key in config.
#[derive(Debug, Clone, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct KeyEntry {
    /// The `<id>` in `tg_<id>_<secret>`, and `key` of the subject.
    pub id: KeyId,
    /// SHA-256 of the whole key; two while the secret is rotated.
    pub sha256: SecretHashes,
    /// Who asks with this key.
    #[schemars(default)]
    pub subject: Subject,
    /// The models it may ask for, for filters that have some; there it must be said. An empty list allows none; `["*"]` allows all.
    pub models: Option<Allowed>,
    /// Limits of this key alone, besides those of the gate.
    #[schemars(default)]
    pub limits: Vec<Rc<Limit>>,
    /// The routes it may take, by the `route` of models. By default all.
    pub routes: Option<Allowed>,
    /// Valid from this time on.
    #[schemars(default)]
    pub not_before: Option<Timestamp>,
    /// No longer valid at this time.
    #[schemars(default)]
    pub expires: Option<Timestamp>,
    /// Refused, but still known by name.
    #[schemars(default)]
    pub disabled: bool,
}

object!(KeyEntry {
    id,
    sha256,
    subject = Subject::default(),
    models,
    limits = Vec::new(),
    routes,
    not_before,
    expires,
    disabled = false,
});

/// One or two hashes, either of which proves the key.
#[derive(Debug, Clone, JsonSchema)]
#[schemars(try_from = "Vec<SecretHash>")]
#[schemars(extend("minItems" = 1, "maxItems" = 2))]
pub struct SecretHashes([SecretHash; 2]);

impl Read for SecretHashes {
    fn read(value: &Value<'_>) -> Result<Self, Fault> {
        value.converted::<Vec<SecretHash>, _>()
    }
}

/// A list does not have one or two hashes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotOneOrTwo;

/// All virtual keys.
#[derive(Debug, Clone, Default)]
pub struct KeyRing {
    /// Ordered rather than hashed: a hash table would draw on the host's randomness.
    entries: BTreeMap<KeyId, (Rc<KeyEntry>, Rc<Caller>)>,
}

/// Why the keys in config are no [`KeyRing`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyRingError {
    /// Two keys have this id.
    DuplicateId(KeyId),
    /// This key expires before it becomes valid.
    NeverValid(KeyId),
}

/// Why a key is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyRefusal {
    /// No key has this id, or its secret is another one. Which of the two is not told, also not by timing.
    Unknown,
    /// Its time has not come.
    NotYetValid,
    /// Its time is over.
    Expired,
    /// It was switched off.
    Disabled,
}

impl KeyRing {
    /// A ring of these keys.
    ///
    /// # Errors
    /// When the keys contradict each other or themselves.
    pub fn new(entries: impl IntoIterator<Item = KeyEntry>) -> Result<Self, KeyRingError> {
        let mut ring = Self::default();
        for mut entry in entries {
            let id = entry.id.clone();
            if matches!((entry.not_before, entry.expires), (Some(from), Some(until)) if until <= from) {
                return Err(KeyRingError::NeverValid(id));
            }
            entry.subject.key = Some(id.clone());
            for limit in &mut entry.limits {
                Rc::make_mut(limit).owner = Some(id.clone());
            }
            let entry = Rc::new(entry);
            let caller = Rc::new(Caller::of_key(Rc::clone(&entry)));
            if ring.entries.insert(id.clone(), (entry, caller)).is_some() {
                return Err(KeyRingError::DuplicateId(id));
            }
        }
        Ok(ring)
    }

    /// All entries.
    pub fn entries(&self) -> impl Iterator<Item = &KeyEntry> {
        self.entries.values().map(|(entry, _)| entry.as_ref())
    }

    /// The entry that `key` proves to hold, valid or not, and who that is: who has shown the secret may be known, and
    /// told, by name.
    ///
    /// # Errors
    /// [`KeyRefusal::Unknown`].
    pub fn prove(&self, key: &VirtualKey<'_>) -> Result<(&KeyEntry, &Rc<Caller>), KeyRefusal> {
        let shown = SecretHash::of(key);
        let found = self.entries.get(key.id());
        let proven = found.map_or(&SecretHashes::OF_NO_KEY, |(entry, _)| &entry.sha256).contain(&shown);
        found.filter(|_| proven).map(|(entry, caller)| (&**entry, caller)).ok_or(KeyRefusal::Unknown)
    }
}

impl KeyEntry {
    /// Whether the key may be used now.
    ///
    /// # Errors
    /// Why it may not.
    pub fn check(&self, now_unix_s: u64) -> Result<(), KeyRefusal> {
        if self.disabled {
            Err(KeyRefusal::Disabled)
        } else if self.not_before.is_some_and(|from| now_unix_s < from.unix_s()) {
            Err(KeyRefusal::NotYetValid)
        } else if self.expires.is_some_and(|until| until.unix_s() <= now_unix_s) {
            Err(KeyRefusal::Expired)
        } else {
            Ok(())
        }
    }
}

impl SecretHashes {
    const OF_NO_KEY: Self = Self([SecretHash::OF_NO_KEY, SecretHash::OF_NO_KEY]);

    /// Compares with both, whatever the first comparison says.
    fn contain(&self, shown: &SecretHash) -> bool {
        let [first, second] = &self.0;
        first.matches(shown) | second.matches(shown)
    }
}

impl TryFrom<Vec<SecretHash>> for SecretHashes {
    type Error = NotOneOrTwo;

    fn try_from(hashes: Vec<SecretHash>) -> Result<Self, NotOneOrTwo> {
        match hashes.as_slice() {
            // Kept twice, so that each check is the same work.
            [only] => Ok(Self([only.clone(), only.clone()])),
            [first, second] => Ok(Self([first.clone(), second.clone()])),
            _ => Err(NotOneOrTwo),
        }
    }
}

impl fmt::Display for NotOneOrTwo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("must have one hash, or two while the secret is rotated")
    }
}

impl std::error::Error for NotOneOrTwo {}

impl fmt::Display for KeyRingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::DuplicateId(id) => write!(f, "two keys have the id `{id}`"),
            Self::NeverValid(id) => write!(f, "the key `{id}` must expire after it becomes valid"),
        }
    }
}

impl std::error::Error for KeyRingError {}

impl fmt::Display for KeyRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unknown => "the key is not known",
            Self::NotYetValid => "the key is not valid yet",
            Self::Expired => "the key has expired",
            Self::Disabled => "the key is disabled",
        })
    }
}

impl std::error::Error for KeyRefusal {}

#[cfg(test)]
mod tests {
    use super::{KeyEntry, KeyRefusal, KeyRing, KeyRingError};
    use crate::caller::Caller;
    use crate::virtual_key::{SecretHash, VirtualKey};
    use serde_json::{Value, json};
    use std::rc::Rc;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    const NOON: u64 = 1_795_348_800;

    fn key(text: &str) -> VirtualKey<'_> {
        VirtualKey::parse(text.as_bytes()).unwrap()
    }

    fn sha256(text: &str) -> String {
        SecretHash::of(&key(text)).into()
    }

    fn entry(id: &str, more: &Value) -> KeyEntry {
        let hash = sha256(&format!("tg_{id}_0123456789abcdef"));
        let mut entry = json!({"id": id, "sha256": [hash], "models": ["*"]});
        entry.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        tollgate_config::read(&entry.to_string()).unwrap()
    }

    fn ring(entries: impl IntoIterator<Item = KeyEntry>) -> KeyRing {
        KeyRing::new(entries).unwrap()
    }

    fn find(ring: &KeyRing, text: &str, now_unix_s: u64) -> Result<Rc<Caller>, KeyRefusal> {
        let (entry, caller) = ring.prove(&key(text))?;
        entry.check(now_unix_s).map(|()| Rc::clone(caller))
    }

    #[test]
    fn a_proven_key_gives_its_subject() {
        let ring = ring([entry("other", &json!({})), entry("demo", &json!({"subject": {"team": "support"}}))]);
        let subject = &find(&ring, "tg_demo_0123456789abcdef", NOON).unwrap().subject;
        assert_eq!(serde_json::to_value(subject).unwrap(), json!({"key": "demo", "team": "support"}));
    }

    #[test]
    fn a_wrong_secret_and_an_unknown_id_are_told_apart_by_nobody() {
        let ring = ring([entry("demo", &json!({})), entry("off", &json!({"disabled": true}))]);
        for text in ["tg_demo_0123456789abcdeF", "tg_nobody_0123456789abcdef", "tg_off_0123456789abcdeF"] {
            assert_eq!(find(&ring, text, NOON).unwrap_err(), KeyRefusal::Unknown, "{text}");
        }
    }

    #[test]
    fn either_secret_proves_the_key_during_rotation() {
        let (old, new) = ("tg_demo_old-old-old-old-old", "tg_demo_new-new-new-new-new");
        let ring = ring([entry("demo", &json!({"sha256": [sha256(old), sha256(new)]}))]);
        assert!(find(&ring, old, NOON).is_ok());
        assert!(find(&ring, new, NOON).is_ok());
        assert!(find(&ring, "tg_demo_0123456789abcdef", NOON).is_err());
    }

    #[test]
    fn a_key_is_valid_from_its_first_second_until_before_its_last() {
        let (from, until) = ("2026-11-22T12:00:00Z", "2026-11-22T13:00:00+01:00");
        for (validity, now, refusal) in [
            (json!({"not_before": from}), NOON - 1, Some(KeyRefusal::NotYetValid)),
            (json!({"not_before": from}), NOON, None),
            (json!({"expires": until}), NOON - 1, None),
            (json!({"expires": until}), NOON, Some(KeyRefusal::Expired)),
            (json!({"expires": until}), u64::MAX, Some(KeyRefusal::Expired)),
            (json!({"disabled": true, "expires": until}), NOON, Some(KeyRefusal::Disabled)),
            (json!({}), 0, None),
        ] {
            let ring = ring([entry("demo", &validity)]);
            assert_eq!(find(&ring, "tg_demo_0123456789abcdef", now).err(), refusal, "{validity} at {now}");
        }
    }

    #[test]
    fn a_ring_that_contradicts_itself_is_not_built() {
        let twice = KeyRing::new([entry("demo", &json!({})), entry("demo", &json!({}))]).unwrap_err();
        assert!(matches!(twice, KeyRingError::DuplicateId(_)));
        assert_eq!(twice.to_string(), "two keys have the id `demo`");
        let never = json!({"not_before": "2026-11-22T12:00:00Z", "expires": "2026-11-22T12:00:00Z"});
        let never = KeyRing::new([entry("demo", &never)]).unwrap_err();
        assert_eq!(never.to_string(), "the key `demo` must expire after it becomes valid");
    }

    #[test]
    fn a_faulty_entry_is_refused_with_the_fault() {
        let hash = sha256("tg_demo_0123456789abcdef");
        for (fault, message) in [
            (json!({"id": "a_b"}), "must not have the character `_`"),
            (json!({"sha256": []}), "must have one hash, or two while the secret is rotated"),
            (json!({"sha256": [hash, hash, hash]}), "must have one hash, or two while the secret is rotated"),
            (json!({"sha256": ["abc"]}), "must be 64 lowercase hex digits"),
            (json!({"models": ["fast", "*"]}), "`*` allows all and must be the only entry"),
            (json!({"models": "*"}), "invalid type: string"),
            (json!({"expires": "tomorrow"}), "found `tomorrow`, which is not a time as RFC 3339 writes it"),
            (json!({"subject": {"key": "root"}}), "unknown field `key`"),
            (json!({"secret": "0123456789abcdef"}), "unknown field `secret`"),
        ] {
            let mut entry = json!({"id": "demo", "sha256": [hash], "models": []});
            entry.as_object_mut().unwrap().extend(fault.as_object().unwrap().clone());
            let error = tollgate_config::read::<KeyEntry>(&entry.to_string()).unwrap_err().to_string();
            assert!(error.contains(message), "{fault}: {error}");
        }
    }

    #[test]
    fn ten_thousand_keys_are_all_found() {
        let id = |number: usize| format!("key-{number}");
        let ring = ring((0..10_000).map(|number| entry(&id(number), &json!({}))));
        for number in [0, 1, 4_999, 9_999] {
            let text = format!("tg_{}_0123456789abcdef", id(number));
            assert_eq!(find(&ring, &text, NOON).unwrap().subject.key.as_ref().unwrap().as_str(), id(number));
        }
    }

    #[test]
    fn the_schema_states_what_an_entry_needs() {
        let schema = schemars::schema_for!(KeyEntry).to_value();
        assert_eq!(schema["required"], json!(["id", "sha256"]));
        assert_eq!(schema["additionalProperties"], false);
        let hashes = &schema["$defs"]["SecretHashes"];
        assert_eq!((&hashes["minItems"], &hashes["maxItems"]), (&json!(1), &json!(2)));
        assert_eq!(schema["$defs"]["Timestamp"]["format"], "date-time");
        assert_eq!(schema["$defs"]["Allowed"]["type"], "array");
    }
}
