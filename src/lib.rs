//! vouchsafe: privacy policies that run.
//!
//! A policy document is the program: its prose is what people read, its rule blocks are what this service keeps. Around
//! it stand a vault in which everything is sealed under its owner's own key, an editing pipeline that can only do what
//! the document allows, a workflow for every right a person has, and a ledger with which a stranger can check that each
//! promise was kept. `docs/ARCHITECTURE.md` has the picture of the rooms.

// The state machines of whole requests lie within one another; the layout of the outermost is computed at once.
#![recursion_limit = "256"]

pub mod app;
pub mod archive;
pub mod audit;
pub mod backup;
pub mod billing;
pub mod blobs;
pub mod cli;
pub mod config;
pub mod consent;
pub mod crypto;
pub mod disclosure;
pub mod drp;
pub mod edge;
pub mod editing;
pub mod egress;
pub mod elsewhere;
pub mod fakes;
pub mod http;
pub mod imports;
pub mod intake;
pub mod jobs;
pub mod keystore;
pub mod ledger;
pub mod mail;
pub mod policy;
pub mod providers;
pub mod publication;
pub mod recipients;
pub mod requests;
pub mod retention;
pub mod seals;
pub mod speech;
pub mod store;
pub mod subjects;
pub mod training;
pub mod vault;
pub mod web;
pub mod webhooks;

pub use vouchsafe_base as base;
pub use vouchsafe_imaging as imaging;
