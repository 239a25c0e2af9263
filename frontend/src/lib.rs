//! Hydrates the pages.
