//! The headers that every answer carries.

use axum::http::{HeaderMap, HeaderName, HeaderValue, header};

/// What anything but a page may do in a browser: nothing.
const NO_PAGE: &str = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";
/// A year: who came by HTTPS once, comes by it from then on, to names below this one as well.
const HSTS: &str = "max-age=31536000; includeSubDomains";

/// The policy of a page. Its scripts carry the nonce, and what they load is theirs to answer for.
pub fn page_policy(nonce: &str) -> String {
    format!(
        "default-src 'none'; script-src 'nonce-{nonce}' 'strict-dynamic' 'wasm-unsafe-eval'; style-src 'self'; \
         img-src 'self' data:; font-src 'self'; connect-src 'self'; manifest-src 'self'; form-action 'self'; \
         base-uri 'none'; frame-ancestors 'none'; object-src 'none'"
    )
}

/// Sets them. What an answer says about itself already (a file's caching, a page's policy) stays.
pub fn complete(headers: &mut HeaderMap, https: bool, path: &str) {
    for (name, value) in [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "same-origin"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
        (
            HeaderName::from_static("permissions-policy"),
            "camera=(), geolocation=(), microphone=(), payment=(), usb=(), clipboard-write=(self)",
        ),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if https {
        headers.insert(header::STRICT_TRANSPORT_SECURITY, HeaderValue::from_static(HSTS));
    }
    headers.entry(header::CONTENT_SECURITY_POLICY).or_insert(HeaderValue::from_static(NO_PAGE));
    // Whoever is led to an address of the API by a strange page gets a file, and no page of ours with strange content.
    let is_json = headers.get(header::CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().ends_with(b"json"));
    if is_json && path.starts_with("/api/") {
        headers
            .entry(header::CONTENT_DISPOSITION)
            .or_insert(HeaderValue::from_static("attachment; filename=\"api.json\""));
    }
    // Only files, which are the same for everybody, say that they may be kept.
    let keeps = headers.get(header::CACHE_CONTROL).is_some_and(|v| v.as_bytes().starts_with(b"public"));
    if !keeps {
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
}
