use std::fmt;

/// A table; its first columns are names, the others numbers.
#[derive(Clone, Debug)]
pub(super) struct Table {
    names: usize,
    rows: Vec<Vec<String>>,
}

/// What stands where there is no number.
const NOTHING: &str = "–";

impl Table {
    /// A table with these headings, of which the first `names` are those of names.
    pub(super) fn new(names: usize, head: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self {
            names,
            rows: vec![head.into_iter().map(Into::into).collect()],
        }
    }

    pub(super) fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.rows.push(cells.into_iter().collect());
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, row) in self.rows.iter().enumerate() {
            writeln!(f, "| {} |", row.join(" | "))?;
            if number == 0 {
                let align = |column| if column < self.names { "---|" } else { "---:|" };
                let line: String = (0..row.len()).map(align).collect();
                writeln!(f, "|{line}")?;
            }
        }
        Ok(())
    }
}

/// A number with so many decimals, and its thousands apart.
pub(super) fn number(value: Option<f64>, decimals: usize) -> String {
    let Some(value) = value.filter(|value| value.is_finite()) else {
        return NOTHING.into();
    };
    let text = format!("{value:.decimals$}");
    let whole = text.find('.').unwrap_or(text.len());
    let mut grouped = String::new();
    for (index, digit) in text.char_indices() {
        let left = whole.saturating_sub(index);
        if index > 0 && left > 0 && left % 3 == 0 && !grouped.ends_with('-') {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// A whole number.
pub(super) fn whole(value: Option<f64>) -> String {
    number(value, 0)
}

/// Three digits that tell something: of microseconds as of ratios.
pub(super) fn short(value: Option<f64>) -> String {
    let decimals = match value {
        Some(value) if value < 0.095 => 3,
        Some(value) if value < 10.0 => 2,
        Some(value) if value < 100.0 => 1,
        _ => 0,
    };
    number(value, decimals)
}

#[cfg(test)]
mod tests {
    use super::{Table, number, short, whole};

    #[test]
    fn thousands_stand_apart() {
        assert_eq!(whole(Some(1_234_567.4)), "1,234,567");
        assert_eq!(whole(Some(999.6)), "1,000");
        assert_eq!(number(Some(1234.5678), 2), "1,234.57");
        assert_eq!(whole(Some(-1234.0)), "-1,234");
        assert_eq!(whole(Some(-123.0)), "-123");
        assert_eq!(whole(None), "–");
    }

    #[test]
    fn small_numbers_have_decimals() {
        assert_eq!(short(Some(0.0123)), "0.012");
        assert_eq!(short(Some(0.123)), "0.12");
        assert_eq!(short(Some(12.34)), "12.3");
        assert_eq!(short(Some(1234.5)), "1,234");
    }

    #[test]
    fn names_stand_left_and_numbers_right() {
        let mut table = Table::new(1, ["who", "much"]);
        table.row(["a".into(), "1".into()]);
        assert_eq!(table.to_string(), "| who | much |\n|---|---:|\n| a | 1 |\n");
    }
}
