/// Endpoints, by index. Allocates only for an index past 63.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tried {
    first: u64,
    rest: Vec<u64>,
}

impl Tried {
    /// None.
    pub(crate) const fn new() -> Self {
        Self {
            first: 0,
            rest: Vec::new(),
        }
    }

    /// Adds one.
    pub(crate) fn insert(&mut self, endpoint: usize) {
        let (word, bit) = (endpoint / 64, 1 << (endpoint % 64));
        let Some(word) = word.checked_sub(1) else {
            self.first |= bit;
            return;
        };
        if word >= self.rest.len() {
            self.rest.resize(word + 1, 0);
        }
        self.rest[word] |= bit;
    }

    /// Adds these.
    pub(crate) fn extend(&mut self, endpoints: impl IntoIterator<Item = usize>) {
        endpoints
            .into_iter()
            .for_each(|endpoint| self.insert(endpoint));
    }

    /// Whether it is among them.
    pub(crate) fn contains(&self, endpoint: usize) -> bool {
        let word = match endpoint / 64 {
            0 => self.first,
            word => self.rest.get(word - 1).copied().unwrap_or(0),
        };
        word & (1 << (endpoint % 64)) != 0
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        let words = self.rest.iter().chain([&self.first]);
        words.map(|word| word.count_ones() as usize).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::Tried;

    #[test]
    fn what_was_added_is_in_it_and_nothing_else() {
        let mut tried = Tried::new();
        assert_eq!(tried.len(), 0);
        let added = [0, 1, 63, 64, 127, 128, 9_999];
        for endpoint in added.into_iter().chain(added) {
            tried.insert(endpoint);
        }
        assert_eq!(tried.len(), added.len());
        for endpoint in 0..20_000 {
            assert_eq!(tried.contains(endpoint), added.contains(&endpoint));
        }
    }
}
