use std::fmt::Display;

/// An error of the application, with its `Display` text if it implements `Display`.
///
/// Autoref specialisation chooses between the two traits where the type is known: a method of the value itself comes
/// before a method of a reference to it.
#[derive(Debug)]
pub struct Described<'a, E>(pub &'a E);

/// The text of an error that implements `Display`.
pub trait ByDisplay {
    /// The text.
    fn text(&self) -> Option<String>;
}

impl<E: Display> ByDisplay for Described<'_, E> {
    fn text(&self) -> Option<String> {
        Some(self.0.to_string())
    }
}

/// The fallback for errors without `Display`.
pub trait WithoutDisplay {
    /// None.
    fn text(&self) -> Option<String> {
        None
    }
}

impl<E> WithoutDisplay for &Described<'_, E> {}

#[cfg(test)]
mod tests {
    use super::{ByDisplay as _, Described, WithoutDisplay as _};

    #[test]
    #[expect(
        clippy::needless_borrow,
        reason = "it is what the second trait is found by"
    )]
    fn the_text_is_that_of_display_if_there_is_one() {
        struct Plain;
        assert_eq!((&Described(&7)).text(), Some("7".to_owned()));
        assert_eq!((&Described(&Plain)).text(), None);
    }
}
