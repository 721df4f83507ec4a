use std::{collections::HashMap, fmt, path::Path};

use csv::{ErrorKind, Reader, ReaderBuilder, StringRecord, Trim};

use super::{
    ImportError, Progress, header,
    lines::Lines,
    row::Row,
    source::{self, Source},
};
use crate::{employee::Record, identity::EmployeeNumber};

/// What a file holds: the people, and the rows that are no use.
#[derive(Debug, Default)]
pub struct Sheet {
    /// One for each good row, in the order of the file; numbers are unique.
    pub records: Vec<Record>,
    /// The other rows, in the order of the file.
    pub faults: Vec<Fault>,
}

/// A row that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The line of the file that the row starts on, from 1.
    pub line: u64,
    /// What is wrong, and what would be right.
    pub why: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.why)
    }
}

impl Sheet {
    /// Reads a file to its end, on this thread.
    ///
    /// # Errors
    ///
    /// When there is no file, it breaks off, or it has other columns.
    pub fn read(path: &Path, progress: &Progress) -> Result<Self, ImportError> {
        let mut reader = ReaderBuilder::new()
            .flexible(true)
            .trim(Trim::All)
            .from_reader(Lines::new(source::open(path, progress)?));
        let header = header::read(path, &mut reader)?;
        Rows {
            path,
            header,
            first_seen: HashMap::new(),
            sheet: Self::default(),
        }
        .read(reader)
    }
}

/// A sheet in the making.
struct Rows<'a> {
    path: &'a Path,
    header: StringRecord,
    /// The line on which a number came first.
    first_seen: HashMap<EmployeeNumber, u64>,
    sheet: Sheet,
}

impl Rows<'_> {
    fn read(mut self, mut reader: Reader<Lines<Source>>) -> Result<Sheet, ImportError> {
        let mut record = StringRecord::new();
        loop {
            let start = reader.position().byte();
            let read = reader.read_record(&mut record);
            let line = reader.get_mut().line_of(start);
            match read {
                Ok(false) => return Ok(self.sheet),
                Ok(true) => self.take(line, &record),
                Err(error) => self.refuse(line, error)?,
            }
        }
    }

    fn take(&mut self, line: u64, record: &StringRecord) {
        match self.person(line, record) {
            Ok(person) => self.sheet.records.push(person),
            Err(why) => self.sheet.faults.push(Fault { line, why }),
        }
    }

    fn person(&mut self, line: u64, record: &StringRecord) -> Result<Record, String> {
        let (fields, columns) = (record.len(), self.header.len());
        if fields != columns {
            return Err(format!(
                "it has {fields} fields and the first line has {columns}; \
                 a field with a comma in it goes in double quotes"
            ));
        }
        let row: Row<'_> = record
            .deserialize(Some(&self.header))
            .map_err(|error| error.to_string())?;
        let person = row.record()?;
        match self.first_seen.insert(person.number, line) {
            None => Ok(person),
            Some(first) => {
                self.first_seen.insert(person.number, first);
                let number = person.number;
                Err(format!(
                    "EmployeeNumber: {number} was on line {first} already"
                ))
            }
        }
    }

    /// A row that is no text is skipped like others; all else is the end.
    fn refuse(&mut self, line: u64, error: csv::Error) -> Result<(), ImportError> {
        match error.into_kind() {
            ErrorKind::Utf8 { err, .. } => {
                let why = format!("it is no UTF-8: {err}");
                self.sheet.faults.push(Fault { line, why });
                Ok(())
            }
            ErrorKind::Io(source) => Err(ImportError::Read {
                path: self.path.to_owned(),
                source,
            }),
            other => Err(ImportError::Read {
                path: self.path.to_owned(),
                source: std::io::Error::other(format!("{other:?}")),
            }),
        }
    }
}
