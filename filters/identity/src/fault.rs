//! Why a request is refused for who asks.

use std::rc::Rc;
use tollgate_kernel::actor::{ActorFault, MAX_ACTORS};
use tollgate_kernel::caller::Caller;
use tollgate_kernel::claims::ClaimFault;
use tollgate_kernel::confirmation::ConfirmationFault;
use tollgate_kernel::key_ring::KeyRefusal;
use tollgate_kernel::signed_subject::HeaderFault;
use tollgate_kernel::subject::Field;

/// A request that is refused for who asks.
#[derive(Debug)]
pub struct Unidentified {
    /// Why.
    pub fault: Fault,
    /// Who it is nevertheless: who has shown a key's secret may be known, and told, by name.
    pub known: Option<Rc<Caller>>,
}

/// Why it is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// No key.
    NoKey,
    /// Different keys in different places.
    SeveralKeys,
    /// A key that is not one of ours, or of which the secret is wrong.
    UnknownKey,
    /// A true key that may not be used now.
    Key(KeyRefusal),
    /// What is shown does not prove who asks.
    NotProven(NotProven),
}

/// Why what is shown does not prove who asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotProven {
    /// No way is shown whole.
    Nothing {
        /// What would be one.
        accepted: String,
    },
    /// A certificate that Envoy has not verified on this connection.
    CertificateNotVerified,
    /// A certificate that could be read in two ways, or whose SPIFFE id cannot be mapped.
    Certificate,
    /// A verified token that says nobody.
    Claim(ClaimFault),
    /// A verified token that does not say who acts.
    Actor(ActorFault),
    /// A verified token that is not, or may not be, the client's.
    Confirmation(ConfirmationFault),
    /// A subject header that proves nothing.
    Header(HeaderFault),
    /// Two proofs say different things.
    Conflict(Field),
}

impl From<Fault> for Unidentified {
    fn from(fault: Fault) -> Self {
        Self { fault, known: None }
    }
}

impl From<NotProven> for Unidentified {
    fn from(fault: NotProven) -> Self {
        Fault::NotProven(fault).into()
    }
}

impl Fault {
    /// The stable reason code.
    #[must_use]
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::NoKey => "missing_key",
            Self::SeveralKeys => "several_keys",
            Self::UnknownKey | Self::Key(KeyRefusal::Unknown) => "unknown_key",
            Self::Key(KeyRefusal::NotYetValid) => "key_not_yet_valid",
            Self::Key(KeyRefusal::Expired) => "expired_key",
            Self::Key(KeyRefusal::Disabled) => "disabled_key",
            Self::NotProven(fault) => fault.reason(),
        }
    }

    /// Whether nothing is shown that could prove anybody, rather than something wrong.
    #[must_use]
    pub const fn shows_nothing(&self) -> bool {
        matches!(self, Self::NoKey | Self::NotProven(NotProven::Nothing { .. }))
    }

    /// What in the configuration, or in the request itself, decided.
    #[must_use]
    pub const fn rule(&self) -> &'static str {
        match self {
            Self::NoKey | Self::SeveralKeys => "request",
            Self::UnknownKey | Self::Key(_) => "keys",
            Self::NotProven(fault) => fault.rule(),
        }
    }

    /// Whether it is known who asks, and that they may not: 403, else 401.
    #[must_use]
    pub const fn is_forbidden(&self) -> bool {
        matches!(self, Self::NotProven(fault) if fault.is_forbidden())
    }

    /// For who asks.
    #[must_use]
    pub fn message(&self) -> String {
        let told = match self {
            Self::NoKey => {
                "no API key was given; send one as `authorization: Bearer`, `x-api-key`, `api-key` or `x-goog-api-key`"
            }
            Self::SeveralKeys => "different API keys were given in one request; send one",
            Self::UnknownKey | Self::Key(KeyRefusal::Unknown) => "the API key is not valid",
            Self::Key(KeyRefusal::NotYetValid) => "the API key is not valid yet",
            Self::Key(KeyRefusal::Expired) => "the API key has expired",
            Self::Key(KeyRefusal::Disabled) => "the API key is disabled",
            Self::NotProven(fault) => return fault.message(),
        };
        told.to_owned()
    }
}

impl NotProven {
    /// The stable reason code.
    #[must_use]
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::Nothing { .. } => "missing_proof",
            Self::CertificateNotVerified => "unverified_certificate",
            Self::Certificate => "invalid_certificate",
            Self::Claim(ClaimFault::Invalid(_)) => "invalid_claim",
            Self::Claim(ClaimFault::Missing(_)) => "missing_claim",
            Self::Actor(ActorFault::Missing(_)) => "missing_actor",
            Self::Actor(ActorFault::Invalid(_)) => "invalid_actor",
            Self::Actor(ActorFault::TooMany) => "too_many_actors",
            Self::Actor(ActorFault::Repeated) => "repeated_actor",
            Self::Confirmation(ConfirmationFault::NoCertificate) => "token_without_certificate",
            Self::Confirmation(ConfirmationFault::OtherCertificate) => "token_of_other_certificate",
            Self::Confirmation(ConfirmationFault::Unchecked) => "unchecked_token_binding",
            Self::Header(HeaderFault::Unproven | HeaderFault::Malformed) => "invalid_subject_header",
            Self::Header(HeaderFault::Expired) => "expired_subject_header",
            Self::Header(HeaderFault::Early) => "early_subject_header",
            Self::Conflict(_) => "subject_conflict",
        }
    }

    /// What in the configuration decided.
    #[must_use]
    pub const fn rule(&self) -> &'static str {
        match self {
            Self::Nothing { .. } | Self::Conflict(_) => "identity.any_of",
            Self::CertificateNotVerified | Self::Certificate => "identity.mtls",
            Self::Claim(_) | Self::Confirmation(_) => "identity.jwt",
            Self::Actor(_) => "identity.jwt.actor",
            Self::Header(_) => "identity.header",
        }
    }

    /// Whether it is known who asks, and that they may not.
    #[must_use]
    pub const fn is_forbidden(&self) -> bool {
        match self {
            // A bound token beside the wrong certificate is an invalid one: 401 (RFC 8705, section 3).
            Self::Nothing { .. }
            | Self::CertificateNotVerified
            | Self::Certificate
            | Self::Confirmation(_)
            | Self::Header(_) => false,
            Self::Claim(_) | Self::Actor(_) | Self::Conflict(_) => true,
        }
    }

    /// Whether what is shown is not all of one agent's: a token in other hands than its own. Beside a token, that is so of a
    /// certificate too that proves nobody.
    #[must_use]
    pub fn is_mismatch(&self, shows_token: impl FnOnce() -> bool) -> bool {
        match self {
            Self::Conflict(_) | Self::Actor(_) | Self::Confirmation(_) => true,
            Self::CertificateNotVerified | Self::Certificate => shows_token(),
            Self::Nothing { .. } | Self::Claim(_) | Self::Header(_) => false,
        }
    }

    /// For who asks.
    #[must_use]
    pub fn message(&self) -> String {
        match self {
            Self::Nothing { accepted } => format!("nothing was shown that proves who asks; accepted is {accepted}"),
            Self::CertificateNotVerified => "the client certificate was not verified on this connection".to_owned(),
            Self::Certificate => {
                "the client certificate must name one workload, by one SPIFFE id that can be a subject".to_owned()
            }
            Self::Claim(ClaimFault::Invalid(path)) => {
                format!("the token's claim `{path}` must be text of 1 to 64 letters, digits, spaces and ._:/@+-")
            }
            Self::Claim(ClaimFault::Missing(path)) => format!("the token must have the claim `{path}`"),
            Self::Actor(fault) => actor_message(fault),
            Self::Confirmation(fault) => confirmation_message(*fault).to_owned(),
            Self::Header(HeaderFault::Unproven) => "the subject header is not signed for this request".to_owned(),
            Self::Header(HeaderFault::Expired) => "the subject header was signed too long ago".to_owned(),
            Self::Header(HeaderFault::Early) => "the subject header was signed in the future".to_owned(),
            Self::Header(HeaderFault::Malformed) => "the subject header is signed, but says no subject".to_owned(),
            Self::Conflict(field) => format!("two proofs of who asks differ in `{}`", field.name()),
        }
    }
}

fn actor_message(fault: &ActorFault) -> String {
    match fault {
        ActorFault::Missing(path) => {
            format!("the token must say which agent acts, in the claim `{path}` or another that is accepted")
        }
        ActorFault::Invalid(path) => format!("the token's claim `{path}` must say an agent that can be known here"),
        ActorFault::TooMany => format!("the token says more than {MAX_ACTORS} actors"),
        ActorFault::Repeated => "the token says the same actor twice".to_owned(),
    }
}

const fn confirmation_message(fault: ConfirmationFault) -> &'static str {
    match fault {
        ConfirmationFault::NoCertificate => {
            "the token is bound to a client certificate, and none that was verified is shown on this connection"
        }
        ConfirmationFault::OtherCertificate => "the token is bound to another client certificate",
        ConfirmationFault::Unchecked => {
            "the token is bound to a key, and whether the client has it cannot be checked here; only `cnf` with `x5t#S256` can"
        }
    }
}
