//! Text for a terminal or a file, as it is.

use leptos::prelude::*;

use super::icon::{Icon, IconName};

/// A block of code with what it is. It scrolls within its place, also by keyboard.
#[component]
pub fn CodeBlock(
    /// What it is: a file's name, or where to type it.
    #[prop(into)]
    title: String,
    /// The text. Nothing of it is hidden or wrapped.
    #[prop(into)]
    text: String,
) -> impl IntoView {
    let (label, copy, copied) = (title.clone(), format!("Copy: {title}"), text.clone());
    view! {
        <figure class="code">
            <figcaption>
                {title}
                // `alive/copying.rs` answers to it.
                <button class="icon-btn needs-js" type="button" aria-label=copy data-copy=copied>
                    <Icon name=IconName::Copy />
                </button>
                <span class="sr" role="status"></span>
            </figcaption>
            <pre tabindex="0" role="region" aria-label=label>
                <code>{text}</code>
            </pre>
        </figure>
    }
}
