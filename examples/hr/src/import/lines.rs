use std::{
    collections::VecDeque,
    io::{self, Read},
};

/// Counts lines as they are read, to tell which one a byte is on.
///
/// The position of a row as the `csv` crate has it lies before the blank lines above the row, and before the second
/// half of a `\r\n`; this knows where the row itself begins.
#[derive(Debug)]
pub(super) struct Lines<R> {
    source: R,
    offset: u64,
    /// The line that is being read, from 1.
    line: u64,
    /// Offset of the last byte with content on that line.
    last: Option<u64>,
    /// The lines with content that were read before and may still be asked for, each after its last offset.
    ended: VecDeque<(u64, u64)>,
}

impl<R> Lines<R> {
    pub(super) fn new(source: R) -> Self {
        Self {
            source,
            offset: 0,
            line: 1,
            last: None,
            ended: VecDeque::new(),
        }
    }

    /// The first line with content at this offset or behind it; offsets may only grow from one call to the next.
    pub(super) fn line_of(&mut self, offset: u64) -> u64 {
        while self.ended.front().is_some_and(|(last, _)| *last < offset) {
            self.ended.pop_front();
        }
        self.ended.front().map_or(self.line, |(_, line)| *line)
    }

    fn see(&mut self, byte: u8) {
        match byte {
            b'\n' => {
                let ended = self.last.take().map(|last| (last, self.line));
                self.ended.extend(ended);
                self.line += 1;
            }
            b'\r' => {}
            _ => self.last = Some(self.offset),
        }
        self.offset += 1;
    }
}

impl<R: Read> Read for Lines<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.source.read(buffer)?;
        for byte in &buffer[..length] {
            self.see(*byte);
        }
        Ok(length)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::Lines;

    #[test]
    fn blank_lines_and_line_ends_belong_to_no_row() {
        let mut lines = Lines::new(&b"a\r\n\r\n\n bb\r\nc"[..]);
        lines.read_to_end(&mut Vec::new()).unwrap();
        let found = [0, 1, 2, 6, 8, 9, 10, 11].map(|offset| lines.line_of(offset));
        assert_eq!(found, [1, 4, 4, 4, 4, 5, 5, 5]);
    }
}
