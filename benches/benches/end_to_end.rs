//! Client and server as two processes on loopback, against the floors. See the library for what it is made of.
//!
//! ```sh
//! cargo bench -p doge-benches --bench end_to_end -- --quick
//! cargo bench -p doge-benches --bench end_to_end -- --payload small --concurrency 1,128 --rounds 9
//! cargo bench -p doge-benches --bench end_to_end -- --markdown docs/performance.md
//! ```

use std::{
    io::{self, Write as _},
    path::Path,
};

use doge_benches::{
    Error, Meter, Options, Role,
    report::{self, Report},
    rounds::{self, Measured},
    serve, summary, table,
};

fn main() -> Result<(), Error> {
    let options = Options::from_arguments();
    let meter = Meter::without_allocations();
    match options.role() {
        Role::None => Ok(()),
        Role::Server(entry, data) => serve(entry, data, meter),
        Role::Client => bench(&options, meter),
    }
}

fn bench(options: &Options, meter: Meter) -> Result<(), Error> {
    let plan = options.plan();
    let mut timed = Vec::new();
    rounds::run(&plan, meter, |measured| {
        progress(&measured)?;
        timed.push(measured);
        Ok(())
    })?;
    let counted =
        rounds::count_allocations(&plan, Path::new(env!("CARGO_BIN_EXE_count-allocations")))?;

    let rows = summary::rows(&plan, &timed, &counted);
    let text = format!(
        "{}\n\n{}",
        report::conditions(&plan),
        table::markdown(&rows)
    );
    writeln!(io::stdout(), "\n{text}")?;
    let json = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("end_to_end.json");
    Report {
        plan: &plan,
        rows: &rows,
        timed: &timed,
        counted: &counted,
    }
    .write(&json)?;
    writeln!(io::stdout(), "{}", json.display())?;
    if let Some(file) = options.markdown() {
        report::rewrite(&file, &text)?;
    }
    Ok(())
}

fn progress(
    Measured {
        entry,
        cell,
        round,
        sample,
    }: &Measured,
) -> Result<(), Error> {
    let rate = sample.calls as f64 / sample.elapsed.as_secs_f64();
    let (payload, concurrency) = (cell.payload, cell.concurrency);
    writeln!(
        io::stderr(),
        "round {round}: {payload} × {concurrency}, {entry}: {rate:.0} calls/s"
    )?;
    Ok(())
}
