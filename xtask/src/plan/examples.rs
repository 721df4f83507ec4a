use super::Step;

/// Every example, run once; a folder in `examples/` that is not here fails a test.
pub(super) const EXAMPLES: [Step; 4] = [
    Step::cargo("example: hello", "run --package hello"),
    Step::cargo("example: layers", "run --package layers"),
    Step::cargo("example: hr", "run --package hr -- demo"),
    Step::cargo(
        "example: hr, amid chaos",
        "run --package hr -- demo --chaos --seconds 6",
    ),
];

#[cfg(test)]
mod tests {
    use std::fs;

    use super::EXAMPLES;
    use crate::step::root;

    #[test]
    fn every_example_is_run() {
        let commands = EXAMPLES.map(|step| step.to_string());
        let run: Vec<_> = commands
            .iter()
            .filter_map(|command| command.split(' ').nth(3))
            .collect();
        for entry in fs::read_dir(root().join("examples")).unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            assert!(run.contains(&&*name), "nothing runs examples/{name}");
        }
    }
}
