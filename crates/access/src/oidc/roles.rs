//! From a provider's claim to a role.

use std::collections::BTreeMap;

use rollback_types::Role;
use serde_json::{Map, Value};

/// The greatest role that any value of the claim stands for. The claim is found by its whole name, or by a path with
/// dots, such as `realm_access.roles`; it is a text or a list of texts.
pub(super) fn role_of(claims: &Map<String, Value>, claim: &str, roles: &BTreeMap<String, Role>) -> Option<Role> {
    let by_path = || {
        let mut names = claim.split('.');
        let first = claims.get(names.next()?)?;
        names.try_fold(first, |value, name| value.get(name))
    };
    let values = match claims.get(claim).or_else(by_path)? {
        Value::Array(values) => values.as_slice(),
        one => std::slice::from_ref(one),
    };
    values.iter().filter_map(|value| roles.get(value.as_str()?)).max().copied()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_greatest_role_of_a_claim_counts() {
        let roles = BTreeMap::from([
            ("ops".to_owned(), Role::Operator),
            ("all".to_owned(), Role::Viewer),
            ("adm".to_owned(), Role::Administrator),
        ]);
        let of = |claims: Value, claim: &str| role_of(claims.as_object().unwrap(), claim, &roles);
        assert_eq!(of(json!({"groups": ["all", "ops", "x"]}), "groups"), Some(Role::Operator));
        assert_eq!(of(json!({"role": "adm"}), "role"), Some(Role::Administrator));
        assert_eq!(of(json!({"https://x.example/r": "all"}), "https://x.example/r"), Some(Role::Viewer));
        assert_eq!(of(json!({"realm_access": {"roles": ["ops"]}}), "realm_access.roles"), Some(Role::Operator));
        for nothing in [
            json!({}),
            json!({"groups": []}),
            json!({"groups": "ADM"}),
            json!({"groups": [1, null, ["adm"]]}),
            json!({"groups": {"adm": true}}),
        ] {
            assert_eq!(of(nothing.clone(), "groups"), None, "{nothing}");
        }
    }
}
