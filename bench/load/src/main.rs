//! A closed loop over HTTP/1.1 keep-alive connections: each sends its next request when the answer before has been read
//! to its end. A plan comes as JSON on standard input, a [`Report`] goes as JSON to standard output.
//!
//! ```text
//! echo '{"address": "127.0.0.1:10000", "path": "/v1/chat/completions", "body_file": "request.json",
//!        "headers": {"content-type": "application/json"}, "connections": 4, "requests": 1000, "seconds": 2}' | bench-load
//! ```

mod connection;
mod plan;
mod report;

use plan::Plan;
use report::{Report, Tally};
use std::cell::RefCell;
use std::error::Error;
use std::process::ExitCode;
use std::rc::Rc;
use std::time::Instant;
use tokio::task::LocalSet;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench-load: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), Box<dyn Error>> {
    let plan = Plan::read(&std::io::read_to_string(std::io::stdin())?)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let report = runtime.block_on(LocalSet::new().run_until(load(plan)));
    println!("{}", serde_json::to_string(&report)?);
    Ok(())
}

/// Runs all connections until the plan's requests are sent or its time is over.
async fn load(plan: Plan) -> Report {
    let tally = Rc::new(RefCell::new(Tally::default()));
    let began = Instant::now();
    let (until, plan) = (began + plan.time, Rc::new(plan));
    let connections: Vec<_> = (0..plan.connections)
        .map(|_| tokio::task::spawn_local(connection::run(Rc::clone(&plan), Rc::clone(&tally), until)))
        .collect();
    for connection in connections {
        if let Err(failed) = connection.await {
            tally.borrow_mut().fail(&failed);
        }
    }
    tally.take().report(began.elapsed())
}
