//! The example shows what it says.

use std::process::Command;

const SHOWN: &str = "\
around calls
  timeout: deadline exceeded: a timeout layer stopped the call
  concurrency limit: 4 payslips of 20 ms one by one took 80 ms, as it should
  rate limit: 11 payslips at 5 in 100 ms took 200 ms, as it should
  load shed: resource exhausted: a load shed layer refused the call
around attempts
  timeout: unavailable: after 3 attempts: a timeout layer stopped the attempt
  concurrency limit: 12 payslips, at most 2 at once on a printer
  rate limit: 22 payslips at 5 in 100 ms on each of two printers took 200 ms, as it should
  load shed: printed downstairs and upstairs
";

#[test]
fn each_layer_does_its_job_at_both_places() {
    let run = Command::new(env!("CARGO_BIN_EXE_layers")).output().unwrap();
    assert!(run.status.success(), "{run:?}");
    assert_eq!(String::from_utf8(run.stdout).unwrap(), SHOWN);
}
