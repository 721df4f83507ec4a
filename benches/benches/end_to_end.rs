//! Client and server as two processes on loopback, against the floors and the peers. See the library for what it is made
//! of.
//!
//! ```sh
//! cargo bench -p doge-benches --bench end_to_end -- --quick
//! cargo bench -p doge-benches --bench end_to_end -- --workload closed --payload small --concurrency 1,128 --rounds 9
//! cargo bench -p doge-benches --bench end_to_end --features peers -- --markdown docs/performance.md
//! ```

use std::{
    io::{self, Write as _},
    path::Path,
};

use doge_benches::{
    Error, Meter, Options, Role,
    costs::{self, Costs},
    document,
    picking::Picking,
    report::Report,
    rounds::{self, Measured},
    serve,
};

fn main() -> Result<(), Error> {
    let options = Options::from_arguments();
    let meter = Meter::without_allocations();
    match options.role() {
        Role::None => Ok(()),
        Role::Server(entry, data) => serve(entry, data, meter),
        Role::Holder(entry, server, held) => costs::hold(entry, server, held),
        Role::Client => bench(&options, meter),
    }
}

fn bench(options: &Options, meter: Meter) -> Result<(), Error> {
    let plan = options.plan();
    let mut timed = Vec::new();
    rounds::run(&plan, meter, |measured| {
        tell(&measured)?;
        timed.push(measured);
        Ok(())
    })?;
    let counted =
        rounds::count_allocations(&plan, Path::new(env!("CARGO_BIN_EXE_count-allocations")))?;
    let costs = Costs::of(&options.costs(), plan.window, meter);

    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("");
    let picking = Picking::read(&target.join("criterion"))?;
    let report = Report {
        plan: &plan,
        timed: &timed,
        counted: &counted,
        costs: &costs,
        picking: &picking,
    };
    let sections = report.sections()?;
    writeln!(io::stdout(), "{}", document::text(&sections))?;
    let json = target.join("end_to_end.json");
    report.write(&json)?;
    writeln!(io::stdout(), "{}", json.display())?;
    match options.markdown() {
        Some(file) => {
            report.draw(&file.with_extension(""))?;
            document::rewrite(&file, &sections)?;
        }
        None => report.draw(&target.join("performance"))?,
    }
    let failures = report.failures();
    if failures.is_empty() {
        Ok(())
    } else {
        Err(failures.join("\n").into())
    }
}

/// One line for who looks on.
fn tell(measured: &Measured) -> Result<(), Error> {
    let Measured {
        entry,
        cell,
        round,
        outcome,
        ..
    } = measured;
    let outcome = match outcome {
        Ok(sample) => format!("{:.0} calls/s", sample.rate()),
        Err(error) => error.clone(),
    };
    writeln!(io::stderr(), "round {round}: {cell}, {entry}: {outcome}")?;
    Ok(())
}
