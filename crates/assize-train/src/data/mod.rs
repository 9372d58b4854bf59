//! From files of labelled rows to the examples of an epoch. First step of `assize-train`; never reads a benchmark,
//! never shows a text.

mod annotations;
mod augment;
mod config;
mod corpus;
mod error;
mod example;
mod labelled;
mod noise;
mod rows;
mod slots;
mod tactics;
mod trees;

pub use config::{Assume, AugmentConfig, DataConfig, LabelName, SetConfig};
pub use corpus::{Corpus, SetInfo};
pub use error::DataError;
pub use example::{Example, Labels, Leaf, Tree};

#[cfg(test)]
mod tests;
