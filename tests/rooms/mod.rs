mod keystore;
mod ledger;
mod schema;
mod shape;
mod sql;
mod store;
