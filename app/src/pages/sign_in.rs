//! The door: name and password. A plain form; it works without JavaScript and with a password manager.

mod count_down;
#[cfg(feature = "ssr")]
mod page;

#[cfg(feature = "ssr")]
pub use self::page::SignInPage;
