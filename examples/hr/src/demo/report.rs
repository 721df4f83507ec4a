use std::{fmt, future::Future, time::Instant};

use super::script::Unexpected;
use crate::table::Table;

/// What happened, step by step.
#[derive(Debug)]
pub(super) struct Report {
    table: Table<4>,
}

impl Default for Report {
    fn default() -> Self {
        let table = Table::new(["step", "service", "result", "time"]);
        Self { table }
    }
}

impl Report {
    /// Takes a step and writes it down. What it results in is a value for later steps, and a text for people.
    pub(super) async fn step<T>(
        &mut self,
        step: impl Into<String>,
        service: &str,
        work: impl Future<Output = Result<(T, String), Unexpected>>,
    ) -> Result<T, Unexpected> {
        let start = Instant::now();
        let result = work.await;
        let time = format!("{:.1} ms", start.elapsed().as_secs_f64() * 1000.0);
        let told = match &result {
            Ok((_, text)) => text.clone(),
            Err(unexpected) => format!("UNEXPECTED: {unexpected}"),
        };
        self.table
            .row([step.into(), service.to_owned(), told, time]);
        result.map(|(value, _)| value)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.table.fmt(f)
    }
}
