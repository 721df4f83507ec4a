use serde::Deserialize;

use super::Problem;

/// What one operation of a scenario costs.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Count {
    pub(super) scenario: String,
    /// Instructions, in tenths.
    pub(super) instructions: f64,
}

/// Operations of a scenario: `OPERATIONS` in `benches/benches/instructions/main.rs`.
const OPERATIONS: f64 = 1024.0;

/// Reads the summaries of the benchmark, one in each line.
///
/// # Errors
///
/// When one is not what is expected, or there is none.
pub(super) fn read(summaries: &str) -> Result<Vec<Count>, Problem> {
    let counts = summaries
        .lines()
        .map(|line| {
            let summary: Summary = serde_json::from_str(line)
                .map_err(|error| format!("no summary of a benchmark: {error}: {line}"))?;
            summary.count()
        })
        .collect::<Result<Vec<_>, Problem>>()?;
    if counts.is_empty() {
        return Err("the benchmark counted nothing".into());
    }
    Ok(counts)
}

/// What is used of a summary, version 7.
#[derive(Deserialize)]
struct Summary {
    module_path: String,
    id: String,
    profiles: Vec<Profile>,
}

#[derive(Deserialize)]
struct Profile {
    data: Data,
}

#[derive(Deserialize)]
struct Data {
    total: Total,
}

#[derive(Deserialize)]
struct Total {
    metrics: Metrics,
}

#[derive(Deserialize)]
struct Metrics {
    #[serde(rename = "Ir")]
    instructions: Metric,
}

#[derive(Deserialize)]
struct Metric {
    values: Values,
}

#[derive(Deserialize)]
struct Values {
    new: u64,
}

impl Summary {
    fn count(&self) -> Result<Count, Problem> {
        let [profile] = &*self.profiles else {
            return Err(format!("{}: not one profile", self.module_path).into());
        };
        let path = self.module_path.split_once("::");
        let (_, function) = path.ok_or_else(|| format!("{}: no path", self.module_path))?;
        let all = profile.data.total.metrics.instructions.values.new as f64;
        Ok(Count {
            scenario: format!("{function}::{}", self.id),
            instructions: (all / OPERATIONS * 10.0).round() / 10.0,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{Count, OPERATIONS, read};
    use crate::step::root;

    #[test]
    fn a_summary_is_a_count() {
        let line = r#"{"function_name":"scan","id":"swept","module_path":"instructions::messages::scan","profiles":[{"data":{"parts":[],"total":{"metrics":{"Ir":{"values":{"new":182309,"old":1}}},"regressions":[]}},"tool":"Callgrind"}],"version":"7"}"#;
        let expected = Count {
            scenario: "messages::scan::swept".into(),
            instructions: 178.0,
        };
        assert_eq!(read(line).unwrap(), [expected]);
    }

    #[test]
    fn what_is_no_summary_is_told() {
        let error = read("Running benches").unwrap_err().to_string();
        assert!(error.ends_with(": Running benches"), "{error}");
        assert_eq!(
            read("").unwrap_err().to_string(),
            "the benchmark counted nothing"
        );
    }

    #[test]
    fn the_benchmark_does_as_many_operations() {
        let file = root().join("benches/benches/instructions/main.rs");
        let source = std::fs::read_to_string(file).unwrap();
        assert!(source.contains(&format!("const OPERATIONS: usize = {OPERATIONS};")));
    }
}
