//! certificate: under construction.
