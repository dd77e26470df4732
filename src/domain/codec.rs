//! codec: under construction.
