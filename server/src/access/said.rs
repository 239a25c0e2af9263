//! What an acting request says about itself, for the audit: its subject, the digest and the reason. Nothing else of it is
//! looked at, least of all a password.

use axum::http::HeaderMap;
use serde_json::Value;

use super::media::Media;

/// The audit keeps no more of each.
const MOST: usize = 1_000;

/// What a request is about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Said {
    /// A version, a run, a backup, a user or a token.
    pub subject: Option<String>,
    /// The plan that was seen.
    pub digest: Option<String>,
    /// Why.
    pub reason: Option<String>,
}

impl Said {
    /// Of a request's path parameters and body.
    pub fn of<'a>(path: impl Iterator<Item = (&'a str, &'a str)>, headers: &HeaderMap, body: &[u8]) -> Self {
        let members = match Media::of(headers) {
            Some(Media::Form) => of_form(body),
            Some(Media::Json) => of_json(body),
            None => Vec::new(),
        };
        let named = |names: &[&str]| {
            names.iter().find_map(|name| members.iter().find(|(key, _)| key == name)).map(|(_, value)| value.clone())
        };
        let in_path: Vec<&str> = path
            .filter(|(key, _)| matches!(*key, "id" | "name" | "version" | "kind" | "digest"))
            .map(|(_, value)| value)
            .collect();
        let subject = if in_path.is_empty() {
            named(&["version_id", "subject", "run", "user", "name", "id", "token", "plan_digest"])
        } else {
            Some(in_path.join("/"))
        };
        Self {
            // A whole token that somebody pasted where its name belongs is cut to its id.
            subject: subject
                .map(|s| access::without_secret(&s).unwrap_or(s))
                .map(|s| shortened(with_its_values(s, &members))),
            digest: named(&["plan_digest"]).map(shortened),
            reason: named(&["reason"]).map(shortened),
        }
    }
}

fn of_json(body: &[u8]) -> Vec<(String, String)> {
    let Ok(Value::Object(members)) = serde_json::from_slice(body) else { return Vec::new() };
    let text = |value| match value {
        Value::String(text) => Some(text),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(yes) => Some(yes.to_string()),
        _ => None,
    };
    members.into_iter().filter_map(|(key, value)| Some((key, text(value)?))).collect()
}

fn of_form(body: &[u8]) -> Vec<(String, String)> {
    form_urlencoded::parse(body).into_owned().collect()
}

/// What a request sets, beside what it is about: who reads the audit wants to know which role, on or off, yes or no.
fn with_its_values(subject: String, members: &[(String, String)]) -> String {
    let set: Vec<String> = members
        .iter()
        .filter(|(key, _)| {
            matches!(
                key.as_str(),
                "role" | "disabled" | "enabled" | "days" | "expires_in_s" | "step" | "lane" | "decision" | "approves"
            )
        })
        .map(|(key, value)| format!("{key}: {value}"))
        .collect();
    if set.is_empty() { subject } else { format!("{subject} ({})", set.join(", ")) }
}

fn shortened(text: String) -> String {
    match text.char_indices().nth(MOST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;
    use axum::http::header::CONTENT_TYPE;

    use super::*;

    fn said(path: &[(&str, &str)], kind: &'static str, body: &str) -> Said {
        let headers = HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static(kind))]);
        Said::of(path.iter().copied(), &headers, body.as_bytes())
    }

    fn some(text: &str) -> Option<String> {
        Some(text.to_owned())
    }

    #[test]
    fn a_start_by_json_and_by_form_says_the_same() {
        let expected = Said { subject: some("v2"), digest: some("abc"), reason: some("it failed") };
        let json = r#"{"version_id": "v2", "plan_digest": "abc", "reason": "it failed", "restore": []}"#;
        assert_eq!(said(&[], "application/json", json), expected);
        let form = "version_id=v2&plan_digest=abc&reason=it+failed";
        assert_eq!(said(&[], "application/x-www-form-urlencoded", form), expected);
    }

    #[test]
    fn what_is_set_stands_beside_the_subject_and_no_token_does() {
        let body = r#"{"role": "operator", "disabled": true, "password": "correct horse"}"#;
        let kept = said(&[("name", "ann")], "application/json", body).subject.unwrap();
        assert!(
            kept.starts_with("ann (") && kept.contains("role: operator") && kept.contains("disabled: true"),
            "{kept}"
        );
        assert!(!kept.contains("horse"), "{kept}");
        assert_eq!(said(&[("id", "stepback_ab12_0123456789")], "", "").subject, some("stepback_ab12_…"));
    }

    #[test]
    fn the_address_names_the_subject_before_the_body_does() {
        assert_eq!(said(&[("id", "7")], "application/json", r#"{"run": 8}"#).subject, some("7"));
        assert_eq!(said(&[], "application/json", r#"{"run": 8}"#).subject, some("8"));
    }

    #[test]
    fn no_password_is_kept_and_no_nonsense_fails() {
        let form = "name=ann&password=correct+horse&key=secret";
        let kept = said(&[], "application/x-www-form-urlencoded", form);
        assert_eq!(kept, Said { subject: some("ann"), ..Said::default() });
        for (kind, body) in [("application/json", "{"), ("application/json", "[]"), ("text/plain", "reason=x")] {
            assert_eq!(said(&[], kind, body), Said::default());
        }
    }

    #[test]
    fn long_texts_are_cut() {
        let body = format!("reason={}", "ä".repeat(5_000));
        let kept = said(&[], "application/x-www-form-urlencoded; charset=utf-8", &body).reason.unwrap();
        assert_eq!(kept.chars().count(), MOST + 1);
    }
}
