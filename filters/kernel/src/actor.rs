//! Who acts with a token that somebody else has verified, and who acted before (RFC 8693, section 4.1).

use crate::claims::{Claim, ClaimPath};
use crate::spiffe::{self, SpiffePattern};
use crate::subject::{Label, Subject};
use schemars::JsonSchema;
use tollgate_config::{Map, object};

/// The most actors that a token may say.
pub const MAX_ACTORS: usize = 8;

/// The claim whose object is the actor, and holds the one before it in a claim of the same name.
const ACT: &str = "act";

/// Who a verified token says acts.
#[derive(Debug, Clone, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct ActorClaims {
    /// Claims that may say the agent. The first that is there does.
    #[schemars(default = "usual", length(min = 1))]
    claims: Vec<ClaimPath>,
    /// What agents are called here, by what tokens call them. A token that calls an agent by such a name itself is refused.
    #[schemars(default)]
    names: Map<String, Label>,
    /// Whether a token that says no agent is refused.
    #[schemars(default = "yes")]
    require: bool,
}

object!(ActorClaims { claims = usual(), names = Map::default(), require = yes() });

fn usual() -> Vec<ClaimPath> {
    [&[ACT, "sub"][..], &["azp"], &["client_id"]].map(ClaimPath::of).into()
}

const fn yes() -> bool {
    true
}

/// Who acts, and who acted before.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Actors {
    /// What the actor's name says of the subject: its agent, and what else stands in a SPIFFE id.
    pub current: Subject,
    /// Those before, the last first.
    pub before: Vec<Label>,
}

/// Why claims say no actors. It never holds a claim's value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ActorFault {
    /// No claim says the agent; this would be the first.
    Missing(ClaimPath),
    /// The claim at this place cannot be an agent.
    Invalid(ClaimPath),
    /// More than [`MAX_ACTORS`].
    TooMany,
    /// The same agent twice.
    Repeated,
}

impl ActorClaims {
    /// Checks it.
    ///
    /// # Errors
    /// The path to what is at fault, and what it is.
    pub fn check(&self) -> Result<(), String> {
        if self.claims.is_empty() {
            return Err("claims: found none, expected the claim that says the agent, like `act.sub`".to_owned());
        }
        let is_before = |path: &&ClaimPath| path.names().take_while(|name| *name == ACT).count() > 1;
        match self.claims.iter().find(is_before) {
            Some(path) => Err(format!("claims: found `{path}`, expected who acts now, not before (RFC 8693)")),
            None => Ok(()),
        }
    }

    /// Who the claims that `find` finds say. A SPIFFE id says what it does in a certificate, by the same pattern.
    ///
    /// # Errors
    /// What is at fault.
    pub fn read<'a>(
        &self,
        pattern: Option<&SpiffePattern>,
        find: &dyn Fn(&ClaimPath) -> Claim<'a>,
    ) -> Result<Actors, ActorFault> {
        let current = match first(&self.claims, find) {
            Some(path) => {
                of_this_issuer(path, find)?;
                self.named(path, pattern, find)?
            }
            None => match self.claims.first().filter(|_| self.require) {
                Some(path) => return Err(ActorFault::Missing(path.clone())),
                None => Subject::default(),
            },
        };
        let all = self.all(pattern, find)?;
        let is_current = |actor: &Label| Some(actor) == current.agent.as_ref();
        let before = match all.split_first() {
            Some((last, before)) if is_current(last) => before.to_vec(),
            _ => all,
        };
        if before.iter().any(is_current) {
            return Err(ActorFault::Repeated);
        }
        Ok(Actors { current, before })
    }

    /// All that `act` says, the last first.
    fn all<'a>(
        &self,
        pattern: Option<&SpiffePattern>,
        find: &dyn Fn(&ClaimPath) -> Claim<'a>,
    ) -> Result<Vec<Label>, ActorFault> {
        let mut actors: Vec<Label> = Vec::new();
        let mut at = vec![ACT];
        loop {
            let act = ClaimPath::of(&at);
            match find(&act) {
                Claim::Absent => return Ok(actors),
                Claim::Text(_) | Claim::Number(_) => return Err(ActorFault::Invalid(act)),
                Claim::Other => {}
            }
            if actors.len() == MAX_ACTORS {
                return Err(ActorFault::TooMany);
            }
            let path = first(&self.within(&at), find).cloned().ok_or(ActorFault::Invalid(act))?;
            let actor = self.named(&path, pattern, find)?.agent.ok_or(ActorFault::Invalid(path))?;
            if actors.contains(&actor) {
                return Err(ActorFault::Repeated);
            }
            actors.push(actor);
            at.push(ACT);
        }
    }

    /// Claims that may say the agent in the `act` at this place: those that do in the first, or else `sub`.
    fn within(&self, at: &[&str]) -> Vec<ClaimPath> {
        let tail = |path: &'_ ClaimPath| {
            let mut names = path.names();
            let tail: Vec<String> = (names.next() == Some(ACT)).then(|| names.map(str::to_owned).collect())?;
            Some(tail).filter(|tail| !tail.is_empty())
        };
        let mut tails: Vec<Vec<String>> = self.claims.iter().filter_map(tail).collect();
        if tails.is_empty() {
            tails.push(vec!["sub".to_owned()]);
        }
        let whole = |tail: &Vec<String>| {
            let names: Vec<&str> = at.iter().copied().chain(tail.iter().map(String::as_str)).collect();
            ClaimPath::of(&names)
        };
        tails.iter().map(whole).collect()
    }

    /// What the actor's name at this place says; always an agent.
    fn named<'a>(
        &self,
        path: &ClaimPath,
        pattern: Option<&SpiffePattern>,
        find: &dyn Fn(&ClaimPath) -> Claim<'a>,
    ) -> Result<Subject, ActorFault> {
        let invalid = || ActorFault::Invalid(path.clone());
        let text = find(path).text().ok_or_else(invalid)?;
        if let Some(label) = self.names.get(&*text) {
            return Ok(agent(label.clone()));
        }
        if let Some(pattern) = pattern.filter(|_| text.starts_with(spiffe::SCHEME)) {
            let said = pattern.subject(&text).and_then(Result::ok);
            return said.filter(|subject| subject.agent.is_some()).ok_or_else(invalid);
        }
        let label = Label::try_from(text).map_err(|_| invalid())?;
        match self.names.iter().any(|(_, name)| *name == label) {
            true => Err(invalid()),
            false => Ok(agent(label)),
        }
    }
}

fn agent(label: Label) -> Subject {
    Subject { agent: Some(label), ..Subject::default() }
}

/// The first of `paths` where something is.
fn first<'p, 'a>(paths: &'p [ClaimPath], find: &dyn Fn(&ClaimPath) -> Claim<'a>) -> Option<&'p ClaimPath> {
    paths.iter().find(|path| find(path) != Claim::Absent)
}

/// An `iss` beside the actor's name is whose name it is: another issuer's is nobody's here.
fn of_this_issuer<'a>(path: &ClaimPath, find: &dyn Fn(&ClaimPath) -> Claim<'a>) -> Result<(), ActorFault> {
    let mut names: Vec<&str> = path.names().collect();
    names.pop();
    if names.is_empty() {
        return Ok(());
    }
    names.push("iss");
    let beside = ClaimPath::of(&names);
    match find(&beside) {
        Claim::Absent => Ok(()),
        Claim::Text(issuer) if find(&ClaimPath::of(&["iss"])) == Claim::Text(issuer) => Ok(()),
        _ => Err(ActorFault::Invalid(beside)),
    }
}

#[cfg(test)]
mod tests;
