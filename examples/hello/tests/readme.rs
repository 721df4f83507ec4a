//! The README of the project shows the example as it is.

const README: &str = include_str!("../../../README.md");
const EXAMPLE: &str = include_str!("../src/main.rs");

#[test]
fn the_readme_quotes_the_example() {
    let (_, quoted) = README.split_once("```rust\n").unwrap();
    let (quoted, _) = quoted.split_once("```").unwrap();
    let (_, example) = EXAMPLE.split_once("\n\n").unwrap();
    assert!(example.starts_with("use "), "{example}");
    assert_eq!(
        quoted, example,
        "README.md is to show examples/hello/src/main.rs from the first `use` on"
    );
}
