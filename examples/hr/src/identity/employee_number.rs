use std::{fmt, num::NonZeroU32, str::FromStr};

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// The personnel number, from 1: who is meant, in every context.
///
/// ```
/// use hr::identity::EmployeeNumber;
///
/// let number: EmployeeNumber = "7".parse()?;
/// assert_eq!(number.get(), 7);
/// # Ok::<(), hr::identity::InvalidEmployeeNumber>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct EmployeeNumber(NonZeroU32);

impl EmployeeNumber {
    /// The number as such.
    #[must_use]
    pub fn get(self) -> u32 {
        self.0.get()
    }
}

/// A number or a text that is no employee number.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{0:?} is no employee number; write a whole number from 1 to {max}", max = u32::MAX)]
pub struct InvalidEmployeeNumber(String);

impl TryFrom<u32> for EmployeeNumber {
    type Error = InvalidEmployeeNumber;

    fn try_from(number: u32) -> Result<Self, InvalidEmployeeNumber> {
        NonZeroU32::new(number)
            .map(Self)
            .ok_or_else(|| InvalidEmployeeNumber(number.to_string()))
    }
}

impl FromStr for EmployeeNumber {
    type Err = InvalidEmployeeNumber;

    fn from_str(text: &str) -> Result<Self, InvalidEmployeeNumber> {
        text.parse()
            .map(Self)
            .map_err(|_| InvalidEmployeeNumber(text.to_owned()))
    }
}

impl fmt::Display for EmployeeNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::EmployeeNumber;

    #[test]
    fn numbers_start_at_one() {
        assert!(EmployeeNumber::try_from(0).is_err());
        for text in ["0", "-1", "4294967296", "1.0", ""] {
            let error = text.parse::<EmployeeNumber>().unwrap_err().to_string();
            assert!(error.contains(&format!("{text:?}")), "{error}");
        }
    }
}
