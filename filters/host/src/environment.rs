//! Environment variables of the VM: `environment_variables` in Envoy's `vm_config`.

/// The variable of this name; `None` when it is not set, or no text.
#[must_use]
pub fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}
