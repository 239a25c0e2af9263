//! The document around the application. Only the server needs it.

use leptos::prelude::*;
use leptos_meta::MetaTags;
use serde::{Deserialize, Serialize};

use crate::components::icon::SPRITE;
use crate::{App, account};

/// Where the page's files are, as the browser asks for them. The server gives this as a context.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AssetPaths {
    /// The module wasm-bindgen made.
    pub js: String,
    /// The WASM itself.
    pub wasm: String,
    /// The style sheet.
    pub css: String,
    /// The small module that starts the other two; a file, so that the content security policy needs no exception.
    pub boot: String,
}

/// The document: head, application, icons.
pub fn shell(assets: AssetPaths) -> impl IntoView {
    let AssetPaths { js, wasm, css, boot } = assets;
    // The page's policy runs only scripts with this word, and what they load.
    let nonce = use_nonce();
    // What islands know of the page's reader.
    let (name, role) = account::of_request().map(|a| (a.name, a.role.as_str())).unzip();
    view! {
        <!DOCTYPE html>
        <html lang="en" data-account=name data-role=role>
            <head>
                <meta charset="utf-8" />
                <meta name="viewport" content="width=device-width, initial-scale=1" />
                <meta name="color-scheme" content="light dark" />
                <meta name="robots" content="noindex" />
                <link rel="stylesheet" href=css />
                <link rel="icon" href="/favicon.svg" type="image/svg+xml" />
                <link rel="modulepreload" href=js nonce=nonce.clone() />
                <link rel="preload" href=wasm r#as="fetch" r#type="application/wasm" crossorigin="anonymous" />
                <script type="module" src=boot nonce=nonce></script>
                <MetaTags />
            </head>
            <body>
                <App />
                <svg class="sprite" aria-hidden="true" inner_html=SPRITE></svg>
            </body>
        </html>
    }
}
