//! Limits of a body. Its writer and its reader keep them alike, so that a body that could be written can be read.

/// How deep the arrays and maps of a body may nest, in levels. The array of the arguments is one level, and an enum
/// variant with data is one as well.
pub const MAX_DEPTH: usize = 128;

/// How many elements the arrays and maps of one body may have in all; a map's entry counts as two.
pub const MAX_ELEMENTS: usize = 1024 * 1024;

/// What is left of the limits of a body.
#[derive(Debug)]
pub(super) struct Limits {
    depth: usize,
    elements: usize,
}

/// A limit that a body is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OverLimit {
    Depth,
    Elements,
}

impl Limits {
    /// The limits of a whole body.
    #[inline]
    pub(super) fn new() -> Self {
        Self {
            depth: MAX_DEPTH,
            elements: MAX_ELEMENTS,
        }
    }

    /// Counts elements of an array or a map that is open.
    #[inline]
    pub(super) fn count(&mut self, elements: usize) -> Result<(), OverLimit> {
        match self.elements.checked_sub(elements) {
            Some(left) => {
                self.elements = left;
                Ok(())
            }
            None => Err(OverLimit::Elements),
        }
    }

    /// Opens an array or a map with this many elements.
    #[inline]
    pub(super) fn open(&mut self, elements: usize) -> Result<(), OverLimit> {
        self.count(elements)?;
        match self.depth.checked_sub(1) {
            Some(left) => {
                self.depth = left;
                Ok(())
            }
            None => Err(OverLimit::Depth),
        }
    }

    /// Closes arrays and maps, this many levels of them.
    #[inline]
    pub(super) fn close(&mut self, levels: usize) {
        self.depth += levels;
    }
}
