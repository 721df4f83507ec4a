use std::borrow::Cow;

/// An argument of a method.
#[derive(Clone, Debug)]
pub struct ArgumentSchema {
    name: Cow<'static, str>,
    ty: Cow<'static, str>,
    optional: bool,
}

impl ArgumentSchema {
    /// An argument of this name and type.
    pub const fn new(name: &'static str, ty: &'static str) -> Self {
        Self {
            name: Cow::Borrowed(name),
            ty: Cow::Borrowed(ty),
            optional: false,
        }
    }

    /// An argument whose name and type are learnt at run time.
    pub fn learnt(name: impl Into<Cow<'static, str>>, ty: impl Into<Cow<'static, str>>) -> Self {
        Self {
            name: name.into(),
            ty: ty.into(),
            optional: false,
        }
    }

    /// Says that callers may leave it out.
    #[must_use]
    pub const fn with_default(mut self) -> Self {
        self.optional = true;
        self
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its type, as the trait spells it.
    pub fn ty(&self) -> &str {
        &self.ty
    }

    /// Whether callers may leave it out.
    pub fn optional(&self) -> bool {
        self.optional
    }
}
