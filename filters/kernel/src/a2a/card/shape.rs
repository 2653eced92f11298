//! What cards have, in which version; and a card reduced to that.

use super::Reason;
use crate::a2a::Version::{self, V0_3, V1_0};
use crate::json::{Kind, Value, Writer};
use std::borrow::Cow;

/// What a member is.
#[derive(Clone, Copy)]
pub(super) enum Shape {
    Text,
    Flag,
    /// A flag that says the same whether it is false or not there, in 1.0.
    Switch,
    Texts,
    /// Whatever it is, as it is.
    Any,
    Object(&'static [Field]),
    List(&'static [Field]),
    /// An object of which each member is such an object.
    Map(&'static [Field]),
}

/// A member that cards have.
#[derive(Clone, Copy)]
pub(super) struct Field {
    pub(super) name: &'static str,
    shape: Shape,
    /// Which version has it; `None`: both.
    version: Option<Version>,
    /// What it says where it is not there, in the SDKs of 0.3: what is signed leaves it out.
    default: Option<&'static str>,
}

use Shape::{Any, Flag, List, Map, Object, Switch, Text, Texts};

const fn both(name: &'static str, shape: Shape) -> Field {
    Field { name, shape, version: None, default: None }
}

const fn only(version: Version, name: &'static str, shape: Shape) -> Field {
    Field { name, shape, version: Some(version), default: None }
}

const fn usually(name: &'static str, default: &'static str) -> Field {
    Field { name, shape: Text, version: Some(V0_3), default: Some(default) }
}

/// A card, as it is signed. `type` of a security scheme is what its members say anyway.
pub(super) const CARD: &[Field] = &[
    both("name", Text),
    both("description", Text),
    both("version", Text),
    both("documentationUrl", Text),
    both("iconUrl", Text),
    both("provider", Object(PROVIDER)),
    both("capabilities", Object(CAPABILITIES)),
    both("defaultInputModes", Texts),
    both("defaultOutputModes", Texts),
    both("skills", List(SIGNED_SKILL)),
    both("securitySchemes", Map(SCHEME)),
    only(V1_0, "supportedInterfaces", List(INTERFACE)),
    only(V1_0, "securityRequirements", List(&[both("schemes", Any)])),
    only(V0_3, "url", Text),
    usually("preferredTransport", r#""JSONRPC""#),
    usually("protocolVersion", r#""0.3.0""#),
    only(V0_3, "additionalInterfaces", List(&[both("transport", Text), both("url", Text)])),
    only(V0_3, "security", Any),
    only(V0_3, "supportsAuthenticatedExtendedCard", Flag),
];

/// What is published of a card as it is.
pub(super) const KEPT: &[Field] = &[
    both("name", Text),
    both("description", Text),
    both("version", Text),
    both("documentationUrl", Text),
    both("iconUrl", Text),
    both("provider", Object(PROVIDER)),
    both("defaultInputModes", Texts),
    both("defaultOutputModes", Texts),
];

const PROVIDER: &[Field] = &[both("organization", Text), both("url", Text)];

pub(super) const CAPABILITIES: &[Field] = &[
    both("streaming", Flag),
    both("pushNotifications", Flag),
    both("extensions", List(EXTENSION)),
    only(V1_0, "extendedAgentCard", Flag),
    only(V0_3, "stateTransitionHistory", Flag),
];

const EXTENSION: &[Field] =
    &[both("uri", Text), both("description", Text), both("required", Switch), both("params", Any)];

/// A skill is under the gateway's security, not its own.
pub(super) const SKILL: &[Field] = &[
    both("id", Text),
    both("name", Text),
    both("description", Text),
    both("tags", Texts),
    both("examples", Texts),
    both("inputModes", Texts),
    both("outputModes", Texts),
];

const SIGNED_SKILL: &[Field] = &[
    both("id", Text),
    both("name", Text),
    both("description", Text),
    both("tags", Texts),
    both("examples", Texts),
    both("inputModes", Texts),
    both("outputModes", Texts),
    only(V1_0, "securityRequirements", List(&[both("schemes", Any)])),
    only(V0_3, "security", Any),
];

const INTERFACE: &[Field] =
    &[both("url", Text), both("protocolBinding", Text), both("protocolVersion", Text), both("tenant", Text)];

const SCHEME: &[Field] = &[
    only(V1_0, "apiKeySecurityScheme", Any),
    only(V1_0, "httpAuthSecurityScheme", Any),
    only(V1_0, "oauth2SecurityScheme", Any),
    only(V1_0, "openIdConnectSecurityScheme", Any),
    only(V1_0, "mtlsSecurityScheme", Any),
    only(V0_3, "description", Text),
    only(V0_3, "scheme", Text),
    only(V0_3, "bearerFormat", Text),
    only(V0_3, "in", Text),
    only(V0_3, "name", Text),
    only(V0_3, "flows", Any),
    only(V0_3, "oauth2MetadataUrl", Text),
    only(V0_3, "openIdConnectUrl", Text),
];

/// Writes the members `fields` of `object`: those of one version as it signs them, or those of both.
pub(super) fn write_members(
    object: Value<'_, '_>,
    fields: &[Field],
    version: Option<Version>,
    json: &mut Writer<'_>,
) -> Result<(), Reason> {
    for field in fields {
        let is_other = version.is_some() && field.version.is_some() && field.version != version;
        let Some(value) = member(object, field.name).filter(|_| !is_other) else { continue };
        let is_default = version.is_some() && field.default == Some(value.raw());
        let is_off = version == Some(V1_0) && matches!(field.shape, Switch) && value.as_bool() == Some(false);
        if !is_default && !is_off {
            json.key(field.name);
            write(value, *field, version, json)?;
        }
    }
    Ok(())
}

fn write(value: Value<'_, '_>, field: Field, version: Option<Version>, json: &mut Writer<'_>) -> Result<(), Reason> {
    let wrong = Reason::Member(field.name);
    match field.shape {
        Text => json.text(&value.as_str().ok_or(wrong)?),
        Flag | Switch => json.flag(value.as_bool().ok_or(wrong)?),
        Any => json.value(value),
        Texts if value.kind() == Kind::Array => {
            json.open_list();
            for item in value.items() {
                json.text(&item.as_str().ok_or(wrong)?);
            }
            json.close_list();
        }
        Object(fields) if value.is_object() => {
            json.open_object();
            write_members(value, fields, version, json)?;
            json.close_object();
        }
        List(fields) if value.kind() == Kind::Array => {
            json.open_list();
            for item in value.items() {
                write(item, Field { shape: Object(fields), ..field }, version, json)?;
            }
            json.close_list();
        }
        Map(fields) if value.is_object() => {
            json.open_object();
            for one in value.members() {
                json.key(&one.key());
                write(one.value, Field { shape: Object(fields), ..field }, version, json)?;
            }
            json.close_object();
        }
        Texts | Object(_) | List(_) | Map(_) => return Err(wrong),
    }
    Ok(())
}

/// The member of this name; `null` is as if it were not there.
pub(super) fn member<'d, 'a>(object: Value<'d, 'a>, name: &str) -> Option<Value<'d, 'a>> {
    object.get(name).filter(|value| value.kind() != Kind::Null)
}

pub(super) fn text<'a>(object: Value<'_, 'a>, name: &'static str) -> Result<Option<Cow<'a, str>>, Reason> {
    member(object, name).map(|value| value.as_str().ok_or(Reason::Member(name))).transpose()
}

pub(super) fn flag(object: Value<'_, '_>, name: &'static str) -> Result<Option<bool>, Reason> {
    member(object, name).map(|value| value.as_bool().ok_or(Reason::Member(name))).transpose()
}

/// The objects in a list; none if it is not there.
pub(super) fn items<'d, 'a>(object: Value<'d, 'a>, name: &'static str) -> Result<Vec<Value<'d, 'a>>, Reason> {
    let Some(list) = member(object, name) else { return Ok(Vec::new()) };
    let is_list = list.kind() == Kind::Array && list.items().all(Value::is_object);
    if is_list { Ok(list.items().collect()) } else { Err(Reason::Member(name)) }
}
