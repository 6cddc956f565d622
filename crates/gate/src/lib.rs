//! The bulk plane.
