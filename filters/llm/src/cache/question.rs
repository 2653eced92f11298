//! What is asked, as far as it decides which answer may be given: and whether one may be given again. Pure.

use crate::cache::digest::{Digest, Digester};
use crate::cache::wish::Wish;
use crate::config::{Cache, CachedModel};
use crate::exchange::Carried;
use tollgate_kernel::subject::{Label, Subject};
use tollgate_wire::canonical::canonical;
use tollgate_wire::endpoint::{Endpoint, Operation};
use tollgate_wire::envelope::Envelope;

/// What is asked of a model that has a cache, and by whom.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Question<'a> {
    pub(crate) cache: &'a Cache,
    pub(crate) model: &'a Label,
    pub(crate) cached: &'a CachedModel,
    pub(crate) endpoint: &'a Endpoint,
    pub(crate) envelope: &'a Envelope,
    pub(crate) carried: &'a Carried,
    pub(crate) subject: Option<&'a Subject>,
    pub(crate) wish: Wish,
}

impl Question<'_> {
    /// The key that its answer is kept under.
    ///
    /// # Errors
    /// Why no answer may be given again.
    pub(crate) fn key(&self, body: &[u8]) -> Result<Digest, &'static str> {
        self.check()?;
        let mut digester = Digester::new();
        digester.field("tollgate", "answer 1");
        for field in &self.cache.per {
            let value = self.subject.and_then(|subject| subject.text(*field)).ok_or("no_tenant")?;
            digester.field(field.name(), value);
        }
        digester.field("format", self.endpoint.format.name());
        digester.field("operation", self.endpoint.operation.name());
        digester.field("model", self.model.as_str());
        digester.field("served_by", self.cached.served_by.0);
        for (name, value) in &self.carried.of_format {
            digester.field(name, value);
        }
        let mut request = Digester::new();
        canonical(self.endpoint, body, |piece| request.piece(piece));
        digester.field("request", request.digest().0);
        Ok(digester.digest())
    }

    fn check(&self) -> Result<(), &'static str> {
        let Envelope { repeat, answers, .. } = self.envelope;
        let policy = &self.cached.policy;
        let any = policy.any_temperature || self.endpoint.operation == Operation::Embeddings;
        let reasons = [
            (self.wish.no_store, "no_store"),
            (repeat.kept_at_provider, "kept_at_provider"),
            (repeat.tools && !policy.tools, "tools"),
            (*answers != 1, "several_answers"),
            (repeat.likeliest != Some(true) && !any, "temperature"),
        ];
        reasons.into_iter().find(|(holds, _)| *holds).map_or(Ok(()), |(_, reason)| Err(reason))
    }
}
