//! merkle: under construction.
