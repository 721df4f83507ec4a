//! "Did you mean": the nearest of the words that exist.

/// The candidate nearest to `word`, if one is near enough to be what was meant.
pub(crate) fn nearest<'a>(word: &str, candidates: &[&'a str]) -> Option<&'a str> {
    let word = word.to_lowercase();
    let near_enough = word.chars().count().div_ceil(3);
    candidates
        .iter()
        .map(|&candidate| (distance(&word, candidate), candidate))
        .filter(|&(distance, _)| distance <= near_enough)
        .min_by_key(|&(distance, _)| distance)
        .map(|(_, candidate)| candidate)
}

/// How many letters have to be added, dropped or replaced to get from one word to the other.
fn distance(from: &str, to: &str) -> usize {
    let to: Vec<char> = to.chars().collect();
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (line, letter) in from.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = line + 1;
        for (column, other) in to.iter().enumerate() {
            let replaced = diagonal + usize::from(letter != *other);
            diagonal = row[column + 1];
            row[column + 1] = replaced.min(diagonal + 1).min(row[column] + 1);
        }
    }
    row[to.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    const OPTIONS: [&str; 4] = ["idempotent", "timeout", "name", "encoding"];

    #[test]
    fn a_typing_error_finds_its_word() {
        assert_eq!(nearest("idempotant", &OPTIONS), Some("idempotent"));
        assert_eq!(nearest("Timeout", &OPTIONS), Some("timeout"));
        assert_eq!(nearest("time_out", &OPTIONS), Some("timeout"));
        assert_eq!(nearest("nmae", &OPTIONS), Some("name"));
    }

    #[test]
    fn a_word_of_its_own_finds_none() {
        assert_eq!(nearest("priority", &OPTIONS), None);
        assert_eq!(nearest("", &OPTIONS), None);
    }

    #[test]
    fn distance_counts_letters() {
        assert_eq!(distance("", "name"), 4);
        assert_eq!(distance("name", "name"), 0);
        assert_eq!(distance("same", "name"), 1);
        assert_eq!(distance("names", "name"), 1);
    }
}
