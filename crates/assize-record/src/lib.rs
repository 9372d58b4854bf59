//! Trees and assessments outside of the service's memory: what a reporter writes is read into the domain's tree, and an
//! assessment becomes a compact, versioned record without text, in bytes or as JSON, and back, bit for bit.
//!
//! What is absent here: files, clocks, models, values of a community. Readers and writers are given.
