//! Who looks at the page: told by the server with the page itself, so that what a role may not do is shown disabled at
//! once. It decides nothing: the server looks at the role again whenever something is asked for.

use leptos::prelude::*;
use rollback_types::Role;
use serde::{Deserialize, Serialize};

/// Who is signed in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// The name.
    pub name: String,
    /// What they may do.
    pub role: Role,
}

/// Who is signed in, if anybody is: on the server the request's actor, in the browser what the page says of it.
pub fn account() -> Option<Account> {
    of_request()
}

#[cfg(feature = "ssr")]
pub(crate) fn of_request() -> Option<Account> {
    use_context::<rollback::Actor>().map(|actor| Account { name: actor.name().to_owned(), role: actor.role() })
}

#[cfg(all(feature = "hydrate", not(feature = "ssr")))]
fn of_request() -> Option<Account> {
    let page = document().document_element()?;
    let role = Role::parse(&page.get_attribute("data-role")?)?;
    Some(Account { name: page.get_attribute("data-account")?, role })
}

#[cfg(not(any(feature = "ssr", feature = "hydrate")))]
fn of_request() -> Option<Account> {
    None
}

/// The reader's role is this one, or may do more. Nobody may do nothing.
pub fn may(least: Role) -> bool {
    account().is_some_and(|account| account.role.covers(least))
}

/// What a role may do, in words.
pub fn in_words(role: Role) -> &'static str {
    match role {
        Role::Viewer => "sees versions, runs and backups, starts nothing",
        Role::Operator => "also starts and decides",
        Role::Administrator => "also disaster recovery, people and audit",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(feature = "ssr")]
    #[test]
    fn who_is_not_known_may_nothing() {
        Owner::new().with(|| {
            assert!(!may(Role::Viewer));
            provide_context(rollback::Actor::new("ada", Role::Operator));
            assert!(may(Role::Viewer) && may(Role::Operator) && !may(Role::Administrator));
        });
    }
}
