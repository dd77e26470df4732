//! sign: under construction.
