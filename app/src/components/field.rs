//! Form fields: a label, the control, a hint, what is wrong with it, or why it cannot be used.

use leptos::prelude::*;

use super::icon::{Icon, IconName};

/// What a one-line field takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FieldKind {
    /// Words.
    #[default]
    Words,
    /// A path, an address, an id: in letters of one width, as it is.
    Technical,
    /// Something that is never shown, given back or remembered.
    Secret,
}

/// A field of one line.
#[component]
pub fn TextField(
    /// The input's id; those of hint, error and reason begin with it.
    #[prop(into)]
    id: String,
    /// The name it is posted by.
    name: &'static str,
    /// What it is.
    #[prop(into)]
    label: String,
    /// What it takes.
    #[prop(optional)]
    kind: FieldKind,
    /// What it holds. A secret's is never given back.
    #[prop(optional, into)]
    value: String,
    /// What helps to fill it in; empty for none.
    #[prop(optional, into)]
    hint: String,
    /// What is wrong with what was given.
    #[prop(optional_no_strip)]
    error: Option<String>,
    /// Why it cannot be used; empty when it can.
    #[prop(optional, into)]
    disabled: String,
    /// Nothing is sent without it.
    #[prop(optional)]
    required: bool,
    /// What it may be filled with by the browser.
    #[prop(default = "off")]
    autocomplete: &'static str,
) -> impl IntoView {
    let about = About::new(&id, &hint, error.as_deref(), &disabled);
    let secret = kind == FieldKind::Secret;
    let technical = kind == FieldKind::Technical;
    let labelled = id.clone();
    let (wrong, described) = (error.is_some(), about.ids());
    let usable = disabled.is_empty();
    let lines = about.lines(hint, error, disabled);
    view! {
        <div class="field">
            <label for=labelled>
                {label} {(!required && usable).then(|| view! { <span class="optional">" optional"</span> })}
            </label>
            <input
                id=id
                class=technical.then_some("id")
                name=name
                type=if secret { "password" } else { "text" }
                value=(!secret).then_some(value)
                required=required
                disabled=!usable
                maxlength="1000"
                autocomplete=autocomplete
                autocapitalize=technical.then_some("off")
                spellcheck=if kind == FieldKind::Words { None } else { Some("false") }
                aria-invalid=wrong.then_some("true")
                aria-describedby=described
            />
            {lines}
        </div>
    }
}

/// The ids of what explains a field.
#[derive(Clone, Debug, PartialEq, Eq)]
struct About {
    hint: Option<String>,
    error: Option<String>,
    why: Option<String>,
}

impl About {
    fn new(id: &str, hint: &str, error: Option<&str>, disabled: &str) -> Self {
        Self {
            hint: (!hint.is_empty()).then(|| format!("{id}-hint")),
            error: error.map(|_| format!("{id}-error")),
            why: (!disabled.is_empty()).then(|| format!("{id}-why")),
        }
    }

    /// What is wrong is read out first.
    fn ids(&self) -> Option<String> {
        let ids: Vec<&str> = [&self.error, &self.why, &self.hint].into_iter().flatten().map(String::as_str).collect();
        (!ids.is_empty()).then(|| ids.join(" "))
    }

    fn lines(self, hint: String, error: Option<String>, why: String) -> impl IntoView {
        let error = error.map(|text| {
            view! {
                <span class="error" id=self.error>
                    <Icon name=IconName::Warning />
                    <span class="foreign">{text}</span>
                </span>
            }
        });
        let hint = self.hint.map(|id| view! { <span class="hint" id=id>{hint}</span> });
        let why = self.why.map(|id| view! { <span class="role-note" id=id>{why}</span> });
        view! {
            {error}
            {why}
            {hint}
        }
    }
}

#[cfg(all(test, feature = "ssr"))]
mod tests {
    use super::*;

    fn html(kind: FieldKind, error: Option<String>) -> String {
        Owner::new().with(|| {
            view! {
                <TextField id="key" name="key" label="Key" kind=kind value="hunter2" hint="As Qdrant knows it." error=error />
            }
            .to_html()
        })
    }

    #[test]
    fn a_secret_is_never_given_back() {
        assert!(html(FieldKind::Technical, None).contains("hunter2"));
        let secret = html(FieldKind::Secret, None);
        assert!(secret.contains("type=\"password\"") && !secret.contains("hunter2"), "{secret}");
    }

    #[test]
    fn what_is_wrong_is_told_with_the_field() {
        let wrong = html(FieldKind::Words, Some("It is empty.".to_owned()));
        assert!(wrong.contains("aria-invalid=\"true\""), "{wrong}");
        assert!(wrong.contains("aria-describedby=\"key-error key-hint\""), "{wrong}");
        assert!(wrong.contains("id=\"key-error\"") && wrong.contains("It is empty."), "{wrong}");
        let right = html(FieldKind::Words, None);
        assert!(right.contains("aria-describedby=\"key-hint\"") && !right.contains("aria-invalid"), "{right}");
    }
}
