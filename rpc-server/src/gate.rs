use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

/// How many of something there may be at once.
#[derive(Clone, Debug)]
pub(crate) struct Gate {
    inside: Arc<AtomicUsize>,
    most: usize,
}

impl Gate {
    pub(crate) fn new(most: usize) -> Self {
        Self {
            inside: Arc::default(),
            most,
        }
    }

    /// Whether [`enter`](Self::enter) would be refused now.
    pub(crate) fn is_full(&self) -> bool {
        self.inside.load(Ordering::Relaxed) >= self.most
    }

    /// Enters, unless it is full.
    pub(crate) fn enter(&self) -> Option<Pass> {
        let pass = Pass(Arc::clone(&self.inside));
        (self.inside.fetch_add(1, Ordering::Relaxed) < self.most).then_some(pass)
    }

    /// How many are inside now.
    pub(crate) fn inside(&self) -> usize {
        self.inside.load(Ordering::Relaxed)
    }

    pub(crate) fn most(&self) -> usize {
        self.most
    }
}

/// Leaves when dropped.
#[derive(Debug)]
pub(crate) struct Pass(Arc<AtomicUsize>);

impl Drop for Pass {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::Gate;

    #[test]
    fn no_more_than_the_most_are_inside() {
        let gate = Gate::new(2);
        let (one, two) = (gate.enter(), gate.enter());
        assert!(one.is_some() && two.is_some());
        assert!(gate.is_full());
        assert!(gate.enter().is_none());
        drop(one);
        assert!(!gate.is_full());
        assert!(gate.enter().is_some());
    }
}
