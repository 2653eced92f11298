//! What a tool answers, checked with its own schema.

use crate::exchange::Asked;
use std::rc::Rc;
use tollgate_kernel::json::Value;
use tollgate_kernel::mcp::Refused;
use tollgate_kernel::redact::Redactor;
use tollgate_kernel::schema::Schema;

/// What the answer to a call must be.
#[derive(Debug, Clone)]
pub struct Results {
    /// Its schema.
    pub schema: Rc<Schema>,
    /// The setting that wants it checked.
    pub rule: String,
}

/// The reason code of a result that is not let through.
pub const INVALID: &str = "invalid_result";

impl Results {
    /// What the client gets instead of a result that is not valid. What says that the tool failed, asks for more or stands for a
    /// later result has no schema.
    #[must_use]
    pub fn instead(&self, result: Value<'_, '_>, asked: &Asked, redactor: Option<&Redactor>) -> Option<Vec<u8>> {
        let kind = result.get("resultType").and_then(Value::as_str);
        let is_later = kind.map_or_else(|| result.get("task").is_some(), |kind| kind != "complete");
        if is_later || result.get("isError").and_then(Value::as_bool) == Some(true) {
            return None;
        }
        let wrong = match result.get("structuredContent") {
            Some(content) => self.schema.check(content).err()?.to_string(),
            None => "`structuredContent` is missing".to_owned(),
        };
        // It may quote keys of the result.
        let wrong = redactor.and_then(|redactor| redactor.redact(&wrong)).unwrap_or(wrong);
        let text = format!("the result was not let through: rule={} reason={INVALID}; {wrong}", self.rule);
        let (id, method) = asked.id.as_ref().zip(asked.method.as_ref())?;
        Some(Refused::Denied.answer(id, method, asked.revision, &text))
    }
}
