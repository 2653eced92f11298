//! One answer with a list of tools.

use super::catalogue::{Catalogue, Kept, News, Seen, Tool};
use super::findings::{Changed, Findings};
use super::objection::{Objection, judge};
use crate::config::{Lint, Server, Servers};
use std::rc::Rc;
use tollgate_host::abi::{self, Level};
use tollgate_kernel::json::Value;
use tollgate_kernel::mcp::lint::lint;

/// What is learned of a server's tools from one answer, and what of it is held back.
#[derive(Debug)]
pub struct Listing {
    server: Rc<Server>,
    /// As it will be, if nobody else changes it.
    catalogue: Rc<Catalogue>,
    /// What is to be remembered.
    seen: Vec<(String, Seen)>,
    others: Others,
    findings: Findings,
}

/// Names of other servers' tools.
#[derive(Debug, Default)]
struct Others {
    /// Those of its own server, ascending: what two servers have is not the other's.
    own: Vec<String>,
    catalogues: Vec<Rc<Catalogue>>,
    /// The same for the same names.
    mark: u32,
}

impl Others {
    fn of(mut own: Vec<String>, catalogues: Vec<Rc<Catalogue>>) -> Self {
        own.sort_unstable();
        let mut others = Self { own, catalogues, mark: 0 };
        let names = others.catalogues.iter().flat_map(|catalogue| catalogue.iter()).map(|tool| tool.name.as_str());
        others.mark = names.filter(|name| others.has(name)).fold(1, checksum);
        others
    }

    fn has(&self, name: &str) -> bool {
        let is_own = self.own.binary_search_by(|own| own.as_str().cmp(name)).is_ok();
        !is_own && self.catalogues.iter().any(|catalogue| catalogue.get(name).is_some())
    }
}

impl Listing {
    /// One that begins, in an answer of `server`.
    #[must_use]
    pub fn of(server: &Rc<Server>) -> Self {
        Self {
            catalogue: server.tools.catalogue(),
            server: Rc::clone(server),
            seen: Vec::new(),
            others: Others::default(),
            findings: Findings::default(),
        }
    }

    /// Begins a list, which may be a page of a longer one.
    pub fn begin(&mut self, result: Value<'_, '_>, servers: &Servers) {
        if self.seen.is_empty() {
            // A stream may have been open for long.
            self.catalogue = self.server.tools.catalogue();
        }
        if self.server.config.lint == Lint::None {
            return;
        }
        let entries = result.get("tools").into_iter().flat_map(Value::items);
        let own = entries.filter_map(|entry| Some(entry.get("name")?.as_str()?.into_owned()));
        let own = own.chain(self.catalogue.iter().map(|tool| tool.name.clone())).collect();
        let others = servers.iter().filter(|server| server.name != self.server.name);
        self.others = Others::of(own, others.map(|server| server.tools.catalogue()).collect());
    }

    /// Sees a tool that is called `name` in rules. What is known of it now.
    ///
    /// # Errors
    /// What speaks against it.
    pub fn see(&mut self, entry: Value<'_, '_>, own: &str, name: &str) -> Result<Option<Rc<Tool>>, Objection> {
        let config = &self.server.config;
        let kept = Kept { input: config.check_arguments, output: config.check_results };
        let mut seen = Seen::of(entry, kept);
        let known = self.catalogue.get(own).filter(|tool| tool.now.digest == seen.digest);
        if config.lint != Lint::None {
            seen.linted_with = self.others.mark;
            seen.findings = match known.filter(|tool| tool.now.linted_with == self.others.mark) {
                Some(tool) => tool.now.findings.clone(),
                None => lint(entry, &|name| self.others.has(name)),
            };
        }
        let found_before = known.map_or(0, |tool| tool.now.findings.len());
        let newly = u32::try_from(seen.findings.len().saturating_sub(found_before)).unwrap_or(u32::MAX);
        if newly > 0 {
            self.suspect(&seen, name);
        }
        self.findings.newly_suspected = self.findings.newly_suspected.saturating_add(newly);
        seen.findings.iter().for_each(|finding| self.findings.suspected.push((name.to_owned(), *finding)));
        if !self.catalogue.knows(own, &seen) {
            Rc::make_mut(&mut self.catalogue).see(own, &seen);
            self.seen.push((own.to_owned(), seen));
        }
        let tool = self.catalogue.get(own).map(Rc::clone);
        let judgement = judge(&self.server.config, tool.as_deref());
        if let Some(objection) = judgement.refused.or(judgement.shadow) {
            self.findings.held.push((name.to_owned(), objection.reason()));
        }
        judgement.refused.map_or(Ok(tool), Err)
    }

    /// Lets all workers know, and the operator.
    pub fn end(&mut self) {
        let seen = std::mem::take(&mut self.seen);
        if seen.is_empty() {
            return;
        }
        let Some(news) = self.server.tools.see(&seen) else {
            abi::log(Level::Error, "tollgate: what servers list could not be remembered");
            return;
        };
        for ((own, seen), news) in seen.into_iter().zip(news) {
            self.tell(&own, &seen, news);
        }
    }

    /// What was found of tools.
    #[must_use]
    pub const fn findings(&self) -> &Findings {
        &self.findings
    }

    fn tell(&mut self, own: &str, seen: &Seen, news: News) {
        let Seen { digest, .. } = *seen;
        let server = &self.server.name;
        let pinned = self.server.config.pinned(own);
        let was = match news {
            News::None | News::Remember => return,
            News::NoRoom => {
                abi::log(Level::Warn, &format!("tollgate: server {server}: no room to remember tool {own}"));
                return;
            }
            News::First => pinned.filter(|pinned| *pinned != digest),
            News::Changed { was } => Some(was).filter(|_| pinned != Some(digest)),
        };
        match was {
            None => abi::log(Level::Info, &format!("tollgate: server {server}: tool {own} has digest {digest}")),
            Some(was) => {
                let line = format!("tollgate: server {server}: tool {own} has changed: has digest {digest}, had {was}");
                abi::log(Level::Warn, &line);
                let tool = self.server.qualified(own).map_or_else(|| own.to_owned(), |found| found.name);
                self.findings.changed.push(Changed { tool, was, digest });
            }
        }
    }

    fn suspect(&self, seen: &Seen, name: &str) {
        for finding in &seen.findings {
            let (what, part) = (finding.suspicion.name(), finding.part.name());
            abi::log(Level::Warn, &format!("tollgate: tool {name} is suspicious: {what} in its {part}"));
        }
    }
}

/// Continues a checksum (FNV-1a) with a name.
fn checksum(mark: u32, name: &str) -> u32 {
    let byte = |mark: u32, byte: &u8| (mark ^ u32::from(*byte)).wrapping_mul(16_777_619);
    name.as_bytes().iter().chain([&0]).fold(mark, byte)
}
