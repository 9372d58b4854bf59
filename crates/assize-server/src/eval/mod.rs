//! Measures the model on labelled data.
