//! state: under construction.
