//! The place for streams: a body that has items holds what its exchange holds until the items have ended.
