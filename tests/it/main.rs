//! The whole service over real sockets with its real model: what clients, operators and attackers see.
//!
//! One subject a file. `support` starts services and speaks to them; read-only tests share one service.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests: a panic is a failed test"
)]

mod access;
mod canary;
mod cli;
mod commands;
mod computing;
mod contract;
mod conversations;
mod guard;
mod guard_elsewhere;
mod hang_up;
mod histories;
mod hostile_bodies;
mod hostile_text;
mod ids;
mod metrics;
mod overload;
mod reload;
mod reporter;
mod shipped;
mod slow_clients;
mod stop;
mod support;
mod values;
