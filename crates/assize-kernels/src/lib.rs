//! Linear layers `x W^T + b` over weights that are packed once, in f32, bf16 and int8, for the instructions that this
//! processor has, and self-attention beside int8. The only crate of the workspace with unsafe code: in `product`, `attention`
//! and two markers in `lines`.
//!
//! ```text
//! Kernel::fastest(Precision::Int8)       which instructions; None where the processor has none for it
//! Linear::pack(kernel, weight, bias)     once, at load: weights in the order in which the kernel reads them
//! Rows::fill(x)                          activations in the kernel's number type (int8: one scale for each row)
//! Linear::forward(&rows, out, into)      products, scales, bias, residual: one pass over the output
//! ```
//!
//! # Numbers
//! int8: activations as unsigned bytes from the row's (token's) lowest number to its highest, found when they are filled;
//! weights as signed bytes in ±127 with one scale for each output; sums in 32 bits, exact. bf16: both sides rounded to
//! nearest even, sums in f32. A row's result depends on nothing but the row: not on its place, its batch, or the threads.
//! A row with a number that is not finite gives NaN.
//!
//! Here is no model, no thread, no allocation after packing but the growth of [`Rows`] and [`Attention`].

mod attention;
mod kernel;
mod linear;
mod lines;
mod product;
mod quantise;
mod rows;
#[cfg(test)]
mod samples;

pub use attention::Attention;
pub use kernel::{Kernel, Precision};
pub use linear::{Into, Linear, ShapeError};
pub use rows::Rows;
