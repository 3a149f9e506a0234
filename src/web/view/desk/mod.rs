//! The desk: what staff see. Denser than a person's pages, of the same mind.

mod factor;
mod mandates;
mod promise;
mod register;
mod retention;
mod work;

pub use factor::*;
pub use mandates::*;
pub use promise::*;
pub use register::*;
pub use retention::*;
pub use work::*;
