//! Text for a terminal or a file, as it is.

use leptos::prelude::*;

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
    let label = title.clone();
    view! {
        <figure class="code">
            <figcaption>{title}</figcaption>
            <pre tabindex="0" role="region" aria-label=label>
                <code>{text}</code>
            </pre>
        </figure>
    }
}
