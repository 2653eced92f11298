//! A card, written for a caller.

use super::interface::{Interface, Interfaces};
use super::shape::{CAPABILITIES, KEPT, SKILL, flag, items, member, text, write_members};
use super::{Publication, Reason};
use crate::a2a::Binding;
use crate::json::{Limits, Value, Writer};

/// What is written is no larger than what was read and what the configuration adds.
pub(super) const LIMITS: Limits = Limits { bytes: 64 << 20, nodes: 4 << 20 };

/// The card with these interfaces.
pub(super) fn card(
    card: Value<'_, '_>,
    interfaces: &Interfaces<'_>,
    how: &Publication<'_>,
    shown: &dyn Fn(&str) -> bool,
) -> Result<Vec<u8>, Reason> {
    let mut out = Vec::with_capacity(card.range().len());
    let json = &mut Writer::new(&mut out);
    let (v1_0, v0_3) = (!interfaces.v1_0.is_empty(), !interfaces.v0_3.is_empty());
    json.open_object();
    write_members(card, KEPT, None, json)?;
    if v1_0 {
        json.key("supportedInterfaces").open_list();
        interfaces.v1_0.iter().for_each(|one| write_interface(one, how, json));
        json.close_list();
    }
    if let Some((preferred, others)) = interfaces.v0_3.split_first() {
        json.key("protocolVersion").text(&preferred.version);
        json.key("url").text(address(preferred, how));
        json.key("preferredTransport").text(preferred.binding.name());
        if !others.is_empty() {
            json.key("additionalInterfaces").open_list();
            for one in others {
                json.open_object().key("transport").text(one.binding.name());
                json.key("url").text(address(one, how));
                json.close_object();
            }
            json.close_list();
        }
        json.flag_if("supportsAuthenticatedExtendedCard", interfaces.extended);
    }
    write_capabilities(card, v1_0, interfaces.extended, json)?;
    how.security.write(v1_0, v0_3, json);
    json.key("skills").open_list();
    for skill in items(card, "skills")? {
        if text(skill, "id")?.is_some_and(|id| shown(&id)) {
            json.open_object();
            write_members(skill, SKILL, None, json)?;
            json.close_object();
        }
    }
    json.close_list();
    json.close_object();
    Ok(out)
}

fn write_interface(one: &Interface<'_>, how: &Publication<'_>, json: &mut Writer<'_>) {
    json.open_object().key("url").text(address(one, how));
    json.key("protocolBinding").text(one.binding.name());
    json.key("protocolVersion").text(&one.version);
    json.text_if("tenant", one.tenant.as_deref());
    json.close_object();
}

/// Clients of 0.3 write `/v1` behind the address of HTTP+JSON themselves.
fn address<'p>(one: &Interface<'_>, how: &Publication<'p>) -> &'p str {
    match one.binding {
        Binding::Grpc => how.grpc_url.unwrap_or(how.url),
        Binding::JsonRpc | Binding::HttpJson => how.url,
    }
}

/// In 1.0 they also say what 0.3 says beside them.
fn write_capabilities(
    card: Value<'_, '_>,
    v1_0: bool,
    extended: Option<bool>,
    json: &mut Writer<'_>,
) -> Result<(), Reason> {
    const NAME: &str = "capabilities";
    json.key(NAME).open_object();
    let mut says = None;
    if let Some(capabilities) = member(card, NAME) {
        if !capabilities.is_object() {
            return Err(Reason::Member(NAME));
        }
        write_members(capabilities, CAPABILITIES, None, json)?;
        says = flag(capabilities, "extendedAgentCard")?;
    }
    if v1_0 && says.is_none() && extended == Some(true) {
        json.key("extendedAgentCard").flag(true);
    }
    json.close_object();
    Ok(())
}
