//! `quick-start IN OUT`: a wasm module that Envoy loads in half the time and that does the same.
//!
//! Envoy's V8 compiles every function of a module before the listener is up, with its optimising compiler (`--no-liftoff`)
//! and so without having seen one call. It inlines direct calls of whatever length, and those within them, until a
//! function's budget is used up: bytes of code, at least twice the function's own length, of which each inlined callee
//! takes its length. LLVM has inlined what is worth it long before, so this takes almost half of the time and gains
//! nothing. Here each function gets calls at its beginning to functions that do nothing and together are as long as its
//! budget. V8 inlines those, which leaves no instruction behind, and then no others.
//!
//! See `bench/PROFILES.md` for what it saves, and [`budget`] for V8's rule.

mod budget;
mod module;

use std::error::Error;
use std::process::ExitCode;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("quick-start: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), Box<dyn Error>> {
    let mut paths = std::env::args_os().skip(1);
    let (Some(from), Some(to), None) = (paths.next(), paths.next(), paths.next()) else {
        return Err("usage: quick-start IN OUT".into());
    };
    let module = std::fs::read(from)?;
    let quick = module::with_budgets_spent(&module).ok_or("not a module that a linker writes")?;
    // Whole or not at all: someone may be loading it.
    let mut partial = to.clone();
    partial.push(".partial");
    std::fs::write(&partial, quick)?;
    Ok(std::fs::rename(partial, to)?)
}
