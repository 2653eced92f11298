//! Service levels, and whose which is.

use crate::caller::Caller;
use crate::subject::{Label, Subject};
use schemars::JsonSchema;
use std::rc::Rc;
use tollgate_config::{Map, object};

/// Whose tier is which, where no proof says one.
#[derive(Debug, Clone, Default, JsonSchema)]
#[schemars(deny_unknown_fields, default)]
pub struct TierOf {
    /// By user. Where there are some, a user who is not among them has the lowest.
    users: Map<Label, Label>,
    /// By agent. Of a user's tier and the agent's the lower counts.
    agents: Map<Label, Label>,
}

object!(default TierOf { users, agents });

/// All tiers, and whose which is.
#[derive(Debug, Clone, Default)]
pub struct Tiers {
    /// The lowest first, each once.
    order: Vec<Label>,
    of: TierOf,
}

impl Tiers {
    /// Checks these tiers, of which the lowest is the first.
    ///
    /// # Errors
    /// The path to what is at fault, and what it is.
    pub fn check(order: Vec<Label>, of: TierOf) -> Result<Self, String> {
        for (index, tier) in order.iter().enumerate() {
            if order.iter().take(index).any(|before| before == tier) {
                return Err(format!("tiers[{index}]: found `{tier}` twice"));
            }
        }
        let tiers = Self { order, of };
        for (kind, map) in [("users", &tiers.of.users), ("agents", &tiers.of.agents)] {
            if let Some((name, tier)) = map.iter().find(|(_, tier)| !tiers.has(tier)) {
                return Err(format!("tier_of.{kind}.{name}: found `{tier}`, expected one of `tiers`"));
            }
        }
        Ok(tiers)
    }

    /// Whether it is one of the tiers.
    #[must_use]
    pub fn has(&self, tier: &Label) -> bool {
        self.rank(tier).is_some()
    }

    /// The subject's tier: what its proof says, or else what is written here of its user and agent; the lowest where that is
    /// none of the tiers. `None` where there are none.
    #[must_use]
    pub fn of(&self, subject: &Subject) -> Option<&Label> {
        let rank = match &subject.tier {
            Some(tier) => self.rank(tier),
            None => self.written(subject),
        };
        self.order.get(rank.unwrap_or_default())
    }

    /// The caller, on its tier. Where there are none: what is proven.
    #[must_use]
    pub fn place(&self, mut caller: Rc<Caller>) -> Rc<Caller> {
        if let Some(tier) = self.of(&caller.subject)
            && caller.subject.tier.as_ref() != Some(tier)
        {
            Rc::make_mut(&mut caller).subject.tier = Some(tier.clone());
        }
        caller
    }

    fn written(&self, subject: &Subject) -> Option<usize> {
        let of = |map: &Map<Label, Label>, name: &Option<Label>| self.rank(map.get(name.as_ref()?)?);
        let known = !self.of.users.is_empty() && subject.user.is_some();
        let user = known.then(|| of(&self.of.users, &subject.user).unwrap_or_default());
        [user, of(&self.of.agents, &subject.agent)].into_iter().flatten().min()
    }

    fn rank(&self, tier: &Label) -> Option<usize> {
        self.order.iter().position(|other| other == tier)
    }
}

#[cfg(test)]
mod tests {
    use super::Tiers;
    use crate::caller::{Caller, Grant, Proof};
    use crate::subject::{Label, Subject};
    use serde_json::{Value, json};
    use std::rc::Rc;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    fn read<T: tollgate_config::Read>(json: &Value) -> T {
        tollgate_config::read(&json.to_string()).unwrap()
    }

    fn tiers(order: Value, of: Value) -> Result<Tiers, String> {
        Tiers::check(read(&order), read(&of))
    }

    fn tier(tiers: &Tiers, subject: &Value) -> Option<String> {
        tiers.of(&read::<Subject>(subject)).map(Label::to_string)
    }

    #[test]
    fn a_tier_is_what_is_proven_or_else_what_is_written_and_never_more_than_known() {
        let of = json!({"users": {"ada": "gold", "bob": "silver"}, "agents": {"planner": "silver", "admin": "gold"}});
        let tiers = tiers(json!(["free", "silver", "gold"]), of).unwrap();
        for (subject, expected) in [
            (json!({}), "free"),
            (json!({"tier": "gold"}), "gold"),
            (json!({"tier": "platinum"}), "free"),
            (json!({"tier": "Gold"}), "free"),
            (json!({"tier": "free", "user": "ada"}), "free"),
            (json!({"tier": "platinum", "user": "ada"}), "free"),
            (json!({"user": "ada"}), "gold"),
            (json!({"user": "ada", "agent": "billing"}), "gold"),
            (json!({"user": "ada", "agent": "planner"}), "silver"),
            (json!({"user": "bob", "agent": "admin"}), "silver"),
            (json!({"user": "eve"}), "free"),
            (json!({"user": "eve", "agent": "admin"}), "free"),
            (json!({"agent": "admin"}), "gold"),
            (json!({"agent": "billing"}), "free"),
        ] {
            assert_eq!(tier(&tiers, &subject).as_deref(), Some(expected), "{subject}");
        }
    }

    #[test]
    fn where_users_have_no_tiers_an_agents_is_the_callers() {
        let tiers = tiers(json!(["free", "gold"]), json!({"agents": {"planner": "gold"}})).unwrap();
        for (subject, expected) in
            [(json!({"user": "ada", "agent": "planner"}), "gold"), (json!({"user": "ada"}), "free")]
        {
            assert_eq!(tier(&tiers, &subject).as_deref(), Some(expected), "{subject}");
        }
    }

    #[test]
    fn without_tiers_nobody_has_one_but_what_is_proven() {
        let caller = |subject| {
            let grant = Grant { models: None, routes: None };
            Rc::new(Caller::new(read(&subject), Proof::Jwt(Rc::new(grant))))
        };
        assert_eq!(tier(&Tiers::default(), &json!({"tier": "gold"})), None);
        let tiers = tiers(json!(["free", "gold"]), json!({})).unwrap();
        for (tiers, proven, expected) in [
            (&Tiers::default(), json!({"tier": "gold"}), json!({"tier": "gold"})),
            (&Tiers::default(), json!({}), json!({})),
            (&tiers, json!({"tier": "gold"}), json!({"tier": "gold"})),
            (&tiers, json!({"tier": "platinum"}), json!({"tier": "free"})),
            (&tiers, json!({"user": "ada"}), json!({"tier": "free", "user": "ada"})),
        ] {
            assert_eq!(tiers.place(caller(proven)).subject, read(&expected));
        }
    }

    #[test]
    fn tiers_that_contradict_themselves_are_refused() {
        for (order, of, message) in [
            (json!(["free", "free"]), json!({}), "tiers[1]: found `free` twice"),
            (
                json!(["free"]),
                json!({"users": {"ada": "gold"}}),
                "tier_of.users.ada: found `gold`, expected one of `tiers`",
            ),
            (json!([]), json!({"agents": {"a": "x"}}), "tier_of.agents.a: found `x`, expected one of `tiers`"),
        ] {
            assert_eq!(tiers(order, of).unwrap_err(), message);
        }
    }
}
