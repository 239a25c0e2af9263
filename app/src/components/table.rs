//! Tables. They scroll sideways within their place; with the class `stack` they become lists on a phone.

use leptos::prelude::*;

/// The head of one column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Column {
    /// Words: aligned with the reading direction.
    Text(String),
    /// Numbers and times: aligned at their end.
    Number(String),
    /// What the column holds needs no words for the eye.
    Unseen(String),
}

impl Column {
    /// A column of words.
    pub fn text(head: impl Into<String>) -> Self {
        Self::Text(head.into())
    }

    /// A column of numbers or times.
    pub fn number(head: impl Into<String>) -> Self {
        Self::Number(head.into())
    }

    /// A column whose head is only spoken.
    pub fn unseen(head: impl Into<String>) -> Self {
        Self::Unseen(head.into())
    }

    fn head(self) -> AnyView {
        match self {
            Self::Text(head) => view! { <th scope="col">{head}</th> }.into_any(),
            Self::Number(head) => view! { <th scope="col" class="num">{head}</th> }.into_any(),
            Self::Unseen(head) => view! { <th scope="col"><span class="sr">{head}</span></th> }.into_any(),
        }
    }
}

/// A table within its place to scroll.
#[component]
pub fn DataTable(
    /// What it shows, for assistive software: a wide table is then a place of its own that can be reached and scrolled by
    /// keyboard.
    #[prop(optional, into)]
    label: Option<String>,
    /// The heads of its columns.
    columns: Vec<Column>,
    /// The table's classes; `stack` makes it a list on a phone.
    #[prop(default = "stack")]
    class: &'static str,
    /// The rows come in groups of their own, each a `tbody`.
    #[prop(optional)]
    grouped: bool,
    /// The rows.
    children: Children,
) -> impl IntoView {
    let rows = if grouped { children() } else { view! { <tbody>{children()}</tbody> }.into_any() };
    let region = label.is_some();
    let heads = columns.into_iter().map(Column::head).collect_view();
    view! {
        <div
            class="scroll"
            tabindex=region.then_some("0")
            role=region.then_some("region")
            aria-label=label
        >
            <table class=class>
                <thead>
                    <tr>{heads}</tr>
                </thead>
                {rows}
            </table>
        </div>
    }
}

#[cfg(all(test, feature = "ssr"))]
mod tests {
    use super::*;

    #[test]
    fn a_table_with_a_name_can_be_reached_by_keyboard() {
        let columns = || vec![Column::text("Store"), Column::number("Took")];
        let html = |label: Option<&str>| {
            let label = label.map(str::to_owned);
            Owner::new().with(|| match label {
                Some(label) => view! { <DataTable label=label columns=columns()><tr></tr></DataTable> }.to_html(),
                None => view! { <DataTable columns=columns()><tr></tr></DataTable> }.to_html(),
            })
        };
        let named = html(Some("Files of v2"));
        assert!(named.contains(r#"role="region""#) && named.contains(r#"tabindex="0""#), "{named}");
        assert!(named.contains(r#"aria-label="Files of v2""#), "{named}");
        let plain = html(None);
        assert!(!plain.contains("region") && !plain.contains("tabindex"), "{plain}");
        assert!(plain.contains(r#"<th scope="col" class="num">Took"#), "{plain}");
    }
}
