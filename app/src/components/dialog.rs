//! Dialogs. The browser opens them, keeps the focus inside, closes them by Esc and gives the focus back, all without a
//! script of ours.

use leptos::prelude::*;

/// A dialog, closed until a [`DialogButton`] opens it.
#[component]
pub fn Dialog(
    /// Its id, for the button.
    #[prop(into)]
    id: String,
    /// Its heading, which is its name.
    #[prop(into)]
    title: String,
    /// Shown as a part of the page, above nothing.
    #[prop(optional)]
    inline: bool,
    /// What closes it.
    #[prop(default = "Close")]
    close: &'static str,
    /// The content.
    children: Children,
) -> impl IntoView {
    let heading = format!("{id}-title");
    let named = heading.clone();
    view! {
        <dialog id=id class=if inline { "dialog inline" } else { "dialog" } open=inline aria-labelledby=named>
            <h2 id=heading>{title}</h2>
            {children()}
            <form method="dialog">
                <button class="btn" type="submit">
                    {close}
                </button>
            </form>
        </dialog>
    }
}

/// Opens a [`Dialog`].
#[component]
pub fn DialogButton(
    /// The dialog's id.
    #[prop(into)]
    dialog: String,
    /// What the button says.
    children: Children,
) -> impl IntoView {
    view! {
        <button class="btn" type="button" aria-haspopup="dialog" commandfor=dialog command="show-modal">
            {children()}
        </button>
    }
}
