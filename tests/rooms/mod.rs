mod keystore;
mod schema;
mod shape;
mod sql;
mod store;
