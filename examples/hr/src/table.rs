//! A table for people to read.

use std::fmt;

const GAP: &str = "  ";

/// Rows of cells, each column as wide as its widest cell.
#[derive(Debug)]
pub(crate) struct Table<const COLUMNS: usize> {
    rows: Vec<[String; COLUMNS]>,
}

impl<const COLUMNS: usize> Table<COLUMNS> {
    pub(crate) fn new(header: [&str; COLUMNS]) -> Self {
        Self {
            rows: vec![header.map(str::to_owned)],
        }
    }

    pub(crate) fn row(&mut self, cells: [String; COLUMNS]) {
        self.rows.push(cells);
    }

    fn widths(&self) -> [usize; COLUMNS] {
        std::array::from_fn(|column| {
            let cells = self.rows.iter().map(|row| row[column].chars().count());
            cells.max().unwrap_or(0)
        })
    }
}

/// One line per row and one under the header, without a line break at the end.
impl<const COLUMNS: usize> fmt::Display for Table<COLUMNS> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let widths = self.widths();
        let rule = widths.map(|width| "-".repeat(width));
        let (header, body) = self.rows.split_at(1);
        let lines = header.iter().chain([&rule]).chain(body);
        for (index, cells) in lines.enumerate() {
            if index > 0 {
                writeln!(f)?;
            }
            f.write_str(line(cells, &widths).trim_end())?;
        }
        Ok(())
    }
}

fn line<const COLUMNS: usize>(cells: &[String; COLUMNS], widths: &[usize; COLUMNS]) -> String {
    let padded = cells
        .iter()
        .zip(widths)
        .map(|(cell, width)| format!("{cell:width$}"));
    padded.collect::<Vec<_>>().join(GAP)
}

#[cfg(test)]
mod tests {
    use super::Table;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let mut table = Table::new(["step", "result"]);
        table.row(["hire".to_owned(), "Zoë".to_owned()]);
        table.row(["terminate".to_owned(), String::new()]);
        assert_eq!(
            table.to_string(),
            "step       result\n---------  ------\nhire       Zoë\nterminate"
        );
    }
}
