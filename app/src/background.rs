//! How an open page says of its own requests that no person made them: a sign-in does not last the longer for them.

/// The header of what a script asks for by itself.
pub const HEADER: &str = "x-stepback-background";
/// The parameter of the address by which a page without JavaScript loads itself again.
pub const RELOADED: &str = "reloaded";
