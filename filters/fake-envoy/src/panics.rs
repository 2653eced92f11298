//! A panic inside the filter aborts the process: it cannot unwind through the SDK's exports. So the report is written
//! from the panic hook, and straight to stderr, because what the test harness captured dies with the process.

use std::io::Write;
use std::panic::{self, PanicHookInfo};
use std::sync::OnceLock;

use crate::world;

type Hook = Box<dyn Fn(&PanicHookInfo<'_>) + Send + Sync>;

/// The hook that was there before any filter; panics outside of the filter, failed assertions among them, are its.
static HARNESS: OnceLock<Hook> = OnceLock::new();

/// Puts the report in place, also over the hook that the SDK installs with `set_log_level`.
pub(crate) fn report() {
    let harness = HARNESS.get_or_init(panic::take_hook);
    panic::set_hook(Box::new(move |info| match in_filter(info) {
        Some(report) => drop(std::io::stderr().write_all(report.as_bytes())),
        None => harness(info),
    }));
}

/// The report of a panic inside the filter, empty for the second one: the abort that follows comes here again.
fn in_filter(info: &PanicHookInfo<'_>) -> Option<String> {
    world::try_with(|world| {
        let phase = world.running_phase()?;
        if world.trail.is_empty() {
            return Some(String::new());
        }
        let trail = std::mem::take(&mut world.trail).join("\n  ");
        let scenario = &world.scenario;
        let thread = std::thread::current();
        let name = thread.name().unwrap_or("unnamed");
        let backtrace = std::backtrace::Backtrace::capture();
        Some(format!("\nthread {name}: the filter {info} in {phase}\nscenario: {scenario}\n  {trail}\n{backtrace}\n"))
    })
    .flatten()
}
