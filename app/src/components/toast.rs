//! What was just done, said once on the page that follows. It stays until the reader goes on: nothing that is said
//! vanishes by itself.

use leptos::prelude::*;

use super::badge::Tone;
use super::icon::{Icon, IconName};

/// A sentence about what was just done.
#[component]
pub fn Toast(
    /// The tone.
    tone: Tone,
    /// The sentence.
    #[prop(into)]
    text: String,
    /// A way on.
    #[prop(optional)]
    children: Option<Children>,
) -> impl IntoView {
    let icon = match tone {
        Tone::Good => IconName::Check,
        Tone::Bad => IconName::Cross,
        Tone::Warn => IconName::Warning,
        Tone::Run => IconName::Spinner,
        Tone::Idle => IconName::Info,
    };
    let role = if tone == Tone::Bad { "alert" } else { "status" };
    view! {
        <div class=format!("toast {}", tone.class()) role=role>
            <Icon name=icon />
            <p class="foreign">{text}</p>
            {children.map(|c| c())}
        </div>
    }
}
