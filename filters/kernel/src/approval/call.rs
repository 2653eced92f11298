//! What is agreed to.

use crate::json::{Digest, Value};
use crate::subject::{Subject, SubjectField};
use sha2::{Digest as _, Sha256};

/// The parameters that are not part of what is agreed to: what differs each time the same is asked for.
const NOT_AGREED: [&str; 3] = ["_meta", "requestState", "inputResponses"];

/// One call, exactly.
#[derive(Debug, Clone, Copy)]
pub struct Call<'a> {
    /// Who asks.
    pub subject: &'a Subject,
    /// The server's name in the configuration.
    pub server: &'a str,
    /// The method.
    pub method: &'a str,
    /// The name of the tool or prompt as rules have it, or the URI of the resource.
    pub object: &'a str,
    /// See [`Call::parameters`].
    pub parameters: Digest,
    /// The rule that wants it confirmed, as records have it.
    pub rule: &'a str,
}

impl Call<'_> {
    /// What of the parameters is agreed to: the arguments, and whatever else the server reads, but not `_meta`, where clients
    /// number their calls.
    #[must_use]
    pub fn parameters(params: Option<Value<'_, '_>>) -> Digest {
        params.map_or(Digest([0; 32]), |params| params.digest_without(&NOT_AGREED))
    }

    /// What is the same for two calls if and only if all of it is.
    #[must_use]
    pub fn digest(&self) -> Digest {
        let mut hash = Sha256::new_with_prefix("tollgate-call\n");
        let mut add = |text: &[u8]| {
            // With its length, so that no two lists of texts read the same.
            hash.update(u64::try_from(text.len()).unwrap_or(u64::MAX).to_le_bytes());
            hash.update(text);
        };
        for field in SubjectField::ALL {
            let value = self.subject.text(field);
            add(&[u8::from(value.is_some())]);
            add(value.unwrap_or_default().as_bytes());
        }
        for text in [self.server, self.method, self.object, self.rule] {
            add(text.as_bytes());
        }
        add(&self.parameters.0);
        Digest(hash.finalize().into())
    }
}
