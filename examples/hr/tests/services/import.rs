use std::{io::Write as _, path::PathBuf};

use flate2::{Compression, write::GzEncoder};
use hr::{
    employee::{Employment, Gender},
    import::{ImportError, Progress, Sheet},
};
use tempfile::TempDir;

use crate::sheets::{HEADER, row, row_with, sheet};

fn read(bytes: impl AsRef<[u8]>) -> Result<Sheet, ImportError> {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("people.csv");
    std::fs::write(&path, bytes).unwrap();
    Sheet::read(&path, &Progress::hidden())
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    gzip.write_all(bytes).unwrap();
    gzip.finish().unwrap()
}

fn numbers(sheet: &Sheet) -> Vec<u32> {
    sheet
        .records
        .iter()
        .map(|record| record.number.get())
        .collect()
}

fn faults(sheet: &Sheet) -> Vec<String> {
    sheet.faults.iter().map(ToString::to_string).collect()
}

#[test]
fn a_row_becomes_a_person() {
    let sheet = read(sheet([row(7), row_with("8", "41", "Yes")])).unwrap();
    assert_eq!(faults(&sheet), Vec::<String>::new());
    let [stayed, left] = &sheet.records[..] else {
        panic!("{sheet:?}")
    };
    assert_eq!(stayed.person.name, "Employee 7");
    assert_eq!(
        (stayed.person.age, stayed.person.gender),
        (30, Gender::Male)
    );
    assert_eq!(stayed.position.department, "Sales");
    assert_eq!(
        (stayed.position.job_level, stayed.position.monthly_income),
        (2, 4200)
    );
    assert_eq!(
        (stayed.years_at_company, stayed.employment),
        (5, Employment::Active)
    );
    assert_eq!(
        (left.person.age, left.employment),
        (41, Employment::Terminated)
    );
}

#[test]
fn bad_rows_are_told_by_line_and_skipped() {
    let sheet = read(sheet([
        row(1),
        row_with("2", "old", "No"),
        String::new(),
        row_with("4", "7", "No"),
        row_with("0", "30", "No"),
        row(3) + ",more",
        row_with("5", "30", "Perhaps"),
        row(1),
        row(6),
    ]))
    .unwrap();
    assert_eq!(numbers(&sheet), [1, 6]);
    assert_eq!(
        faults(&sheet),
        [
            "line 3: Age: \"old\" is no whole number that fits here",
            "line 5: age has to be 14 to 120, not 7",
            "line 6: EmployeeNumber: \"0\" is no employee number; write a whole number from 1 to 4294967295",
            "line 7: it has 36 fields and the first line has 35; a field with a comma in it goes in double quotes",
            "line 8: Attrition: \"Perhaps\" is not known; write Yes or No",
            "line 9: EmployeeNumber: 1 was on line 2 already",
        ]
    );
}

#[test]
fn a_row_that_is_no_text_is_skipped_like_others() {
    let text = sheet([row(1), row(2).replace("Marketing", "Market?ng"), row(3)]);
    let bytes: Vec<u8> = text
        .bytes()
        .map(|byte| if byte == b'?' { 0xFF } else { byte })
        .collect();
    let sheet = read(bytes).unwrap();
    assert_eq!(numbers(&sheet), [1, 3]);
    assert!(
        faults(&sheet)[0].starts_with("line 3: it is no UTF-8"),
        "{sheet:?}"
    );
}

#[test]
fn rows_in_quotes_may_span_lines_and_are_told_by_their_first() {
    let spanning = row(2).replace("Marketing", "\"Marketing,\nand more\"");
    let sheet = read(sheet([row(1), spanning, row_with("x", "30", "No")])).unwrap();
    assert_eq!(numbers(&sheet), [1, 2]);
    assert_eq!(
        sheet.records[1].person.education_field,
        "Marketing,\nand more"
    );
    assert!(faults(&sheet)[0].starts_with("line 5: "), "{sheet:?}");
}

#[test]
fn a_byte_order_mark_is_no_part_of_the_first_column() {
    let text = sheet([row(1), row(2)]);
    assert!(text.starts_with("Age,"));
    assert_eq!(numbers(&read(format!("\u{feff}{text}")).unwrap()), [1, 2]);
    let bad = sheet([row(1), row_with("x", "30", "No")]);
    let marked = read(format!("\u{feff}{bad}")).unwrap();
    assert!(faults(&marked)[0].starts_with("line 3: "), "{marked:?}");
    let quoted = text.replacen("Age", "\"Age\"", 1);
    assert_eq!(numbers(&read(format!("\u{feff}{quoted}")).unwrap()), [1, 2]);
}

#[test]
fn gzip_is_known_by_its_bytes_also_in_several_members() {
    let text = sheet([row(1), row(2), row(3)]);
    assert_eq!(numbers(&read(gzip(text.as_bytes())).unwrap()), [1, 2, 3]);
    let (front, back) = text.as_bytes().split_at(700);
    let members = [gzip(front), gzip(back)].concat();
    assert_eq!(numbers(&read(members).unwrap()), [1, 2, 3]);
}

#[test]
fn a_gzip_that_breaks_off_is_not_imported_in_part() {
    let packed = gzip(sheet((1..2000).map(row)).as_bytes());
    let error = read(&packed[..packed.len() - 20]).unwrap_err().to_string();
    assert!(error.contains("nothing was imported"), "{error}");
}

#[test]
fn columns_are_found_by_name_in_any_order() {
    let few = "Attrition,Gender,MaritalStatus,EducationField,Department,JobRole,JobLevel,MonthlyIncome,OverTime,YearsAtCompany,Age,EmployeeNumber\n\
               No, Female ,Single,Other,Sales,Manager,3,9000,Yes,4,44,12\n";
    let sheet = read(few).unwrap();
    assert_eq!((numbers(&sheet), faults(&sheet)), (vec![12], vec![]));
    assert!(sheet.records[0].position.overtime);
}

#[test]
fn missing_and_double_columns_are_told_by_name() {
    let text = sheet([row(1)]);
    let without = text
        .replacen("JobRole", "Job", 1)
        .replacen("Attrition", "Left", 1);
    let error = read(without).unwrap_err().to_string();
    assert!(
        error.contains("lacks the columns JobRole, Attrition; "),
        "{error}"
    );
    let twice = text.replacen("JobSatisfaction", "JobRole", 1);
    let error = read(twice).unwrap_err().to_string();
    assert!(error.contains("has two columns JobRole"), "{error}");
    let semicolons = text.replace(',', ";");
    let error = read(semicolons).unwrap_err().to_string();
    assert!(error.contains("separated by commas"), "{error}");
}

#[test]
fn files_that_are_no_sheets_are_told_apart() {
    let error = read("").unwrap_err().to_string();
    assert!(error.contains("its first line has nothing"), "{error}");
    let error = read([0_u8, 159, 146, 150].repeat(5000)).unwrap_err();
    assert!(error.to_string().len() < 4000, "{error}");
    assert!(read(sheet([])).unwrap().records.is_empty());
    assert!(read(HEADER).unwrap().records.is_empty());

    let progress = Progress::hidden();
    let folder = TempDir::new().unwrap();
    for path in [folder.path().to_owned(), PathBuf::from("/no/such/file.csv")] {
        let error = Sheet::read(&path, &progress).unwrap_err().to_string();
        assert!(
            error.starts_with("cannot open ") && error.contains(path.to_str().unwrap()),
            "{error}"
        );
    }
}
