//! What callers send.
