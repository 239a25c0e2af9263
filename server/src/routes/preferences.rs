//! What a reader prefers, remembered by the browser: nothing here is anybody's secret, and nothing decides.

use app::pages::versions::columns::{COOKIE, Optional};
use axum::body::Bytes;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::Response;

use crate::access::refusal::see_other;
use crate::own_pages::came_from;

/// A year.
const REMEMBERED_SECONDS: u32 = 365 * 24 * 3_600;
/// Where the choice is made.
const LIST: &str = "/versions";

/// Remembers which columns the list of versions has, and leads back to it.
pub async fn columns(headers: HeaderMap, body: Bytes) -> Response {
    let mut response = see_other(&list_of(&headers));
    let text =
        format!("{COOKIE}={}; Path=/; Max-Age={REMEMBERED_SECONDS}; Secure; HttpOnly; SameSite=Strict", chosen(&body));
    // Words of ours and dots are legal in any header.
    if let Ok(cookie) = HeaderValue::from_str(&text) {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    response
}

/// The known columns of the form, as the cookie has them.
fn chosen(body: &[u8]) -> String {
    let fields = form_urlencoded::parse(body).filter(|(field, _)| field == "column");
    let columns: Vec<Optional> = fields.filter_map(|(_, word)| Optional::parse(&word)).collect();
    let known = Optional::ALL.into_iter().filter(|column| columns.contains(column));
    known.map(Optional::as_str).collect::<Vec<_>>().join(".")
}

/// The list as the browser showed it, with its filters; never another address.
fn list_of(headers: &HeaderMap) -> String {
    let page = came_from(headers).filter(|page| page.split('?').next() == Some(LIST));
    page.unwrap_or_else(|| LIST.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(referer: &str) -> HeaderMap {
        HeaderMap::from_iter([
            (header::REFERER, HeaderValue::from_str(referer).unwrap()),
            (header::HOST, HeaderValue::from_static("a.example")),
        ])
    }

    #[test]
    fn only_known_columns_are_remembered() {
        assert_eq!(chosen(b"column=made&column=chapters&column=%0d%0aSet-Cookie:x&other=changed"), "chapters.made");
        assert_eq!(chosen(b""), "");
    }

    #[test]
    fn it_leads_back_to_the_list_and_nowhere_else() {
        assert_eq!(list_of(&with("https://a.example/versions?status=failed")), "/versions?status=failed");
        assert_eq!(list_of(&with("https://a.example/runs?x=1")), "/versions");
        assert_eq!(list_of(&with("//evil.example/versions")), "/versions");
        assert_eq!(list_of(&HeaderMap::new()), "/versions");
    }
}
