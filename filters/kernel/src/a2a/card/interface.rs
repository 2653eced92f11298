//! How an agent can be called.

use super::Reason;
use super::shape::{flag, items, text};
use crate::a2a::{Binding, Version};
use crate::json::Value;
use std::borrow::Cow;

/// Interfaces that the gateway lets through, of each shape.
#[derive(Debug, Default)]
pub(super) struct Interfaces<'a> {
    pub(super) v1_0: Vec<Interface<'a>>,
    /// The first is the preferred one.
    pub(super) v0_3: Vec<Interface<'a>>,
    /// There is a card that is not for everybody, as 0.3 says it.
    pub(super) extended: Option<bool>,
}

/// One of them. Where it leads is the gateway's to say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Interface<'a> {
    pub(super) binding: Binding,
    /// As it is written.
    pub(super) version: Cow<'a, str>,
    pub(super) tenant: Option<Cow<'a, str>>,
}

impl<'a> Interfaces<'a> {
    pub(super) fn read(card: Value<'_, 'a>, grpc: bool) -> Result<Self, Reason> {
        let binding = |name: Option<Cow<'_, str>>| {
            let all = [Binding::JsonRpc, Binding::HttpJson, Binding::Grpc];
            let found = all.into_iter().find(|binding| name.as_deref() == Some(binding.name()));
            found.filter(|binding| grpc || *binding != Binding::Grpc)
        };
        let mut all = Self::default();
        for one in items(card, "supportedInterfaces")? {
            let binding = binding(text(one, "protocolBinding")?);
            let version = text(one, "protocolVersion")?.filter(|version| Version::of_name(version).is_some());
            let tenant = text(one, "tenant")?.filter(|tenant| !tenant.is_empty());
            if let (Some(_), Some(binding), Some(version)) = (address(one)?, binding, version) {
                add(&mut all.v1_0, Interface { binding, version, tenant });
            }
        }
        let version = text(card, "protocolVersion")?.unwrap_or(Cow::Borrowed("0.3.0"));
        if Version::of_name(&version) != Some(Version::V0_3) {
            return Ok(all);
        }
        all.extended = flag(card, "supportsAuthenticatedExtendedCard")?;
        let preferred = text(card, "preferredTransport")?.unwrap_or(Cow::Borrowed(Binding::JsonRpc.name()));
        if let (Some(_), Some(binding)) = (address(card)?, binding(Some(preferred))) {
            add(&mut all.v0_3, Interface { binding, version: version.clone(), tenant: None });
        }
        for one in items(card, "additionalInterfaces")? {
            if let (Some(_), Some(binding)) = (address(one)?, binding(text(one, "transport")?)) {
                add(&mut all.v0_3, Interface { binding, version: version.clone(), tenant: None });
            }
        }
        Ok(all)
    }

    /// The same as who speaks 1.0 understands it.
    pub(super) fn converted(&self) -> Self {
        Self { v1_0: self.v0_3.clone(), v0_3: Vec::new(), extended: self.extended }
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.v1_0.is_empty() && self.v0_3.is_empty()
    }
}

/// The address that is written there, if one is: an interface without one is none.
fn address<'a>(of: Value<'_, 'a>) -> Result<Option<Cow<'a, str>>, Reason> {
    Ok(text(of, "url")?.filter(|url| !url.is_empty()))
}

/// At the gateway two addresses of the agent's may be one.
fn add<'a>(all: &mut Vec<Interface<'a>>, one: Interface<'a>) {
    if !all.contains(&one) {
        all.push(one);
    }
}
