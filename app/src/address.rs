//! Reads the page's address. The router decodes parameters twice, so an id such as `100%25` would become another one;
//! here every part is decoded exactly once.

#[cfg(feature = "ssr")]
use leptos::prelude::*;
#[cfg(feature = "ssr")]
use leptos_router::hooks::use_location;

/// Percent-decodes once; bytes that are no UTF-8 become U+FFFD, and a `%` that begins no code stays.
pub fn decode(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut i = 0;
    while i < bytes.len() {
        let code = (bytes[i] == b'%').then(|| bytes.get(i + 1..i + 3)).flatten().and_then(hex_pair);
        out.push(code.unwrap_or(bytes[i]));
        i += if code.is_some() { 3 } else { 1 };
    }
    String::from_utf8_lossy(&out).into_owned()
}

fn hex_pair(pair: &[u8]) -> Option<u8> {
    let digit = |b: u8| char::from(b).to_digit(16).and_then(|d| u8::try_from(d).ok());
    Some(digit(*pair.first()?)? * 16 + digit(*pair.get(1)?)?)
}

/// The pairs of a query, with or without its `?`; `+` is a space, as forms write it.
pub fn pairs(search: &str) -> impl Iterator<Item = (String, String)> {
    search.trim_start_matches('?').split('&').filter(|pair| !pair.is_empty()).map(|pair| {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        (decode(&key.replace('+', " ")), decode(&value.replace('+', " ")))
    })
}

/// The version a path is about: `/versions/{id}` and everything below.
pub fn version_id(path: &str) -> Option<String> {
    segment(path, "/versions/")
}

/// The segment after `before`, decoded.
fn segment(path: &str, before: &str) -> Option<String> {
    let segment = path.strip_prefix(before)?.split('/').next()?;
    (!segment.is_empty()).then(|| decode(segment))
}

/// The version the page is about; empty when the address names none.
#[cfg(feature = "ssr")]
pub fn use_version_id() -> Memo<String> {
    let path = use_location().pathname;
    Memo::new(move |_| path.with(|p| version_id(p).unwrap_or_default()))
}

/// The backup that `/restore/{source}` names; empty when the address names none.
#[cfg(feature = "ssr")]
pub fn use_restore_source() -> Memo<String> {
    let path = use_location().pathname;
    Memo::new(move |_| path.with(|p| segment(p, "/restore/").unwrap_or_default()))
}

/// The address of the page itself, as it leads back here: path and query.
pub fn here() -> String {
    #[cfg(feature = "ssr")]
    let here = use_context::<leptos_router::location::RequestUrl>().map(|url| url.as_ref().to_owned());
    #[cfg(all(feature = "hydrate", not(feature = "ssr")))]
    let here = {
        let location = leptos::prelude::window().location();
        location.pathname().ok().zip(location.search().ok()).map(|(path, search)| path + &search)
    };
    #[cfg(not(any(feature = "ssr", feature = "hydrate")))]
    let here = None;
    here.unwrap_or_else(|| "/".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format;

    #[test]
    fn what_was_encoded_is_decoded_once() {
        for id in ["100%25", "50% done", "a/b?c#d", "日本 語", "ctl\0\n", "%", "%zz", "..%2F"] {
            let path = format::version_path(id).unwrap();
            assert_eq!(version_id(&path).as_deref(), Some(id));
            assert_eq!(version_id(&format!("{path}/plan")).as_deref(), Some(id));
        }
        assert_eq!(version_id("/versions"), None);
        assert_eq!(version_id("/versions/"), None);
        assert_eq!(segment("/restore/latest-copy", "/restore/").as_deref(), Some("latest-copy"));
        assert_eq!(segment("/restore/v1%5Fbaseline/", "/restore/").as_deref(), Some("v1_baseline"));
        assert_eq!(decode("%ff%"), "\u{fffd}%");
    }

    #[test]
    fn queries_are_read_as_forms_write_them() {
        let read: Vec<_> = pairs("?q=a+b%2B&status=%25&status=&x").collect();
        let pair = |k: &str, v: &str| (k.to_owned(), v.to_owned());
        assert_eq!(read, [pair("q", "a b+"), pair("status", "%"), pair("status", ""), pair("x", "")]);
        assert_eq!(pairs("").count(), 0);
    }
}
