//! From JSON to schemas.

use super::budget::Budget;
use super::keyword::{count, names, number, types};
use super::{Check, Counted, Id, Limits, Node, Properties, Regex, Schema, Unsupported, Why};
use crate::json::{Decimal, Kind, Value};
use std::borrow::Cow;

/// Of these a schema is checked as draft 2020-12.
const DIALECTS: [&str; 5] = [
    "json-schema.org/draft/2020-12/schema",
    "json-schema.org/draft/2019-09/schema",
    "json-schema.org/draft-07/schema",
    "json-schema.org/draft-06/schema",
    "json-schema.org/schema",
];

pub(super) fn compile(value: Value<'_, '_>, limits: Limits) -> Result<Schema, Unsupported> {
    let mut compiler = Compiler { ids: Vec::new(), sources: Vec::new(), limits, budget: Budget::new(limits.steps) };
    compiler.id(value, value)?;
    let mut nodes = Vec::new();
    // One after the other, and not in each other, however deep they are.
    while let Some(source) = compiler.sources.get(nodes.len()).copied() {
        nodes.push(compiler.node(source)?);
    }
    let schema = Schema { nodes, steps: limits.steps };
    match schema.endless().and_then(|id| compiler.sources.get(id.0)) {
        Some(source) => Err(Why::Endless.at(source.value)),
        None => Ok(schema),
    }
}

/// Where a schema stands.
#[derive(Clone, Copy)]
pub(super) struct Source<'d, 'a> {
    pub(super) value: Value<'d, 'a>,
    /// What `#` is to it: the innermost schema around it that has an `$id`, or the whole.
    pub(super) base: Value<'d, 'a>,
}

struct Compiler<'d, 'a> {
    /// By the first byte, in order.
    ids: Vec<(usize, Id)>,
    sources: Vec<Source<'d, 'a>>,
    limits: Limits,
    /// For the search of what is referred to.
    budget: Budget,
}

impl Why {
    pub(super) fn at(self, value: Value<'_, '_>) -> Unsupported {
        Unsupported { why: self, at: value.range().start }
    }
}

/// The keywords of one schema.
struct Keywords<'d, 'a>(Vec<(Cow<'a, str>, Value<'d, 'a>)>);

impl<'d, 'a> Keywords<'d, 'a> {
    fn get(&self, keyword: &str) -> Option<Value<'d, 'a>> {
        self.0.iter().find(|(own, _)| own == keyword).map(|(_, value)| *value)
    }
}

impl<'d, 'a> Compiler<'d, 'a> {
    /// The place of the schema that `value` is.
    fn id(&mut self, value: Value<'d, 'a>, base: Value<'d, 'a>) -> Result<Id, Unsupported> {
        let start = value.range().start;
        match self.ids.binary_search_by_key(&start, |(start, _)| *start) {
            Ok(at) => Ok(self.ids.get(at).map_or(Id(0), |(_, id)| *id)),
            Err(_) if self.sources.len() >= self.limits.schemas => Err(Why::TooLarge.at(value)),
            Err(at) => {
                let id = Id(self.sources.len());
                self.ids.insert(at, (start, id));
                let base = if super::reference::begins_resource(value) { value } else { base };
                self.sources.push(Source { value, base });
                Ok(id)
            }
        }
    }

    fn node(&mut self, source: Source<'d, 'a>) -> Result<Node, Unsupported> {
        let Source { value, base } = source;
        match value.kind() {
            Kind::Bool if value.as_bool() == Some(true) => return Ok(Node::default()),
            Kind::Bool => return Ok(Node { checks: vec![Check::Never], ..Node::default() }),
            Kind::Object => {}
            _ => return Err(Why::NotASchema.at(value)),
        }
        let keywords = Keywords(value.members().map(|member| (member.key(), member.value)).collect());
        let mut node = Node::default();
        dialect(&keywords)?;
        value_checks(&keywords, &mut node.checks)?;
        self.object_checks(&keywords, base, &mut node.checks)?;
        self.array_checks(&keywords, base, &mut node.checks)?;
        self.combinations(&keywords, source, &mut node.checks)?;
        node.unevaluated_properties = self.child(&keywords, "unevaluatedProperties", base)?;
        node.unevaluated_items = self.child(&keywords, "unevaluatedItems", base)?;
        Ok(node)
    }

    fn child(
        &mut self,
        keywords: &Keywords<'d, 'a>,
        name: &str,
        base: Value<'d, 'a>,
    ) -> Result<Option<Id>, Unsupported> {
        keywords.get(name).map(|value| self.id(value, base)).transpose()
    }

    fn children(
        &mut self,
        list: Value<'d, 'a>,
        name: &'static str,
        base: Value<'d, 'a>,
    ) -> Result<Vec<Id>, Unsupported> {
        let ids = list.items().map(|value| self.id(value, base)).collect::<Result<Vec<_>, _>>()?;
        if ids.is_empty() { Err(Why::Malformed(name).at(list)) } else { Ok(ids) }
    }

    /// The schemas that are members of `name`, by their keys.
    fn members(
        &mut self,
        keywords: &Keywords<'d, 'a>,
        name: &'static str,
        base: Value<'d, 'a>,
    ) -> Result<Vec<(Cow<'a, str>, Id)>, Unsupported> {
        let Some(object) = keywords.get(name) else { return Ok(Vec::new()) };
        if !object.is_object() {
            return Err(Why::Malformed(name).at(object));
        }
        object.members().map(|member| Ok((member.key(), self.id(member.value, base)?))).collect()
    }

    fn object_checks(
        &mut self,
        keywords: &Keywords<'d, 'a>,
        base: Value<'d, 'a>,
        checks: &mut Vec<Check>,
    ) -> Result<(), Unsupported> {
        let mut named: Vec<_> = self.members(keywords, "properties", base)?;
        named.sort_unstable_by(|(one, _), (other, _)| one.cmp(other));
        let named: Vec<_> = named.into_iter().map(|(name, id)| (name.into_owned(), id)).collect();
        let regex = |(text, id): (Cow<'a, str>, Id)| {
            let place = keywords.get("patternProperties").unwrap_or(base);
            Regex::new(&text).map(|regex| (regex, id)).map_err(|_| Why::Pattern.at(place))
        };
        let patterns = self.members(keywords, "patternProperties", base)?;
        let patterns = patterns.into_iter().map(regex).collect::<Result<Vec<_>, _>>()?;
        let others = self.child(keywords, "additionalProperties", base)?;
        if !named.is_empty() || !patterns.is_empty() || others.is_some() {
            checks.push(Check::Properties(Properties { named, patterns, others }));
        }
        // After those that there are: of alternatives that tells which was meant.
        if let Some(value) = keywords.get("required") {
            checks.push(Check::Required(names(value, "required")?));
        }
        if let Some(id) = self.child(keywords, "propertyNames", base)? {
            checks.push(Check::Names(id));
        }
        self.dependencies(keywords, base, checks)
    }

    fn dependencies(
        &mut self,
        keywords: &Keywords<'d, 'a>,
        base: Value<'d, 'a>,
        checks: &mut Vec<Check>,
    ) -> Result<(), Unsupported> {
        let (mut required, mut schemas) = (Vec::new(), Vec::new());
        for name in ["dependentRequired", "dependentSchemas", "dependencies"] {
            let Some(object) = keywords.get(name) else { continue };
            if !object.is_object() {
                return Err(Why::Malformed(name).at(object));
            }
            for member in object.members() {
                let key = member.key().into_owned();
                let is_list = member.value.kind() == Kind::Array;
                if name == "dependentRequired" || (name == "dependencies" && is_list) {
                    required.push((key, names(member.value, name)?));
                } else {
                    schemas.push((key, self.id(member.value, base)?));
                }
            }
        }
        checks.extend((!required.is_empty()).then_some(Check::DependentRequired(required)));
        checks.extend((!schemas.is_empty()).then_some(Check::DependentSchemas(schemas)));
        Ok(())
    }

    fn array_checks(
        &mut self,
        keywords: &Keywords<'d, 'a>,
        base: Value<'d, 'a>,
        checks: &mut Vec<Check>,
    ) -> Result<(), Unsupported> {
        let items = keywords.get("items");
        let list = items.filter(|items| items.kind() == Kind::Array);
        // As older drafts have it; an empty list there is allowed.
        let (name, first, others) = match list {
            Some(list) => ("items", Some(list), keywords.get("additionalItems")),
            None => ("prefixItems", keywords.get("prefixItems"), items),
        };
        let first = match first {
            Some(_) if list.is_some() && keywords.get("prefixItems").is_some() => {
                return Err(Why::Malformed("items").at(base));
            }
            Some(list) if name == "items" && list.items().next().is_none() => Vec::new(),
            Some(list) => self.children(list, name, base)?,
            None => Vec::new(),
        };
        let others = others.map(|others| self.id(others, base)).transpose()?;
        if !first.is_empty() || others.is_some() {
            checks.push(Check::Items { first, others });
        }
        if let Some(what) = self.child(keywords, "contains", base)? {
            let count = |name| keywords.get(name).map(|value| count(value, name)).transpose();
            let (least, most) = (count("minContains")?.unwrap_or(1), count("maxContains")?);
            checks.push(Check::Contains { what, least, most });
        }
        Ok(())
    }

    fn combinations(
        &mut self,
        keywords: &Keywords<'d, 'a>,
        source: Source<'d, 'a>,
        checks: &mut Vec<Check>,
    ) -> Result<(), Unsupported> {
        let base = source.base;
        if let Some(reference) = keywords.get("$ref") {
            let target = super::reference::resolve(reference, base, &mut self.budget)?;
            checks.push(Check::Reference(self.id(target.value, target.base)?));
        }
        for name in ["$dynamicRef", "$recursiveRef"] {
            if let Some(value) = keywords.get(name) {
                return Err(Why::Dynamic(name).at(value));
            }
        }
        let kinds: [(_, fn(_) -> _); 3] = [("allOf", Check::All), ("anyOf", Check::Any), ("oneOf", Check::ExactlyOne)];
        for (name, check) in kinds {
            if let Some(list) = keywords.get(name) {
                checks.push(check(self.children(list, name, base)?));
            }
        }
        if let Some(id) = self.child(keywords, "not", base)? {
            checks.push(Check::Not(id));
        }
        if let Some(condition) = self.child(keywords, "if", base)? {
            let then = self.child(keywords, "then", base)?;
            let otherwise = self.child(keywords, "else", base)?;
            checks.push(Check::If { condition, then, otherwise });
        }
        Ok(())
    }
}

fn dialect(keywords: &Keywords<'_, '_>) -> Result<(), Unsupported> {
    let Some(value) = keywords.get("$schema") else { return Ok(()) };
    let name = value.as_str().unwrap_or_default();
    let name = name.strip_suffix('#').unwrap_or(&name);
    let name = name.strip_prefix("https://").or_else(|| name.strip_prefix("http://"));
    if name.is_some_and(|name| DIALECTS.contains(&name)) { Ok(()) } else { Err(Why::Dialect.at(value)) }
}

/// What is said of a value by itself.
fn value_checks(keywords: &Keywords<'_, '_>, checks: &mut Vec<Check>) -> Result<(), Unsupported> {
    if let Some(value) = keywords.get("type") {
        checks.push(Check::Type(types(value)?));
    }
    if let Some(value) = keywords.get("const") {
        checks.push(Check::OneOf { values: vec![value.normal()], keyword: "const" });
    }
    if let Some(list) = keywords.get("enum") {
        if list.kind() != Kind::Array {
            return Err(Why::Malformed("enum").at(list));
        }
        checks.push(Check::OneOf { values: list.items().map(Value::normal).collect(), keyword: "enum" });
    }
    for keyword in ["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"] {
        if let Some(value) = keywords.get(keyword) {
            checks.push(Check::Bound { keyword, bound: number(value, keyword)?.to_owned() });
        }
    }
    if let Some(value) = keywords.get("multipleOf") {
        let text = number(value, "multipleOf")?;
        let divisor = Decimal::of(text).filter(Decimal::is_positive);
        let divisor = divisor.ok_or_else(|| Why::Malformed("multipleOf").at(value))?;
        if !divisor.divides() {
            return Err(Why::LongDivisor.at(value));
        }
        checks.push(Check::MultipleOf(text.to_owned()));
    }
    for (keyword, of) in SIZES {
        if let Some(value) = keywords.get(keyword) {
            checks.push(Check::Size { keyword, of, bound: count(value, keyword)? });
        }
    }
    if let Some(value) = keywords.get("pattern") {
        let text = value.as_str().ok_or_else(|| Why::Malformed("pattern").at(value))?;
        checks.push(Check::Pattern(Regex::new(&text).map_err(|_| Why::Pattern.at(value))?));
    }
    if let Some(value) = keywords.get("uniqueItems") {
        let unique = value.as_bool().ok_or_else(|| Why::Malformed("uniqueItems").at(value))?;
        checks.extend(unique.then_some(Check::Unique));
    }
    Ok(())
}

const SIZES: [(&str, Counted); 6] = [
    ("minLength", Counted::Characters),
    ("maxLength", Counted::Characters),
    ("minItems", Counted::Items),
    ("maxItems", Counted::Items),
    ("minProperties", Counted::Properties),
    ("maxProperties", Counted::Properties),
];
