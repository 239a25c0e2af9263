//! The rule of every address: who may ask for it at least.
//!
//! A route is made together with its rule, so that none can be without; an address that has none is refused.

use std::collections::BTreeMap;

use axum::Router;
use axum::handler::Handler;
use axum::http::Method;
use axum::routing::{MethodFilter, on};
use rollback_types::Role;

use super::functions;
use crate::state::AppState;

/// Who may ask for an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// Anybody, signed in or not.
    Public,
    /// Whoever is signed in with this role or a higher one.
    AtLeast(Role),
}

/// For those who see.
pub const VIEWER: Rule = Rule::AtLeast(Role::Viewer);
/// For those who plan, start and decide.
pub const OPERATOR: Rule = Rule::AtLeast(Role::Operator);
/// For those who administer.
pub const ADMINISTRATOR: Rule = Rule::AtLeast(Role::Administrator);

/// The route of all server functions; their own rules are in [`functions`].
pub const FUNCTIONS_ROUTE: &str = "/rpc/{*function}";

/// The rules by path, as the router writes it, and method.
#[derive(Clone, Debug, Default)]
pub struct Rules(BTreeMap<String, Vec<(Method, Rule)>>);

/// What the rules say about one request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// There is a rule.
    Rule(Rule),
    /// The path takes other methods.
    WrongMethod(Vec<Method>),
    /// A route, or a server function, without a rule.
    NoRule,
    /// No route at all: a file, or nothing.
    NoRoute,
}

impl Rules {
    /// What holds for a request; `route` is the path of the route that the router chose.
    pub fn of(&self, method: &Method, route: Option<&str>, path: &str) -> Verdict {
        let Some(route) = route else { return Verdict::NoRoute };
        if route == FUNCTIONS_ROUTE {
            let Some(rule) = functions::rule(path) else { return Verdict::NoRule };
            let methods = functions::methods(path);
            return if methods.contains(method) { Verdict::Rule(rule) } else { Verdict::WrongMethod(methods) };
        }
        let Some(methods) = self.0.get(route) else { return Verdict::NoRule };
        // A HEAD is answered by the handler of GET.
        let method = if *method == Method::HEAD { &Method::GET } else { method };
        match methods.iter().find(|(m, _)| m == method) {
            Some((_, rule)) => Verdict::Rule(*rule),
            None => Verdict::WrongMethod(methods.iter().map(|(m, _)| m.clone()).collect()),
        }
    }

    /// Every route with its rule, but for the server functions.
    pub fn all(&self) -> impl Iterator<Item = (&Method, &str, Rule)> {
        self.0.iter().flat_map(|(path, methods)| methods.iter().map(move |(m, rule)| (m, path.as_str(), *rule)))
    }
}

/// A router whose routes each have a rule.
#[derive(Debug, Default)]
pub struct Guarded {
    router: Router<AppState>,
    rules: Rules,
}

impl Guarded {
    /// A route that reads.
    #[must_use]
    pub fn get<H: Handler<T, AppState>, T: 'static>(self, path: &str, rule: Rule, handler: H) -> Self {
        self.route((Method::GET, MethodFilter::GET), path, rule, handler)
    }

    /// A route that acts.
    #[must_use]
    pub fn post<H: Handler<T, AppState>, T: 'static>(self, path: &str, rule: Rule, handler: H) -> Self {
        self.route((Method::POST, MethodFilter::POST), path, rule, handler)
    }

    /// A route that removes.
    #[must_use]
    pub fn delete<H: Handler<T, AppState>, T: 'static>(self, path: &str, rule: Rule, handler: H) -> Self {
        self.route((Method::DELETE, MethodFilter::DELETE), path, rule, handler)
    }

    /// The route of the server functions, each of which has its rule in a table of its own.
    #[must_use]
    pub fn functions<H: Handler<T, AppState>, T: 'static>(mut self, handler: H) -> Self {
        self.router = self.router.route(FUNCTIONS_ROUTE, axum::routing::any(handler));
        self
    }

    fn route<H, T>(mut self, method: (Method, MethodFilter), path: &str, rule: Rule, handler: H) -> Self
    where
        H: Handler<T, AppState>,
        T: 'static,
    {
        self.router = self.router.route(path, on(method.1, handler));
        self.rules.0.entry(path.to_owned()).or_default().push((method.0, rule));
        self
    }

    /// The router and its rules.
    pub fn into_parts(self) -> (Router<AppState>, Rules) {
        (self.router, self.rules)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn nothing() {}

    fn rules() -> Rules {
        Guarded::default().get("/a/{id}", VIEWER, nothing).post("/a/{id}", OPERATOR, nothing).into_parts().1
    }

    #[test]
    fn a_rule_belongs_to_path_and_method() {
        let rules = rules();
        let of = |method, route| rules.of(&method, Some(route), "/a/1");
        assert_eq!(of(Method::GET, "/a/{id}"), Verdict::Rule(VIEWER));
        assert_eq!(of(Method::HEAD, "/a/{id}"), Verdict::Rule(VIEWER));
        assert_eq!(of(Method::POST, "/a/{id}"), Verdict::Rule(OPERATOR));
        assert_eq!(of(Method::DELETE, "/a/{id}"), Verdict::WrongMethod(vec![Method::GET, Method::POST]));
    }

    #[test]
    fn what_has_no_rule_is_known_as_such() {
        assert_eq!(rules().of(&Method::GET, Some("/b"), "/b"), Verdict::NoRule);
        assert_eq!(rules().of(&Method::GET, None, "/b"), Verdict::NoRoute);
        assert_eq!(rules().of(&Method::POST, Some(FUNCTIONS_ROUTE), "/rpc/none-of-ours"), Verdict::NoRule);
    }
}
