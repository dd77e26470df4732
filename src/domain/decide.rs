//! decide: under construction.
