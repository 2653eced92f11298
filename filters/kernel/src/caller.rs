//! Who asks, however it was proven.

use crate::allowed::Allowed;
use crate::key_ring::KeyEntry;
use crate::subject::{Field, Label, Subject};
use std::rc::Rc;

/// Who asks, and what proved it.
#[derive(Debug, Clone)]
pub struct Caller {
    /// Who it is.
    pub subject: Subject,
    /// What proved it. Each says what it allows, and only what all allow is allowed.
    pub proofs: Vec<Proof>,
    /// The agents that acted before the one that does now, the last first. They may be a reason to refuse, and never one
    /// to allow (RFC 8693, section 4.1).
    pub chain: Vec<Label>,
}

/// What proves who asks.
#[derive(Debug, Clone)]
pub enum Proof {
    /// A virtual key.
    Key(Rc<KeyEntry>),
    /// A token that Envoy has verified.
    Jwt(Rc<Grant>),
    /// A certificate that Envoy has verified.
    Mtls(Rc<Grant>),
    /// A header that a gateway before this one has signed.
    Header(Rc<Grant>),
}

/// What everybody may ask for who is proven in the same way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// Models. Where nothing is said: none.
    pub models: Option<Allowed>,
    /// Routes of models. Where nothing is said: all.
    pub routes: Option<Allowed>,
}

/// What is not allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Denied {
    /// The model itself.
    Model,
    /// The way to it.
    Route,
}

impl Caller {
    /// Who has shown the key of `entry`.
    #[must_use]
    pub fn of_key(entry: Rc<KeyEntry>) -> Self {
        Self { subject: entry.subject.clone(), proofs: vec![Proof::Key(entry)], chain: Vec::new() }
    }

    /// Who is proven so.
    #[must_use]
    pub fn new(subject: Subject, proof: Proof) -> Self {
        Self { subject, proofs: vec![proof], chain: Vec::new() }
    }

    /// The same, for whom `actor` acts, and before it those of `chain`.
    ///
    /// # Errors
    /// The field of which something else is known already.
    pub fn acting(mut self, actor: &Subject, chain: Vec<Label>) -> Result<Self, Field> {
        self.subject.also(actor)?;
        Ok(Self { chain, ..self })
    }

    /// Who is proven by both at once.
    ///
    /// # Errors
    /// The field of which they say different things.
    pub fn and(mut self, other: &Self) -> Result<Self, Field> {
        self.subject.also(&other.subject)?;
        // INVARIANT: at most one of the two has shown a key; a request shows one.
        self.subject.key = self.subject.key.or_else(|| other.subject.key.clone());
        self.proofs.extend_from_slice(&other.proofs);
        self.chain.extend_from_slice(&other.chain);
        Ok(self)
    }

    /// The virtual key among the proofs.
    #[must_use]
    pub fn key(&self) -> Option<&Rc<KeyEntry>> {
        self.proofs.iter().find_map(|proof| if let Proof::Key(entry) = proof { Some(entry) } else { None })
    }

    /// Whether this model may be asked for, which is served on this route.
    ///
    /// # Errors
    /// What is not allowed, and the proof that does not allow it.
    pub fn check(&self, model: &str, route: &str) -> Result<(), (Denied, &Proof)> {
        self.proofs.iter().try_for_each(|proof| {
            let (models, routes) = proof.allowed();
            if !models.is_some_and(|models| models.allow(model)) {
                Err((Denied::Model, proof))
            } else if !routes.is_none_or(|routes| routes.allow(route)) {
                Err((Denied::Route, proof))
            } else {
                Ok(())
            }
        })
    }
}

impl Proof {
    /// Where the configuration says what it allows.
    #[must_use]
    pub fn rule(&self) -> String {
        match self {
            Self::Key(entry) => format!("keys.{}", entry.id),
            Self::Jwt(_) => "identity.jwt".to_owned(),
            Self::Mtls(_) => "identity.mtls".to_owned(),
            Self::Header(_) => "identity.header".to_owned(),
        }
    }

    fn allowed(&self) -> (Option<&Allowed>, Option<&Allowed>) {
        let (models, routes) = match self {
            Self::Key(entry) => (&entry.models, &entry.routes),
            Self::Jwt(grant) | Self::Mtls(grant) | Self::Header(grant) => (&grant.models, &grant.routes),
        };
        (models.as_ref(), routes.as_ref())
    }
}

#[cfg(test)]
mod tests {
    use super::{Caller, Denied, Grant, Proof};
    use crate::allowed::Allowed;
    use crate::subject::{Field, Subject};
    use serde_json::{Value, json};
    use std::rc::Rc;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    fn only(names: Value) -> Option<Allowed> {
        Some(tollgate_config::read(&names.to_string()).unwrap())
    }

    fn grant(models: Value, routes: Value) -> Rc<Grant> {
        Rc::new(Grant { models: only(models), routes: only(routes) })
    }

    fn subject(fields: Value) -> Subject {
        tollgate_config::read(&fields.to_string()).unwrap()
    }

    #[test]
    fn only_what_every_proof_allows_is_allowed_and_the_one_that_does_not_is_named() {
        let jwt = Caller::new(Subject::default(), Proof::Jwt(grant(json!(["*"]), json!(["chat"]))));
        let mtls = Caller::new(Subject::default(), Proof::Mtls(grant(json!(["fast", "smart"]), json!(["*"]))));
        let both = jwt.and(&mtls).unwrap();
        let denied = |model, route| both.check(model, route).map_err(|(denied, proof)| (denied, proof.rule()));
        for (model, route, expected) in [
            ("fast", "chat", Ok(())),
            ("smart", "chat", Ok(())),
            ("slow", "chat", Err((Denied::Model, "identity.mtls".to_owned()))),
            ("fast", "batch", Err((Denied::Route, "identity.jwt".to_owned()))),
        ] {
            assert_eq!(denied(model, route), expected, "{model} {route}");
        }
    }

    #[test]
    fn where_nothing_is_said_no_model_is_allowed_and_every_route() {
        for (models, routes, expected) in [
            (None, None, Err(Denied::Model)),
            (None, only(json!(["*"])), Err(Denied::Model)),
            (only(json!(["fast"])), None, Ok(())),
            (only(json!(["fast"])), only(json!([])), Err(Denied::Route)),
        ] {
            let caller = Caller::new(Subject::default(), Proof::Jwt(Rc::new(Grant { models, routes })));
            assert_eq!(caller.check("fast", "chat").map_err(|(denied, _)| denied), expected, "{caller:?}");
        }
    }

    #[test]
    fn two_proofs_complete_each_other_and_never_contradict_each_other() {
        let proven = |fields| Caller::new(subject(fields), Proof::Jwt(grant(json!(["*"]), json!(["*"]))));
        let both = proven(json!({"user": "ada", "team": "eng"})).and(&proven(json!({"team": "eng", "tier": "gold"})));
        assert_eq!(both.unwrap().subject, subject(json!({"user": "ada", "team": "eng", "tier": "gold"})));
        let conflict = proven(json!({"team": "eng"})).and(&proven(json!({"team": "Eng"}))).unwrap_err();
        assert_eq!(conflict, Field::Team);
    }
}
