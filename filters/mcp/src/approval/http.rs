//! The approval page and its JSON, as requests and answers of HTTP. Pure.
//!
//! `GET /.tollgate/approvals` shows what the viewer can answer, or has asked for; `POST /.tollgate/approvals/<id>` answers. A
//! form must carry the token that the page gave to this viewer for this call; JSON, which no form can send, need not. What
//! another site's page makes a browser send is refused in any case.

use super::page::{self, PATH, POLICY, View};
use super::store::Store;
use crate::exchange::Approval;
use tollgate_host::headers::Headers;
use tollgate_host::shared_data::Unavailable;
use tollgate_host::stream::Reply;
use tollgate_kernel::approval::pending::{self, Entry, NotAnswered, Outcome, Word, may_answer};
use tollgate_kernel::approval::{Id, form, form_token};
use tollgate_kernel::json::{Document, Limits, Writer};
use tollgate_kernel::rule;
use tollgate_kernel::signing_keys::SigningKeys;
use tollgate_kernel::subject::Subject;
use tollgate_kernel::timestamp;

/// What a visit that comes to something is called.
pub const SERVED: &str = "approvals";
/// The largest body of an answer.
pub const MAX_BODY: usize = 8 * 1024;
/// How long a form is good.
const FORM_MS: u64 = 12 * 3600 * 1000;
/// How many that are over are shown.
const PAST: usize = 20;

/// Somebody comes to the page.
#[derive(Debug, Clone, Copy)]
pub struct Visit<'v> {
    /// The request's headers.
    pub headers: &'v Headers,
    /// Its body.
    pub body: &'v [u8],
    /// Who it is.
    pub viewer: &'v Subject,
    /// Milliseconds since 1970.
    pub now_ms: u64,
}

/// Why a visit comes to nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    NoSuchPage,
    Method,
    ContentType,
    Malformed,
    OtherSite,
    OldForm,
    Nobody,
    Unavailable,
    NotAnswered(NotAnswered),
}

/// Whether a request is for the page.
#[must_use]
pub fn is_visit(headers: &Headers) -> bool {
    let path = path(headers);
    path.strip_prefix(PATH).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Answers a visit. `rule_of` finds what a rule says of who may approve.
pub fn serve<'r>(
    visit: &Visit<'_>,
    rule_of: &dyn Fn(&str) -> Option<&'r rule::Approval>,
    keys: &SigningKeys,
    store: &impl Store,
) -> (Reply, Option<Approval>) {
    match answer(visit, rule_of, keys, store) {
        Ok(answered) => answered,
        Err(fault) => (fault.reply(visit.headers), None),
    }
}

fn answer<'r>(
    visit: &Visit<'_>,
    rule_of: &dyn Fn(&str) -> Option<&'r rule::Approval>,
    keys: &SigningKeys,
    store: &impl Store,
) -> Result<(Reply, Option<Approval>), Fault> {
    visit.viewer.user.as_ref().ok_or(Fault::Nobody)?;
    let id = path(visit.headers).strip_prefix(PATH).unwrap_or_default().strip_prefix('/').filter(|id| !id.is_empty());
    match (visit.headers.one(":method"), id) {
        (Some(b"GET"), None) => Ok((list(visit, rule_of, keys, store)?, None)),
        (Some(b"POST"), Some(id)) => {
            let id = Id::parse(id).ok_or(Fault::NotAnswered(NotAnswered::Unknown))?;
            say(visit, &id, rule_of, keys, store).map(|(reply, said)| (reply, Some(said)))
        }
        (Some(b"GET"), Some(_)) => Err(Fault::NoSuchPage),
        _ => Err(Fault::Method),
    }
}

fn list<'r>(
    visit: &Visit<'_>,
    rule_of: &dyn Fn(&str) -> Option<&'r rule::Approval>,
    keys: &SigningKeys,
    store: &impl Store,
) -> Result<Reply, Fault> {
    let slots = (0..pending::SLOTS).map(|slot| store.read(slot)).collect::<Result<Vec<_>, _>>();
    let slots = slots.map_err(|Unavailable| Fault::Unavailable)?;
    let Visit { viewer, now_ms, .. } = *visit;
    let mut entries: Vec<&Entry> = slots.iter().flat_map(|slot| slot.entries()).collect();
    entries.sort_by_key(|entry| entry.asked_ms);
    let (mut waiting, mut own, mut past) = (Vec::new(), Vec::new(), Vec::new());
    for entry in entries {
        let may = rule_of(&entry.rule).is_some_and(|approval| may_answer(&entry.requester, viewer, approval).is_ok());
        let is_own = pending::is_same(&entry.requester, viewer);
        match entry.outcome {
            _ if !may && !is_own => {}
            Outcome::Waits if entry.is_open(now_ms) && may => {
                let token = form_token::make(keys, viewer, &entry.id, now_ms.saturating_add(FORM_MS));
                waiting.push((entry, token));
            }
            Outcome::Waits if entry.is_open(now_ms) => own.push(entry),
            _ => past.push(entry),
        }
    }
    past.reverse();
    past.truncate(PAST);
    let view = View { viewer, waiting, own, past, now_ms };
    Ok(if wants_html(visit.headers) { html(200, view.html()) } else { json(200, &listing(&view)) })
}

fn say<'r>(
    visit: &Visit<'_>,
    id: &Id,
    rule_of: &dyn Fn(&str) -> Option<&'r rule::Approval>,
    keys: &SigningKeys,
    store: &impl Store,
) -> Result<(Reply, Approval), Fault> {
    let Visit { headers, viewer, now_ms, .. } = *visit;
    same_site(headers)?;
    let is_form = headers.is_media_type("application/x-www-form-urlencoded");
    let spoken = match () {
        () if visit.body.len() > MAX_BODY => return Err(Fault::Malformed),
        () if is_form => Spoken::of_form(visit.body)?,
        () if headers.is_media_type("application/json") => Spoken::of_json(visit.body)?,
        () => return Err(Fault::ContentType),
    };
    if is_form && !form_token::is_good(keys, viewer, id, &spoken.token, now_ms) {
        return Err(Fault::OldForm);
    }
    let answered = store.change(pending::slot_of(id), |slot| {
        let name = slot.entries().iter().find(|entry| entry.id == *id).map(|entry| entry.rule.clone());
        let approval = name.as_deref().and_then(rule_of);
        slot.answer(id, spoken.word, viewer, &spoken.reason, approval, now_ms).cloned()
    });
    let entry = answered.map_err(|Unavailable| Fault::Unavailable)?.map_err(Fault::NotAnswered)?;
    let reply = if is_form {
        let mut reply = html(303, String::new());
        reply.headers.push(("location", page::address_of(PATH, id)));
        reply
    } else {
        let mut body = Vec::new();
        write_entry(&entry, now_ms, &mut Writer::new(&mut body));
        json(200, &body)
    };
    let word = match spoken.word {
        Word::Approve => "approve",
        Word::Reject => "reject",
    };
    let (of, object) = (Some(entry.requester), Some(entry.object));
    let reason = Some(spoken.reason).filter(|reason| !reason.is_empty());
    Ok((reply, Approval { id: Some(*id), reason, of, object, ..Approval::word(word) }))
}

/// What an answer says.
#[derive(Debug)]
struct Spoken {
    word: Word,
    reason: String,
    token: String,
}

impl Spoken {
    fn of(decision: &str, reason: String, token: String) -> Result<Self, Fault> {
        let word = match decision {
            "approve" => Word::Approve,
            "reject" => Word::Reject,
            _ => return Err(Fault::Malformed),
        };
        Ok(Self { word, reason, token })
    }

    fn of_json(body: &[u8]) -> Result<Self, Fault> {
        let document = Document::read(body, Limits { bytes: MAX_BODY, nodes: 16 }).map_err(|_| Fault::Malformed)?;
        let text = |key| match document.root().get(key) {
            None => Ok(String::new()),
            Some(value) => value.as_str().map(String::from).ok_or(Fault::Malformed),
        };
        if document.root().members().any(|member| !member.is("decision") && !member.is("reason")) {
            return Err(Fault::Malformed);
        }
        Self::of(&text("decision")?, text("reason")?, String::new())
    }

    fn of_form(body: &[u8]) -> Result<Self, Fault> {
        let [decision, reason, token] = form::fields(body, ["decision", "reason", "token"]).ok_or(Fault::Malformed)?;
        Self::of(&decision.unwrap_or_default(), reason.unwrap_or_default(), token.unwrap_or_default())
    }
}

/// Whether a browser would say that one of our own pages sends this, or it is no browser.
fn same_site(headers: &Headers) -> Result<(), Fault> {
    let mut origins = headers.all("origin");
    let authority = headers.one(":authority").unwrap_or_default();
    let is_own = |origin: &[u8]| {
        let host = origin.strip_prefix(b"https://").or_else(|| origin.strip_prefix(b"http://"));
        host.is_some_and(|host| host.eq_ignore_ascii_case(authority))
    };
    let site = headers.all("sec-fetch-site").all(|site| site == b"same-origin" || site == b"none");
    if site && origins.all(is_own) { Ok(()) } else { Err(Fault::OtherSite) }
}

fn path(headers: &Headers) -> &str {
    let target = headers.text(":path").unwrap_or_default();
    target.split_once('?').map_or(target, |(path, _)| path)
}

fn wants_html(headers: &Headers) -> bool {
    headers.all("accept").any(|accept| accept.windows(9).any(|part| part.eq_ignore_ascii_case(b"text/html")))
}

fn listing(view: &View<'_>) -> Vec<u8> {
    let mut out = Vec::new();
    let json = &mut Writer::new(&mut out);
    json.open_object().key("waiting").open_list();
    view.waiting.iter().for_each(|(entry, _)| write_entry(entry, view.now_ms, json));
    json.close_list();
    for (name, entries) in [("own", &view.own), ("past", &view.past)] {
        json.key(name).open_list();
        entries.iter().for_each(|entry| write_entry(entry, view.now_ms, json));
        json.close_list();
    }
    json.close_object();
    out
}

fn write_entry(entry: &Entry, now_ms: u64, json: &mut Writer<'_>) {
    let time = |ms: u64| timestamp::rfc3339_millis(ms.saturating_mul(1_000_000));
    let is_open = entry.is_open(now_ms);
    let (state, answer) = match &entry.outcome {
        Outcome::Waits if is_open => ("waiting", None),
        Outcome::Approved(answer) if is_open => ("approved", Some(answer)),
        Outcome::Rejected(answer) => ("rejected", Some(answer)),
        Outcome::Ran { answer, .. } => ("ran", Some(answer)),
        Outcome::Approved(answer) => ("expired", Some(answer)),
        Outcome::Waits => ("expired", None),
    };
    json.open_object().key("id").text(&entry.id.to_string());
    json.key("state").text(state);
    json.key("object").text(&entry.object);
    json.key("server").text(&entry.server);
    json.key("rule").text(&entry.rule);
    json.key("arguments").open_list();
    entry.arguments.lines().for_each(|line| json.text(line));
    json.close_list();
    json.key("complete").flag(entry.complete);
    json.key("requester");
    entry.requester.write(json);
    json.key("asked").text(&time(entry.asked_ms));
    json.key("expires").text(&time(entry.expires_ms));
    if let Some(answer) = answer {
        json.key("answer").open_object().key("by");
        answer.by.write(json);
        json.key("at").text(&time(answer.at_ms));
        json.key("reason").text(&answer.reason);
        json.close_object();
    }
    if let Outcome::Ran { at_ms, .. } = entry.outcome {
        json.key("ran").text(&time(at_ms));
    }
    json.close_object();
}

impl Fault {
    const fn of(self) -> (u16, &'static str, &'static str) {
        match self {
            Self::NoSuchPage => (404, "no_such_page", "There is no such page."),
            Self::Method => (405, "method_not_allowed", "Only GET of the page and POST of an answer are served."),
            Self::ContentType => (415, "unsupported_content_type", "An answer is a form or JSON."),
            Self::Malformed => {
                (400, "malformed_answer", "An answer has a `decision`, `approve` or `reject`, and may have a `reason`.")
            }
            Self::OtherSite => {
                (403, "other_site", "This came from another site's page. Answer on the approval page itself.")
            }
            Self::OldForm => (403, "old_form", "This form is not good, or not any more. Load the page again."),
            Self::Nobody => (403, "no_user", "It is not proven which person you are, so you cannot approve anything."),
            Self::Unavailable => (503, "approvals_unavailable", "Approvals cannot be read now."),
            Self::NotAnswered(NotAnswered::Unknown) => (404, "no_such_call", "There is no such call, or not any more."),
            Self::NotAnswered(NotAnswered::Answered) => {
                (409, "already_answered", "Somebody has already answered this call.")
            }
            Self::NotAnswered(NotAnswered::Expired) => (410, "expired", "It is too late: the call has expired."),
            Self::NotAnswered(NotAnswered::Own) => {
                (403, "own_call", "This is your own call. Somebody else must answer it.")
            }
            Self::NotAnswered(NotAnswered::NotTheirs) => {
                (403, "not_an_approver", "The rule does not name you among its approvers.")
            }
            Self::NotAnswered(NotAnswered::LongReason) => (400, "long_reason", "The reason is too long."),
        }
    }

    fn reply(self, headers: &Headers) -> Reply {
        let (status, reason, text) = self.of();
        let mut reply = if wants_html(headers) {
            html(status, page::message("Not answered", text))
        } else {
            let mut body = Vec::new();
            let json_body = &mut Writer::new(&mut body);
            json_body.open_object().key("error").open_object().key("reason").text(reason);
            json_body.key("message").text(text);
            json_body.close_object();
            json_body.close_object();
            json(status, &body)
        };
        reply.details = reason;
        if self == Self::Method {
            reply.headers.push(("allow", "GET, POST".to_owned()));
        }
        reply
    }
}

fn html(status: u16, body: String) -> Reply {
    reply(status, "text/html; charset=utf-8", body.into_bytes())
}

fn json(status: u16, body: &[u8]) -> Reply {
    reply(status, "application/json", body.to_vec())
}

fn reply(status: u16, content_type: &str, body: Vec<u8>) -> Reply {
    let headers = [
        ("content-type", content_type),
        ("cache-control", "no-store"),
        ("content-security-policy", POLICY),
        // Not `no-referrer`, with which browsers send forms from `null`.
        ("referrer-policy", "same-origin"),
        ("x-content-type-options", "nosniff"),
        ("x-frame-options", "DENY"),
        ("cross-origin-opener-policy", "same-origin"),
        ("vary", "accept"),
    ];
    let headers = headers.into_iter().map(|(name, value)| (name, value.to_owned())).collect();
    Reply { status, details: SERVED, headers, body }
}

#[cfg(test)]
mod tests;
