//! issue: under construction.
