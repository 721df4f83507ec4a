/// Tells the first failure of a row of them from the rest, so that each row is logged once.
#[derive(Debug, Default)]
pub(crate) struct Failing {
    already: bool,
}

impl Failing {
    /// Notes a failure; true for the first of a row.
    pub(crate) fn begins(&mut self) -> bool {
        !std::mem::replace(&mut self.already, true)
    }

    /// Notes a success; true for the first after a row of failures.
    pub(crate) fn ends(&mut self) -> bool {
        std::mem::take(&mut self.already)
    }
}
