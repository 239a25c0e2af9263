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
    /// A person's or a program's name: as it is.
    Name,
    /// Something that is never shown, given back or remembered.
    Secret,
    /// A whole number.
    Number,
    /// A day.
    Day,
}

impl FieldKind {
    fn input_type(self) -> &'static str {
        match self {
            Self::Words | Self::Technical | Self::Name | Self::Number => "text",
            Self::Secret => "password",
            Self::Day => "date",
        }
    }
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
    /// It narrows what is shown: that it may be empty goes without saying.
    #[prop(optional)]
    filter: bool,
    /// What it may be filled with by the browser.
    #[prop(default = "off")]
    autocomplete: &'static str,
    /// An example, in its place; empty for none.
    #[prop(optional, into)]
    placeholder: String,
    /// Characters at least.
    #[prop(optional_no_strip)]
    least: Option<usize>,
    /// Characters at most.
    #[prop(default = 1_000)]
    most: usize,
    /// What it must look like, as the browser checks it.
    #[prop(optional_no_strip)]
    pattern: Option<&'static str>,
    /// It has the focus when the page comes.
    #[prop(optional)]
    autofocus: bool,
    /// What else of the page explains it, by id.
    #[prop(optional_no_strip)]
    described: Option<&'static str>,
) -> impl IntoView {
    let about = About::new(&id, &hint, error.as_deref(), &disabled);
    let secret = kind == FieldKind::Secret;
    let technical = kind == FieldKind::Technical;
    let as_it_is = matches!(kind, FieldKind::Technical | FieldKind::Name);
    let labelled = id.clone();
    let wrong = error.is_some();
    let described: Vec<String> = described.map(str::to_owned).into_iter().chain(about.ids()).collect();
    let described = (!described.is_empty()).then(|| described.join(" "));
    let usable = disabled.is_empty();
    let lines = about.lines(hint, error, disabled);
    view! {
        <div class="field">
            <label for=labelled>
                {label} {(!required && usable && !filter).then(|| view! { <span class="optional">" optional"</span> })}
            </label>
            <input
                id=id
                class=technical.then_some("id")
                name=name
                type=kind.input_type()
                inputmode=(kind == FieldKind::Number).then_some("numeric")
                value=(!secret).then_some(value)
                placeholder=(!placeholder.is_empty()).then_some(placeholder)
                required=required
                disabled=!usable
                autofocus=autofocus
                minlength=least.map(|n| n.to_string())
                maxlength=most.to_string()
                pattern=pattern
                autocomplete=autocomplete
                autocapitalize=as_it_is.then_some("off")
                spellcheck=if kind == FieldKind::Words { None } else { Some("false") }
                aria-invalid=wrong.then_some("true")
                aria-describedby=described
            />
            {lines}
        </div>
    }
}

/// A field of several lines.
#[component]
pub fn TextArea(
    /// Its id; that of the hint begins with it.
    #[prop(into)]
    id: String,
    /// The name it is posted by.
    name: &'static str,
    /// What it is.
    #[prop(into)]
    label: String,
    /// What it holds.
    #[prop(optional, into)]
    value: String,
    /// What helps to fill it in; empty for none.
    #[prop(optional, into)]
    hint: String,
    /// Lines to begin with.
    #[prop(default = 2)]
    rows: u8,
    /// Nothing is sent without it.
    #[prop(optional)]
    required: bool,
    /// It stays as it is.
    #[prop(optional)]
    fixed: bool,
    /// Characters at least, where there are any.
    #[prop(optional_no_strip)]
    least: Option<usize>,
    /// Characters at most.
    #[prop(default = 500)]
    most: usize,
    /// What is wrong with what was given; then it has the focus.
    #[prop(optional_no_strip)]
    error: Option<String>,
) -> impl IntoView {
    let about = About::new(&id, &hint, error.as_deref(), "");
    let labelled = id.clone();
    let described = about.ids();
    let wrong = error.is_some();
    view! {
        <div class="field">
            <label for=labelled>
                {label} {(!required && !fixed).then(|| view! { <span class="optional">" optional"</span> })}
            </label>
            <textarea
                id=id
                name=name
                rows=rows.to_string()
                required=required
                readonly=fixed
                minlength=least.map(|n| n.to_string())
                maxlength=most.to_string()
                autofocus=wrong
                aria-invalid=wrong.then_some("true")
                aria-describedby=described
                // Not as a child: where an island takes it up again, an empty one would be missed.
                inner_html=crate::format::within_textarea(&value)
            ></textarea>
            {about.lines(hint, error, String::new())}
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
