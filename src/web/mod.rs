//! The pages: what people and staff see, rendered on the server from one stylesheet.
//!
//! Promises: every page works without script, from 360 px up, in a dark theme, in print and read aloud. Must never:
//! hold SQL or a decision, load anything from another host, or put a style or a script inside a page (a paper, which is never served, carries
//! its style).

pub mod assets;
pub mod desk;
mod doors;
mod evidence;
mod fault_page;
mod form;
mod handle;
mod mirror;
mod page;
pub mod paper;
mod router;
mod shape;
mod tongue;
pub mod view;

pub use doors::{Door, doors};
pub use mirror::let_the_audit_see;
pub use router::router;
