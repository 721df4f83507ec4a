/// Whether the meta map is the first parameter of each call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meta {
    /// As doge from its repository has it.
    First,
    /// As plain mprpc, the published dogerpc and neovim have it.
    Absent,
}

impl Meta {
    /// Both.
    pub const BOTH: [Self; 2] = [Self::First, Self::Absent];

    /// The scheme of addresses where it is like this.
    pub fn scheme(self) -> &'static str {
        match self {
            Self::First => "doge",
            Self::Absent => "msgpack-rpc",
        }
    }

    /// The option of the scripts.
    pub(crate) fn option(self) -> &'static str {
        match self {
            Self::First => "--meta",
            Self::Absent => "--no-meta",
        }
    }
}
