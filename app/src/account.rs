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

/// The page's reader; nobody on the pages that need no sign-in.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Reader(Option<Account>);

/// Puts the reader into the context: on the server the request's actor, in the browser what the server said of it.
pub fn provide_account() {
    let account = SharedValue::new(of_request).into_inner();
    provide_context(Reader(account));
}

#[cfg(feature = "ssr")]
fn of_request() -> Option<Account> {
    use_context::<rollback::Actor>().map(|actor| Account { name: actor.name().to_owned(), role: actor.role() })
}

#[cfg(not(feature = "ssr"))]
fn of_request() -> Option<Account> {
    None
}

/// Who is signed in, if anybody is.
pub fn account() -> Option<Account> {
    use_context::<Reader>().and_then(|reader| reader.0)
}

/// The reader's role is this one, or may do more. Nobody may do nothing.
pub fn may(least: Role) -> bool {
    account().is_some_and(|account| account.role.covers(least))
}

/// What a role may do, in words.
pub fn in_words(role: Role) -> &'static str {
    match role {
        Role::Viewer => "sees everything, starts nothing",
        Role::Operator => "also starts and decides",
        Role::Administrator => "also disaster recovery, people and audit",
    }
}

/// The answer says that nobody is signed in any more: the page is asked for anew, and the server leads to the door and
/// from there back here.
#[cfg(feature = "hydrate")]
pub fn leave_if_signed_out(problem: &rollback_types::Problem) {
    if problem.kind == rollback_types::ProblemKind::SignInRequired {
        // Refused by no browser for the page's own address.
        let _reloading = window().location().reload();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_not_known_may_nothing() {
        Owner::new().with(|| {
            assert!(!may(Role::Viewer));
            provide_context(Reader(Some(Account { name: "ada".into(), role: Role::Operator })));
            assert!(may(Role::Viewer) && may(Role::Operator) && !may(Role::Administrator));
        });
    }
}
