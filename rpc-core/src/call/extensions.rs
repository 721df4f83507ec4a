use std::{any::Any, fmt, sync::Arc};

/// Typed values that layers attach to a call for other layers and for the handler, one value per type. Extensions never
/// leave the process. Cheap to clone; changing a clone does not change the original.
///
/// Extensions that a server layer inserts into a request are available to the handler in
/// [`Context::extensions`](super::Context::extensions), and in the requests of the calls that the handler makes.
///
/// ```
/// use doge_rpc_core::call::Extensions;
///
/// #[derive(Clone, Debug, PartialEq)]
/// struct User(String);
///
/// let mut extensions = Extensions::default();
/// extensions.insert(User("ada".into()));
/// assert_eq!(extensions.get::<User>(), Some(&User("ada".into())));
/// ```
#[derive(Clone, Default)]
pub struct Extensions(Option<Arc<http::Extensions>>);

impl Extensions {
    pub(crate) const fn none() -> Self {
        Self(None)
    }

    /// Adds a value, and returns the value of the same type that was there before.
    pub fn insert<T: Any + Clone + Send + Sync>(&mut self, value: T) -> Option<T> {
        Arc::make_mut(self.0.get_or_insert_default()).insert(value)
    }

    /// The value of this type.
    pub fn get<T: Any + Send + Sync>(&self) -> Option<&T> {
        self.0.as_ref()?.get()
    }

    /// Removes and returns the value of this type.
    pub fn remove<T: Any + Clone + Send + Sync>(&mut self) -> Option<T> {
        self.get::<T>()?;
        Arc::make_mut(self.0.as_mut()?).remove()
    }

    /// The number of values.
    pub fn len(&self) -> usize {
        self.0.as_ref().map_or(0, |values| values.len())
    }

    /// Whether there are no values.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Adds the values of `others`, except where a value of the same type is there already.
    pub(crate) fn inherit(&mut self, others: &Self) {
        match (&mut self.0, &others.0) {
            (_, None) => {}
            (None, Some(_)) => self.0.clone_from(&others.0),
            (Some(own), Some(others)) => {
                let mut merged = (**others).clone();
                merged.extend((**own).clone());
                *own = Arc::new(merged);
            }
        }
    }
}

impl fmt::Debug for Extensions {
    /// The values may be secrets, so only their number is shown.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Extensions({})", self.len())
    }
}

#[cfg(test)]
mod tests {
    use super::Extensions;

    #[test]
    fn a_clone_that_is_changed_leaves_the_original_as_it_is() {
        let mut original = Extensions::default();
        assert!(original.is_empty());
        original.insert(7_u8);
        let mut clone = original.clone();
        assert_eq!(clone.insert(8_u8), Some(7));
        clone.insert("more");
        assert_eq!((original.get(), original.len()), (Some(&7_u8), 1));
        assert_eq!(clone.remove::<u8>(), Some(8));
        assert_eq!(clone.remove::<u8>(), None);
    }

    #[test]
    fn own_values_win_over_inherited_values() {
        let (mut own, mut outer) = (Extensions::default(), Extensions::default());
        outer.insert(1_u8);
        outer.insert("outer");
        own.inherit(&outer);
        assert_eq!(own.get(), Some(&1_u8));
        own.insert(2_u8);
        own.inherit(&outer);
        assert_eq!((own.get(), own.get()), (Some(&2_u8), Some(&"outer")));
    }
}
