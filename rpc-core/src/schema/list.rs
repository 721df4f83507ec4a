use std::ops::Deref;

/// A list that is part of the program, or one that was made at run time.
#[derive(Debug)]
pub(super) enum List<T: 'static> {
    Static(&'static [T]),
    Owned(Box<[T]>),
}

impl<T> Deref for List<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        match self {
            Self::Static(list) => list,
            Self::Owned(list) => list,
        }
    }
}
