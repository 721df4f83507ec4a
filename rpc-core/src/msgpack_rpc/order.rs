use std::collections::VecDeque;

use bytes::{BufMut as _, Bytes, BytesMut};

use super::{MsgId, text};
use crate::connection::Outbox;

/// The answers of a connection, which leave in the order of their requests whatever the order in which they come.
#[derive(Debug, Default)]
pub(super) struct Order {
    /// Requests without an answer, and answers that wait for that of an earlier request.
    waiting: VecDeque<Waiting>,
    /// How many were there before the first that waits.
    gone: u64,
    held: usize,
}

#[derive(Debug)]
struct Waiting {
    id: MsgId,
    answer: Option<Answer>,
}

/// What a call came to.
#[derive(Debug, PartialEq)]
pub(super) enum Answer {
    /// Its result, as MessagePack.
    Result(Bytes),
    /// Why there is none; never empty.
    Error(String),
}

/// What an answer that waits costs beside its bytes.
const OVERHEAD: usize = 64;

/// Requests for which memory is kept when none waits.
const KEEP: usize = 64;

impl Order {
    /// A request came: its place in the order.
    pub(super) fn enter(&mut self, id: MsgId) -> u64 {
        self.waiting.push_back(Waiting { id, answer: None });
        self.gone + self.waiting.len() as u64 - 1
    }

    /// The request at this place is answered, and so leave all that have waited for it. One that is answered already
    /// stays as it is.
    pub(super) fn answer(&mut self, place: u64, answer: Answer, outbox: &mut Outbox) {
        let waiting = place
            .checked_sub(self.gone)
            .and_then(|place| self.waiting.get_mut(usize::try_from(place).ok()?));
        let Some(waiting) = waiting.filter(|waiting| waiting.answer.is_none()) else {
            return;
        };
        self.held += answer.cost();
        waiting.answer = Some(answer);
        while let Some(answer) = self.waiting.front_mut().and_then(|it| it.answer.take()) {
            self.held -= answer.cost();
            self.gone += 1;
            if let Some(Waiting { id, .. }) = self.waiting.pop_front() {
                answer.push(id, outbox);
            }
        }
        if self.waiting.is_empty() && self.waiting.capacity() > KEEP {
            self.waiting = VecDeque::new();
        }
    }

    /// Bytes of answers that wait for those of earlier requests.
    pub(super) fn held(&self) -> usize {
        self.held
    }

    /// Whether all requests are answered.
    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }
}

impl Answer {
    /// Writes it as the answer to this request.
    pub(super) fn push(&self, id: MsgId, outbox: &mut Outbox) {
        match self {
            Self::Result(value) => outbox.push_value(
                |tail| {
                    begin(tail, id);
                    tail.put_u8(NIL);
                },
                value,
            ),
            Self::Error(error) => {
                outbox.push_value(|tail| write_error(tail, id, error), &Bytes::new());
            }
        }
    }

    fn cost(&self) -> usize {
        OVERHEAD
            + match self {
                Self::Result(value) => value.len(),
                Self::Error(error) => error.len(),
            }
    }
}

const NIL: u8 = 0xC0;

/// The answer to a request that is turned away without a connection of its own; to what is no request, [`MsgId::NONE`]
/// stands for its number.
pub fn refusal(id: Option<MsgId>, why: &str) -> BytesMut {
    let mut bytes = BytesMut::new();
    write_error(&mut bytes, id.unwrap_or(MsgId::NONE), why);
    bytes
}

fn write_error(dst: &mut BytesMut, id: MsgId, error: &str) {
    begin(dst, id);
    text::write(dst, error);
    dst.put_u8(NIL);
}

fn begin(dst: &mut BytesMut, id: MsgId) {
    dst.put_slice(b"\x94\x01");
    id.write(dst);
}

#[cfg(test)]
pub(super) mod tests {
    use std::{
        pin::pin,
        task::{Context, Poll, Waker},
    };

    use bytes::Bytes;

    use super::{Answer, MsgId, Order};
    use crate::connection::{Batch, Outbox};

    fn result(value: u8) -> Answer {
        Answer::Result(Bytes::copy_from_slice(&[value]))
    }

    /// All that has been pushed.
    pub(in crate::msgpack_rpc) fn written(outbox: &mut Outbox) -> Vec<u8> {
        let (mut batch, mut bytes) = (Batch::default(), Vec::new());
        if outbox.take(&mut batch) {
            let mut context = Context::from_waker(Waker::noop());
            let mut bytes = pin!(&mut bytes);
            while !batch.is_empty() {
                let Poll::Ready(Ok(wrote)) = batch.poll_write(&mut bytes, &mut context) else {
                    panic!("memory takes everything")
                };
                outbox.wrote(wrote);
            }
        }
        bytes
    }

    #[test]
    fn answers_leave_in_the_order_of_the_requests_in_whatever_order_they_come() {
        for come in [
            [0, 1, 2],
            [0, 2, 1],
            [1, 0, 2],
            [1, 2, 0],
            [2, 0, 1],
            [2, 1, 0],
        ] {
            let (mut order, mut outbox) = (Order::default(), Outbox::default());
            for id in [7_u64, 8, 9] {
                order.enter(MsgId::from(id));
            }
            for place in come {
                assert!(!order.is_empty());
                order.answer(place, result(place as u8), &mut outbox);
            }
            assert!(order.is_empty());
            assert_eq!(order.held(), 0);
            let expected = b"\x94\x01\x07\xc0\x00\x94\x01\x08\xc0\x01\x94\x01\x09\xc0\x02";
            assert_eq!(written(&mut outbox), expected);
        }
    }

    #[test]
    fn a_flood_leaves_no_memory_behind() {
        let (mut order, mut outbox) = (Order::default(), Outbox::default());
        let places: Vec<_> = (0..10_000_u64)
            .map(|id| order.enter(MsgId::from(id)))
            .collect();
        for place in places.into_iter().rev() {
            order.answer(place, result(0), &mut outbox);
        }
        assert!(order.is_empty());
        assert!(order.waiting.capacity() <= 64);
        assert_eq!(order.enter(MsgId::from(3)), 10_000);
    }

    #[test]
    fn there_is_one_answer_to_a_request() {
        let (mut order, mut outbox) = (Order::default(), Outbox::default());
        let (first, second) = (order.enter(MsgId::from(1)), order.enter(MsgId::from(2)));
        order.answer(second, result(2), &mut outbox);
        order.answer(second, Answer::Error("late".into()), &mut outbox);
        assert!(order.held() > 0);
        order.answer(first, Answer::Error("boom".into()), &mut outbox);
        order.answer(first, result(1), &mut outbox);
        order.answer(99, result(1), &mut outbox);
        assert_eq!(
            written(&mut outbox),
            b"\x94\x01\x01\xa4boom\xc0\x94\x01\x02\xc0\x02"
        );
        assert_eq!(order.enter(MsgId::from(3)), 2);
    }
}
