/// How far a call came that ended with a [`Status`](super::Status): what decides whether the call may be made again.
///
/// It is set where the status is made, by whoever knows; a [`Status`](super::Status) that a handler or a layer makes is
/// [`Answered`](Self::Answered).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Disposition {
    /// The handler answered, and this is its answer.
    Answered,
    /// The peer refused the call before it reached a handler: it is overloaded, drains, or has no such method.
    Rejected,
    /// The call never left this process, or not to its last byte.
    NotSent,
    /// The call left, and nobody knows whether it has run: the connection was lost, or no answer came in time.
    MayHaveRun,
    /// The call left, and then what carried its connection here ended, such as a runtime that was shut down: nobody knows
    /// whether it has run, and its peer is not to blame.
    Interrupted,
    /// The call answered with items, and ended behind some of them.
    EndedAfterItems,
}

impl Disposition {
    /// All dispositions.
    pub const ALL: [Self; 6] = [
        Self::Answered,
        Self::Rejected,
        Self::NotSent,
        Self::MayHaveRun,
        Self::Interrupted,
        Self::EndedAfterItems,
    ];

    /// Whether the call provably never reached its handler.
    pub fn never_ran(self) -> bool {
        matches!(self, Self::Rejected | Self::NotSent)
    }
}
