//! Explanations: sentences, counterfactuals, the tree as data and as a picture.

mod counterfactuals;
mod picture;
mod reasons;
pub(crate) mod scenes;
mod view;
