//! What is decided before the agent is asked.

use super::{Guard, Mode, Party, Refusal, Seed, Standing, Table, context};
use crate::a2a::{Call, Named, Operation};
use crate::signing_keys::SigningKeys;

/// How a request goes on.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Admitted {
    /// The context that we supply.
    pub(super) supplied: Option<String>,
    /// The context that it names.
    pub(super) named: Option<String>,
    /// What its conversation began with.
    pub(super) seed: Option<Seed>,
    /// Whether the task that it is about is noted as the caller's.
    pub(super) is_own_task: bool,
}

impl Party {
    /// Decides on a request; `random` makes a context, if one is needed.
    ///
    /// # Errors
    /// When something that it names is not the caller's.
    pub fn admit(
        self,
        call: &Call<'_, '_>,
        keys: &SigningKeys,
        table: &impl Table,
        random: [u8; 16],
    ) -> Result<Guard, Refusal> {
        let admitted = match (self.mode, &call.operation) {
            (Mode::Off, _) => {
                let seed = call.context.as_deref().map(Seed::of_name);
                Admitted { seed, ..Admitted::default() }
            }
            (_, Named::Other(_)) => Admitted::default(),
            (_, Named::Known(operation)) => self.check(*operation, call, keys, table, random)?,
        };
        Ok(Guard::new(self, call, admitted))
    }

    fn check(
        &self,
        operation: Operation,
        call: &Call<'_, '_>,
        keys: &SigningKeys,
        table: &impl Table,
        random: [u8; 16],
    ) -> Result<Admitted, Refusal> {
        let own = |standing| if let Standing::Own(seed) = standing { Ok(seed) } else { Err(Refusal::NotThere) };
        let task = call.task.as_deref().map(|id| self.task(id, table));
        // The agent decides, and its answer.
        if operation == Operation::GetTask {
            let seed = task.and_then(|standing| own(standing).ok());
            return Ok(Admitted { seed, is_own_task: seed.is_some(), ..Admitted::default() });
        }
        let task = task.map(own).transpose()?;
        call.references.iter().try_for_each(|id| own(self.task(id, table)).map(drop))?;
        let context = call.context.as_deref().map(|id| own(self.context(id, keys, table))).transpose();
        let context =
            context.map_err(|fault| if operation == Operation::ListTasks { Refusal::NothingToList } else { fault })?;
        let named = call.context.as_deref().map(str::to_owned);
        let (is_own_task, mut seed, mut supplied) = (task.is_some(), context.or(task), None);
        if operation.sends() && named.is_none() {
            // Without an id of its own, where it goes is left to chance and noted. Of a task that goes on, agents may forget in which
            // context it is.
            let seed = *seed.get_or_insert(Seed(random));
            supplied = (self.mode == Mode::Mac).then(|| context::id(keys, &self.owner, seed));
        }
        Ok(Admitted { supplied, named, seed, is_own_task })
    }
}
