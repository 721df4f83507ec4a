use std::time::Duration;

use bytes::{BufMut, Bytes, BytesMut};

use super::{Fields, Reader, Violation, flags};
use crate::{Code, Disposition, Status};

/// How a call or a stream ended, when not with an answer: the payload of error and end frames.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// Code of the status; 0 ends a stream well.
    pub code: u8,
    /// The call provably never reached its handler.
    pub never_ran: bool,
    /// The service that was called hands on what a service further down said.
    pub passed_on: bool,
    /// For people.
    pub message: Box<str>,
    /// For machines, encoded by the service.
    pub details: Bytes,
    /// Optional parts: metadata of the answer, pushback.
    pub fields: Fields,
}

impl Outcome {
    pub(crate) const FLAGS: u8 = flags::FIELDS;
    const NEVER_RAN: u8 = 0x01;
    const PASSED_ON: u8 = 0x02;

    /// What this status looks like on the wire.
    pub fn from_status(status: &Status) -> Self {
        Self {
            code: status.code().as_u8(),
            never_ran: status.never_ran(),
            passed_on: status.is_passed_on(),
            message: status.message().into(),
            details: status.details().clone(),
            fields: Fields {
                metadata: status.metadata().clone(),
                pushback: status.pushback().map(whole_millis),
                ..Fields::default()
            },
        }
    }

    /// The status that it stands for.
    pub fn into_status(self) -> Status {
        // 0 ends a stream well; as the end of a call it says nothing, and `Status::new` makes it `Unknown`.
        let code = Code::from_u8(self.code);
        let mut status = Status::new(code, String::from(self.message))
            .with_disposition(match self.never_ran {
                true => Disposition::Rejected,
                false => Disposition::Answered,
            })
            .with_passed_on(self.passed_on)
            .with_details(self.details)
            .with_metadata(self.fields.metadata);
        if let Some(pushback) = self.fields.pushback {
            status = status.with_pushback(Duration::from_millis(u64::from(pushback)));
        }
        status
    }

    pub(crate) fn encode(&self, dst: &mut BytesMut) {
        dst.put_u8(self.code);
        let bit = |bit, is_set| if is_set { bit } else { 0 };
        dst.put_u8(bit(Self::NEVER_RAN, self.never_ran) | bit(Self::PASSED_ON, self.passed_on));
        self.fields.encode_unless_empty(dst);
        let message = cut(&self.message, usize::from(u16::MAX));
        dst.put_u16(message.len() as u16);
        dst.put_slice(message.as_bytes());
        dst.put_slice(&self.details);
    }

    pub(crate) fn decode(flags: u8, mut reader: Reader) -> Result<Self, Violation> {
        let code = reader.u8("status code")?;
        let bits = reader.u8("status")?;
        let fields = Fields::decode_if_flagged(flags, &mut reader)?;
        let length = usize::from(reader.u16("status message")?);
        let message = reader.text(length, "status message")?;
        Ok(Self {
            code,
            never_ran: bits & Self::NEVER_RAN != 0,
            passed_on: bits & Self::PASSED_ON != 0,
            message,
            details: reader.rest(),
            fields,
        })
    }
}

/// Milliseconds, rounded up, so that what is left never becomes nothing on the way.
pub(crate) fn whole_millis(duration: Duration) -> u32 {
    u32::try_from(duration.as_nanos().div_ceil(1_000_000)).unwrap_or(u32::MAX)
}

/// The longest start of `text` that fits and ends between characters.
pub(crate) fn cut(text: &str, max: usize) -> &str {
    let mut end = text.len().min(max);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}
