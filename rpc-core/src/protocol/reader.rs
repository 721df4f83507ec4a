use bytes::{Buf, Bytes};

use super::Violation;

/// Takes a payload apart; every read checks that the bytes are there.
#[derive(Debug)]
pub(crate) struct Reader {
    rest: Bytes,
}

impl Reader {
    #[inline]
    pub(crate) fn new(payload: Bytes) -> Self {
        Self { rest: payload }
    }

    #[inline]
    pub(crate) fn u8(&mut self, what: &'static str) -> Result<u8, Violation> {
        self.rest
            .try_get_u8()
            .map_err(|_| Violation::Truncated(what))
    }

    #[inline]
    pub(crate) fn u16(&mut self, what: &'static str) -> Result<u16, Violation> {
        self.rest
            .try_get_u16()
            .map_err(|_| Violation::Truncated(what))
    }

    #[inline]
    pub(crate) fn u32(&mut self, what: &'static str) -> Result<u32, Violation> {
        self.rest
            .try_get_u32()
            .map_err(|_| Violation::Truncated(what))
    }

    #[inline]
    pub(crate) fn u64(&mut self, what: &'static str) -> Result<u64, Violation> {
        self.rest
            .try_get_u64()
            .map_err(|_| Violation::Truncated(what))
    }

    /// The next `len` bytes, by reference.
    #[inline]
    pub(crate) fn take(&mut self, len: usize, what: &'static str) -> Result<Bytes, Violation> {
        if self.rest.len() < len {
            return Err(Violation::Truncated(what));
        }
        Ok(self.rest.split_to(len))
    }

    /// The next `len` bytes as text.
    pub(crate) fn text(&mut self, len: usize, what: &'static str) -> Result<Box<str>, Violation> {
        let bytes = self.take(len, what)?;
        std::str::from_utf8(&bytes)
            .map(Box::from)
            .map_err(|_| Violation::Malformed(what))
    }

    /// All that is left.
    #[inline]
    pub(crate) fn rest(self) -> Bytes {
        self.rest
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// Nothing may be left.
    pub(crate) fn finish(self, kind: u8) -> Result<(), Violation> {
        match self.rest.len() {
            0 => Ok(()),
            more => Err(Violation::Trailing(more, kind)),
        }
    }
}
