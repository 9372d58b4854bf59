//! The fit from inside: the solver against slower ways to the same answer, and the ladder on features alone.

mod ladder;
mod solver;
