use bytes::{BufMut, BytesMut};

use super::{Reader, Violation, outcome::cut};
use crate::call::{CancelReason, Cancellation, MAX_CANCEL_TEXT};

/// Writes the payload of a cancel: nothing, or the reason and what more is known.
pub(super) fn encode(cancellation: Option<&Cancellation>, dst: &mut BytesMut) {
    if let Some(cancellation) = cancellation {
        dst.put_u8(cancellation.reason() as u8);
        dst.put_slice(cut(cancellation.text(), MAX_CANCEL_TEXT).as_bytes());
    }
}

/// Reads the payload of a cancel. The text is for people and ends up in their logs: what is no UTF-8 or a control
/// character becomes a mark.
///
/// # Errors
///
/// When the text is longer than may travel.
pub(super) fn decode(mut reader: Reader) -> Result<Option<Cancellation>, Violation> {
    if reader.is_empty() {
        return Ok(None);
    }
    let reason = CancelReason::from_u8(reader.u8("cancel")?);
    let text = reader.rest();
    if text.len() > MAX_CANCEL_TEXT {
        return Err(Violation::Malformed("cancel: the text is too long"));
    }
    let text = String::from_utf8_lossy(&text).replace(char::is_control, "\u{fffd}");
    Ok(Some(Cancellation::new(reason, text)))
}
