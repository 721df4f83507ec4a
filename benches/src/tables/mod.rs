//! The results as Markdown.

mod closed;
mod contenders;
mod costs;
mod markdown;
mod picking;
mod work;

pub use self::{
    closed::{details, ratios},
    contenders::contenders,
    costs::costs,
    picking::picking,
    work::{chain, mixed, open},
};
