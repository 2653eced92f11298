//! Which addresses an agent may be asked to tell of a task.
//!
//! Whoever names one lets the agent speak to it, from where the agent stands. So hosts are listed, and an address that two
//! readers could resolve differently is refused whatever is listed. What a listed name resolves to is not seen here: the
//! agent's own way out must be closed to what nobody may reach.

use super::PushConfig;
use schemars::JsonSchema;
use std::fmt;
use tollgate_config::{Fault, Read, Value, object};

const MAX_URL: usize = 2048;
const MAX_SECRET: usize = 4096;
const MAX_SCHEME: usize = 64;
const MAX_HOST: usize = 253;
const MAX_LABEL: usize = 63;

/// Which addresses are allowed. None, unless hosts are listed.
#[derive(Debug, Clone, Default, PartialEq, Eq, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct PushRules {
    /// Hosts: `hooks.example.com`, with a port if it is not the usual one (`hooks.example.com:8443`), or `*.example.com` for all
    /// below it. An IPv4 address must be written out here to be allowed, and so must a name in punycode.
    #[schemars(default)]
    pub hosts: Vec<Host>,
    /// Whether `http` is allowed, which is read by everybody on the way. Default: only `https`.
    #[schemars(default)]
    pub plain_http: bool,
}

object!(PushRules { hosts = Vec::new(), plain_http = false });

/// A host, or all hosts below a name, and the port if it is not the usual one.
#[derive(Debug, Clone, PartialEq, Eq, JsonSchema)]
#[schemars(try_from = "String")]
#[schemars(with = "String", extend("pattern" = "^(\\*\\.)?[a-z0-9.-]+(:[0-9]+)?$"))]
pub struct Host {
    name: String,
    below: bool,
    port: Option<u16>,
}

/// A text is no [`Host`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotAHost;

/// Why an address is refused. Says nothing of what stands in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotAllowed {
    /// It is longer than anybody needs, or has a character that addresses do not have, as it stands or encoded.
    Characters,
    /// It is not `https://`, or `http://` where that is allowed.
    Scheme,
    /// It has a name or password.
    UserInfo,
    /// It has a fragment.
    Fragment,
    /// Its port is not written as ports are.
    Port,
    /// Its host is not written as hosts are.
    HostForm,
    /// Its host is an address in a form that readers understand differently, or one that is not listed.
    AddressLiteral,
    /// Its host ends with a dot.
    TrailingDot,
    /// Its host is in punycode and not listed.
    Punycode,
    /// Its host, at this port, is not listed.
    NotListed,
    /// The token is longer than anybody needs or has control characters.
    Token,
    /// The credentials, or their scheme.
    Credentials,
}

impl PushRules {
    /// The host that `config` names, in small letters, if it is allowed.
    ///
    /// # Errors
    /// Why it is not.
    pub fn check(&self, config: &PushConfig<'_>) -> Result<String, NotAllowed> {
        let is_field = |text: &str| text.len() <= MAX_SECRET && text.bytes().all(|byte| matches!(byte, b' '..=b'~'));
        if !config.token.as_deref().is_none_or(is_field) {
            return Err(NotAllowed::Token);
        }
        if !config.credentials.as_deref().is_none_or(is_field) || !config.schemes.iter().all(|name| is_scheme(name)) {
            return Err(NotAllowed::Credentials);
        }
        self.address(&config.url)
    }

    fn address(&self, url: &str) -> Result<String, NotAllowed> {
        if url.len() > MAX_URL || !has_only_plain(url) {
            return Err(NotAllowed::Characters);
        }
        let (scheme, rest) = url.split_once("://").ok_or(NotAllowed::Scheme)?;
        let usual = match scheme.to_ascii_lowercase().as_str() {
            "https" => 443,
            "http" if self.plain_http => 80,
            _ => return Err(NotAllowed::Scheme),
        };
        if rest.contains('#') {
            return Err(NotAllowed::Fragment);
        }
        let authority = rest.split(['/', '?']).next().unwrap_or_default();
        if authority.contains('@') {
            return Err(NotAllowed::UserInfo);
        }
        if authority.starts_with('[') {
            return Err(NotAllowed::AddressLiteral);
        }
        let (name, port) = match authority.split_once(':') {
            None => (authority, usual),
            Some((name, port)) => (name, read_port(port).ok_or(NotAllowed::Port)?),
        };
        let name = name.to_ascii_lowercase();
        self.host(&name, port, usual)?;
        Ok(name)
    }

    fn host(&self, name: &str, port: u16, usual: u16) -> Result<(), NotAllowed> {
        if name.ends_with('.') {
            return Err(NotAllowed::TrailingDot);
        }
        if !is_name(name) {
            return Err(NotAllowed::HostForm);
        }
        let is_literal = is_number(name);
        if is_literal && !is_ipv4(name) {
            return Err(NotAllowed::AddressLiteral);
        }
        let is_punycode = name.split('.').any(|label| label.get(2..4) == Some("--"));
        let by_name = is_literal || is_punycode;
        let fits = |host: &Host| host.port.unwrap_or(usual) == port && host.fits(name) && !(by_name && host.below);
        match self.hosts.iter().any(fits) {
            true => Ok(()),
            false if is_literal => Err(NotAllowed::AddressLiteral),
            false if is_punycode => Err(NotAllowed::Punycode),
            false => Err(NotAllowed::NotListed),
        }
    }
}

impl Host {
    fn fits(&self, name: &str) -> bool {
        match name.strip_suffix(self.name.as_str()) {
            Some("") => !self.below,
            Some(before) => self.below && before.ends_with('.'),
            None => false,
        }
    }
}

/// Characters of RFC 3986, and no encoded control character.
fn has_only_plain(url: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~:/?#[]@!$&'()*+,;=%".contains(&byte);
    let mut encoded = url.split('%').skip(1);
    let is_encoded = |text: &str| match text.as_bytes() {
        [high, low, ..] => {
            let is_control = matches!(high, b'0' | b'1') || (*high == b'7' && low.eq_ignore_ascii_case(&b'f'));
            high.is_ascii_hexdigit() && low.is_ascii_hexdigit() && !is_control
        }
        _ => false,
    };
    url.bytes().all(allowed) && encoded.all(is_encoded)
}

fn read_port(text: &str) -> Option<u16> {
    let is_plain = text.bytes().all(|byte| byte.is_ascii_digit()) && !text.starts_with('0');
    text.parse().ok().filter(|_| is_plain)
}

/// Labels of letters, digits and `-`, in small letters.
fn is_name(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let is_label = |label: &str| {
        (1..=MAX_LABEL).contains(&label.len())
            && label.bytes().all(plain)
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    name.len() <= MAX_HOST && name.split('.').all(is_label)
}

/// Whether some reader takes it for an address: its last label is a number, in any base.
fn is_number(name: &str) -> bool {
    let last = name.rsplit('.').next().unwrap_or_default();
    last.bytes().all(|byte| byte.is_ascii_digit())
        || last.strip_prefix("0x").is_some_and(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

/// Four numbers as everybody writes them.
fn is_ipv4(name: &str) -> bool {
    let part = |part: &str| part.parse::<u8>().is_ok_and(|number| number.to_string() == part);
    name.split('.').count() == 4 && name.split('.').all(part)
}

/// A token of RFC 9110.
fn is_scheme(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    (1..=MAX_SCHEME).contains(&name.len()) && name.bytes().all(plain)
}

impl TryFrom<String> for Host {
    type Error = NotAHost;

    fn try_from(text: String) -> Result<Self, NotAHost> {
        let (name, port) = match text.split_once(':') {
            None => (text.as_str(), None),
            Some((name, port)) => (name, Some(read_port(port).ok_or(NotAHost)?)),
        };
        let (name, below) = name.strip_prefix("*.").map_or((name, false), |name| (name, true));
        let is_good = is_name(name) && (!is_number(name) || (is_ipv4(name) && !below));
        // `*.com` is nobody's.
        if is_good && (!below || name.contains('.')) {
            Ok(Self { name: name.to_owned(), below, port })
        } else {
            Err(NotAHost)
        }
    }
}

impl Read for Host {
    fn read(value: &Value<'_>) -> Result<Self, Fault> {
        value.converted::<String, _>()
    }
}

impl fmt::Display for NotAHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "must be a host in small letters, for example `hooks.example.com`, `hooks.example.com:8443` or `*.example.com`",
        )
    }
}

impl std::error::Error for NotAHost {}

impl NotAllowed {
    /// The word in records and refusals.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Characters => "push_url_characters",
            Self::Scheme => "push_url_scheme",
            Self::UserInfo => "push_url_user_info",
            Self::Fragment => "push_url_fragment",
            Self::Port => "push_url_port",
            Self::HostForm => "push_url_host",
            Self::AddressLiteral => "push_url_address_literal",
            Self::TrailingDot => "push_url_trailing_dot",
            Self::Punycode => "push_url_punycode",
            Self::NotListed => "push_url_not_listed",
            Self::Token => "push_token",
            Self::Credentials => "push_credentials",
        }
    }
}

/// Never quotes the address.
impl fmt::Display for NotAllowed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Characters => "the push notification URL is too long or has characters that it must not have",
            Self::Scheme => "the push notification URL must begin with https://",
            Self::UserInfo => "the push notification URL must not have a user name",
            Self::Fragment => "the push notification URL must not have a fragment",
            Self::Port => "the port of the push notification URL is not written as ports are",
            Self::HostForm => "the host of the push notification URL is not written as hosts are",
            Self::AddressLiteral => "the push notification URL must name a host, not an address",
            Self::TrailingDot => "the host of the push notification URL must not end with a dot",
            Self::Punycode => "the host of the push notification URL is in punycode and not allowed",
            Self::NotListed => "the host of the push notification URL is not allowed",
            Self::Token => "the push notification token is too long or has characters that it must not have",
            Self::Credentials => "the push notification authentication has characters that it must not have",
        })
    }
}

impl std::error::Error for NotAllowed {}

#[cfg(test)]
mod tests;
