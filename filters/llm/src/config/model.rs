//! Models, and who serves them.

use super::{CachedModel, Gate, ModelCache, Provider, names};
use schemars::JsonSchema;
use std::rc::Rc;
use tollgate_config::{Map, object};
use tollgate_kernel::subject::Label;
use tollgate_wire::Format;
use tollgate_wire::endpoint::Operation;
use tollgate_wire::price::{Listed, PriceSource, genai_provider_name, lookup};

/// One model as applications know it.
#[derive(Debug, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Model {
    /// Who serves it, in order: the next one is asked when one fails. Name one twice to try it twice.
    #[schemars(length(min = 1, max = 8))]
    pub targets: Vec<Target>,
    /// Value of the `x-tollgate-route` header that Envoy's routes match; by default the model's name.
    pub route: Option<Label>,
    /// Refuse with 400 what cannot be carried to its provider, instead of leaving it out and naming it.
    #[schemars(default)]
    pub strict: bool,
    /// Give an answer again when the same is asked again. Without it nothing of this model is kept.
    pub cache: Option<ModelCache>,
}

object!(Model { targets, route, strict = false, cache });

/// One model of one provider.
#[derive(Debug, Clone, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Target {
    /// Name of the provider.
    pub provider: Label,
    /// What that provider calls the model.
    #[schemars(length(min = 1, max = 256))]
    pub model: String,
    /// What it costs. Default: what the shipped table says of the provider's model; without that, usage is counted as
    /// unpriced.
    pub price: Option<Listed>,
    /// The most tokens that an answer can have. Default: what the shipped table says of the provider's model. Where a limit of
    /// tokens or dollars counts, a model for which neither says it serves only requests that say it themselves.
    #[schemars(range(min = 1))]
    pub max_output_tokens: Option<u64>,
    /// The most tokens of input that the model takes: so many are reserved where the provider adds what it keeps. Default:
    /// 200,000.
    #[schemars(range(min = 1))]
    pub max_input_tokens: Option<u64>,
    /// What OpenTelemetry calls the provider (`gen_ai.provider.name`), where it is known by its host or catalogue.
    #[schemars(skip)]
    pub system: Option<&'static str>,
}

object!(Target { provider, model, price, max_output_tokens, max_input_tokens; system: None });

/// A model, with what every request for it needs made once.
#[derive(Debug)]
pub struct Served {
    /// Who serves it, in order; at least one.
    pub targets: Vec<Target>,
    /// Value of the route header.
    pub route: Label,
    /// What cannot be carried is refused.
    pub strict: bool,
    /// Which answers may be given again; `None`: none.
    pub cache: Option<CachedModel>,
    /// All targets: who may answer a conversation.
    all: Rc<Candidates>,
}

/// Who may serve one request, in order.
#[derive(Debug)]
pub struct Candidates {
    /// Places among the model's targets.
    pub targets: Vec<usize>,
    /// Value of [`TARGETS_HEADER`](crate::route::TARGETS_HEADER).
    pub header: String,
}

impl Served {
    /// Who of its targets can do `operation` for a client of `client`'s format; maybe nobody.
    #[must_use]
    pub fn candidates(&self, gate: &Gate, operation: Operation, client: Format) -> Rc<Candidates> {
        if operation == Operation::Chat {
            return Rc::clone(&self.all);
        }
        let serves = |target: &Target| {
            gate.providers.get(&target.provider).is_some_and(|provider| operation.is_served(client, provider.format))
        };
        Rc::new(Candidates::among(&self.targets, &gate.providers, serves))
    }

    /// Those of `candidates` that are `left`.
    #[must_use]
    pub fn only(&self, gate: &Gate, candidates: &Rc<Candidates>, left: &[usize]) -> Rc<Candidates> {
        if candidates.targets == left {
            return Rc::clone(candidates);
        }
        let some = left.iter().filter_map(|index| self.targets.get(*index).map(|target| (*index, target)));
        Rc::new(Candidates::of(some.collect(), &gate.providers))
    }
}

impl Candidates {
    #[inline(never)]
    fn among(targets: &[Target], providers: &Map<Label, Provider>, serves: impl Fn(&Target) -> bool) -> Self {
        Self::of(targets.iter().enumerate().filter(|(_, target)| serves(target)).collect(), providers)
    }

    fn of(some: Vec<(usize, &Target)>, providers: &Map<Label, Provider>) -> Self {
        let clusters = some.iter().map(|(_, Target { provider, .. })| {
            providers.get(provider).and_then(|known| known.cluster.as_ref()).unwrap_or(provider).as_str()
        });
        Self { header: crate::route::targets(clusters), targets: some.iter().map(|(index, _)| *index).collect() }
    }
}

impl Target {
    /// Takes what is known of the provider: its name, and the shipped table's price where the configuration gives none.
    fn look_up(&mut self, provider: &Provider) {
        let Some(catalogue) = provider.catalogue() else { return };
        self.system = genai_provider_name(&catalogue);
        let Some(entry) = lookup(&catalogue, &self.model) else { return };
        self.max_output_tokens = self.max_output_tokens.or(entry.max_output_tokens);
        if self.price.is_none() {
            self.price = Some(Listed { price: entry.price, source: PriceSource::Table });
        }
    }
}

impl Model {
    #[inline(never)]
    pub(super) fn check(mut self, name: &Label, providers: &Map<Label, Provider>) -> Result<Served, String> {
        if !(1..=8).contains(&self.targets.len()) {
            return Err(format!("targets: found {}, expected 1 to 8", self.targets.len()));
        }
        for (index, target) in self.targets.iter().enumerate() {
            for (name, most) in
                [("max_output_tokens", target.max_output_tokens), ("max_input_tokens", target.max_input_tokens)]
            {
                if most == Some(0) {
                    return Err(format!("targets[{index}].{name}: found 0, expected 1 or more"));
                }
            }
            let name = &target.model;
            if !(1..=256).contains(&name.len()) || name.chars().any(char::is_control) {
                return Err(format!(
                    "targets[{index}].model: found `{}`, expected 1 to 256 printable characters",
                    name.escape_debug()
                ));
            }
        }
        let unknown = self.targets.iter().enumerate().find(|(_, target)| !providers.contains_key(&target.provider));
        if let Some((index, target)) = unknown {
            let known = names(providers);
            return Err(format!("targets[{index}].provider: found `{}`, expected one of {known}", target.provider));
        }
        for target in &mut self.targets {
            if let Some(provider) = providers.get(&target.provider) {
                target.look_up(provider);
            }
        }
        let cache = self.cache.map(|cache| cache.check(&self.targets, providers)).transpose()?;
        Ok(Served {
            cache,
            all: Rc::new(Candidates::among(&self.targets, providers, |_| true)),
            route: self.route.unwrap_or_else(|| name.clone()),
            strict: self.strict,
            targets: self.targets,
        })
    }
}
