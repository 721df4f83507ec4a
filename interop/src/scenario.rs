use std::time::Duration;

use doge_test_support::Process;
use serde_json::{Value, json};

use crate::{Meta, programs::python};

/// The longest of them, on a machine with other work to do.
const LIMIT: Duration = Duration::from_secs(1800);

/// Lets an mprpc client do something at length with a server, and returns what it says of each case.
///
/// | scenario | cases |
/// |---|---|
/// | `values` | every type to `echo` and back: `case`, `same` or `error` |
/// | `large` | the same with values of up to 32 MiB, and arrays 500 deep |
/// | `errors` | calls that fail: `case`, `result` or `error`; behind each `after ...`, a call whose result is 3 |
/// | `timeout` | `too slow` fails, `at once` and `later` have that as their result |
/// | `pool` | 30 calls over the 3 connections that doge has: `right` (30), `connections` (3) |
/// | `soak` | as many calls as wanted: `calls`, `failed`, `desynchronised`, `first_failure` |
/// | `rate` | for 1 connection and for 16, each with one caller: `connections`, `calls_per_second` |
///
/// Options are those of `interop/python/client.py`: `--calls`, `--concurrency`, `--seconds`.
///
/// # Panics
///
/// When the client fails itself.
#[track_caller]
pub fn scenario(name: &str, port: u16, meta: Meta, options: &[&str]) -> Vec<Value> {
    let mut command = python("client.py");
    command.args([name, meta.option(), "--port", &port.to_string()]);
    let mut process = Process::start(command.args(options));
    let mut cases = Vec::new();
    loop {
        let line = process.line(LIMIT, |line| line.starts_with('{'));
        let case: Value = serde_json::from_str(&line).unwrap();
        if case == json!({"end": true}) {
            return cases;
        }
        cases.push(case);
    }
}
