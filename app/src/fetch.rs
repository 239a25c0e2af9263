//! Asking the server from within the page.

use serde::de::DeserializeOwned;
use wasm_bindgen::JsCast as _;
use wasm_bindgen_futures::JsFuture;
use web_sys::{Headers, RequestInit, Response};

/// There is no answer to show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unanswered {
    /// Nobody is signed in any more.
    SignedOut,
    /// What was asked for is not there, or not in this state any more.
    Gone,
    /// The server answered that it will not, or something that cannot be read.
    Refused,
    /// No answer came.
    Unreachable,
}

/// Who wants the answer.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Asks {
    Person,
    /// The page itself, to stay true. It keeps nobody signed in.
    Page,
}

async fn get(address: &str, accept: &str, asks: Asks) -> Result<Response, Unanswered> {
    let request = RequestInit::new();
    let headers = Headers::new().map_err(|_| Unanswered::Unreachable)?;
    headers.set("accept", accept).map_err(|_| Unanswered::Unreachable)?;
    if asks == Asks::Page {
        headers.set(crate::background::HEADER, "1").map_err(|_| Unanswered::Unreachable)?;
    }
    request.set_headers(&headers);
    let answer = JsFuture::from(leptos::prelude::window().fetch_with_str_and_init(address, &request));
    let response: Response =
        answer.await.ok().and_then(|value| value.dyn_into().ok()).ok_or(Unanswered::Unreachable)?;
    match response.status() {
        401 => Err(Unanswered::SignedOut),
        // Pages lead to the door instead.
        _ if response.redirected() && response.url().contains("/sign-in") => Err(Unanswered::SignedOut),
        _ if response.ok() => Ok(response),
        404 | 409 => Err(Unanswered::Gone),
        _ => Err(Unanswered::Refused),
    }
}

async fn text(response: Response) -> Result<String, Unanswered> {
    let text = JsFuture::from(response.text().map_err(|_| Unanswered::Refused)?).await;
    text.ok().and_then(|text| text.as_string()).ok_or(Unanswered::Unreachable)
}

/// A page of this server, asked for by the page that is open.
///
/// # Errors
/// No such page came.
pub async fn page(address: &str) -> Result<String, Unanswered> {
    text(get(address, "text/html", Asks::Page).await?).await
}

/// A value of the API that a person wants to see.
///
/// # Errors
/// No such value came.
pub async fn json<T: DeserializeOwned>(address: &str) -> Result<T, Unanswered> {
    value(address, Asks::Person).await
}

/// A value of the API that the page looks at by itself.
///
/// # Errors
/// No such value came.
pub async fn json_in_background<T: DeserializeOwned>(address: &str) -> Result<T, Unanswered> {
    value(address, Asks::Page).await
}

async fn value<T: DeserializeOwned>(address: &str, asks: Asks) -> Result<T, Unanswered> {
    let text = text(get(address, "application/json", asks).await?).await?;
    serde_json::from_str(&text).map_err(|_| Unanswered::Refused)
}

/// Nobody is signed in any more: leads to the door, which says why and leads back. What is typed here is found again then.
pub fn signed_out() {
    crate::typed::keep_all();
    // Not by a reload, which says that it comes from where this page came from: the door tells who comes from one of its
    // own pages that their sign-in has ended.
    let here = leptos::prelude::window().location();
    let led = here.pathname().and_then(|path| Ok(path + &here.search()?)).and_then(|address| here.replace(&address));
    if led.is_err() {
        leave();
    }
}

/// Loads the page anew.
pub fn leave() {
    // Refused by no browser for the page's own address.
    let _reloading = leptos::prelude::window().location().reload();
}
