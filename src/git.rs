//! git: under construction.
