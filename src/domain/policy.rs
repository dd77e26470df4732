//! policy: under construction.
