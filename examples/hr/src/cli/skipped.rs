use std::fmt;

use crate::import::Fault;

/// The rows of a sheet that cannot be used, in few words: how many, and why.
pub(super) struct Skipped<'a>(pub(super) &'a [Fault]);

/// Reasons that are named. The output has a line for each row.
const MOST_REASONS: usize = 3;

impl fmt::Display for Skipped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            [] => write!(f, "0 rows"),
            [fault] => write!(f, "1 row ({fault})"),
            faults => {
                let reasons = reasons(faults);
                write!(f, "{} rows (", faults.len())?;
                for (index, (reason, rows)) in reasons.iter().take(MOST_REASONS).enumerate() {
                    let separator = if index > 0 { ", " } else { "" };
                    write!(f, "{separator}{rows} for {reason}")?;
                }
                let named = reasons.len() <= MOST_REASONS;
                f.write_str(if named {
                    ")"
                } else {
                    ", others for other reasons)"
                })
            }
        }
    }
}

/// The reasons with how many rows each has, the most frequent first.
fn reasons(faults: &[Fault]) -> Vec<(&str, usize)> {
    let mut reasons: Vec<(&str, usize)> = Vec::new();
    for fault in faults {
        // The name of a column, where it is one column that is wrong.
        let reason = fault
            .why
            .split_once(':')
            .map_or(&*fault.why, |(column, _)| column);
        match reasons.iter_mut().find(|(known, _)| *known == reason) {
            Some((_, rows)) => *rows += 1,
            None => reasons.push((reason, 1)),
        }
    }
    reasons.sort_by_key(|(_, rows)| std::cmp::Reverse(*rows));
    reasons
}

#[cfg(test)]
mod tests {
    use super::{Fault, Skipped};

    #[test]
    fn rows_are_counted_by_what_is_wrong_with_them() {
        let fault = |why: &str| Fault {
            line: 3,
            why: why.to_owned(),
        };
        let told = |whys: &[&str]| {
            let faults: Vec<_> = whys.iter().map(|why| fault(why)).collect();
            Skipped(&faults).to_string()
        };
        assert_eq!(told(&[]), "0 rows");
        assert_eq!(told(&["Age: no"]), "1 row (line 3: Age: no)");
        assert_eq!(
            told(&["Gender: a", "Age: b", "Age: c"]),
            "3 rows (2 for Age, 1 for Gender)"
        );
        assert_eq!(
            told(&["a: ", "b: ", "c: ", "d: "]),
            "4 rows (1 for a, 1 for b, 1 for c, others for other reasons)"
        );
    }
}
