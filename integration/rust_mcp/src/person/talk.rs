//! What is said to the test, and what the test answers in the person's name.

use serde_json::{Value, json};
use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use tokio::sync::oneshot;

#[derive(Default)]
pub(crate) struct Talk {
    waiting: Mutex<VecDeque<oneshot::Sender<Value>>>,
}

impl Talk {
    /// Asks the person; nothing if the test ended.
    pub(crate) async fn ask(&self, method: &str, params: Value) -> Option<Value> {
        let (sender, answer) = oneshot::channel();
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).push_back(sender);
        tell(&json!({"asked": method, "params": params}));
        answer.await.ok()
    }

    /// The person said so.
    pub(crate) fn answered(&self, answer: Value) {
        if let Some(waiting) = self.waiting.lock().unwrap_or_else(PoisonError::into_inner).pop_front() {
            // Who asked may have given up.
            let _ = waiting.send(answer);
        }
    }
}

/// Tells the test.
pub(crate) fn tell(line: &Value) {
    println!("{line}");
}
