//! What kind of body a request brings, and which one its address takes: forms for pages, JSON for programs, nothing else.

use axum::http::HeaderMap;
use axum::http::header::CONTENT_TYPE;

/// A kind of body that is read here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Media {
    /// `application/x-www-form-urlencoded`.
    Form,
    /// `application/json`, or a kind of it.
    Json,
}

impl Media {
    /// What the address of something that acts takes.
    pub fn taken_by(path: &str) -> Self {
        if path.starts_with("/api/") { Self::Json } else { Self::Form }
    }

    /// What the request says it brings; absent when it is something else, or not just one.
    pub fn of(headers: &HeaderMap) -> Option<Self> {
        let mut kinds = headers.get_all(CONTENT_TYPE).iter();
        let (Some(kind), None) = (kinds.next(), kinds.next()) else { return None };
        // In any case, with parameters, and with a suffix: as the handlers read it.
        let kind = kind.to_str().ok()?.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        match kind.as_str() {
            "application/x-www-form-urlencoded" => Some(Self::Form),
            "application/json" => Some(Self::Json),
            other if other.starts_with("application/") && other.ends_with("+json") => Some(Self::Json),
            _ => None,
        }
    }

    /// The request brings this, or nothing at all.
    pub fn fits(self, headers: &HeaderMap, body: &[u8]) -> bool {
        let says_nothing = !headers.contains_key(CONTENT_TYPE);
        Self::of(headers) == Some(self) || (says_nothing && body.is_empty())
    }

    /// Its name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Form => "application/x-www-form-urlencoded",
            Self::Json => "application/json",
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn headers(kinds: &[&'static str]) -> HeaderMap {
        kinds.iter().map(|kind| (CONTENT_TYPE, HeaderValue::from_static(kind))).collect()
    }

    #[test]
    fn any_way_of_writing_a_kind_is_read() {
        for kind in ["application/JSON", "application/problem+json", "application/json; charset=utf-8"] {
            assert_eq!(Media::of(&headers(&[kind])), Some(Media::Json), "{kind}");
        }
        let form = "application/x-www-form-urlencoded; charset=utf-8";
        assert_eq!(Media::of(&headers(&[form])), Some(Media::Form));
        for other in [&["text/plain"][..], &["multipart/form-data"], &["text/json"], &[""], &[form, "text/plain"], &[]]
        {
            assert_eq!(Media::of(&headers(other)), None, "{other:?}");
        }
    }

    #[test]
    fn an_address_takes_one_kind_or_nothing() {
        for (path, taken, other) in [
            ("/rpc/start", Media::Form, Media::Json),
            ("/session/sign-in", Media::Form, Media::Json),
            ("/setup", Media::Form, Media::Json),
            ("/api/v1/runs", Media::Json, Media::Form),
        ] {
            assert_eq!(Media::taken_by(path), taken, "{path}");
            assert!(taken.fits(&headers(&[taken.as_str()]), b"x") && taken.fits(&headers(&[]), b""));
            assert!(!taken.fits(&headers(&[other.as_str()]), b"x") && !taken.fits(&headers(&[]), b"x"));
            assert!(!taken.fits(&headers(&["text/plain"]), b""), "a wrong word for nothing is wrong, too");
        }
    }
}
