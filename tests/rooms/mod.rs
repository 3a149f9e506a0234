mod keystore;
mod schema;
mod shape;
mod sql;
mod store;
//! Tests of single rooms through their public verbs.
#![cfg(test)]

mod blobs_bucket;
mod blobs_contract;
mod blobs_faults;
mod blobs_s3;
