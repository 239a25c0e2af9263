//! Tables. They scroll sideways within their place; with the class `stack` they become lists on a phone.

use leptos::prelude::*;

/// The head of one column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    head: String,
    kind: Kind,
    order: Option<Order>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// Words: aligned with the reading direction.
    Text,
    /// Numbers and times: aligned at their end.
    Number,
    /// What the column holds needs no words for the eye.
    Unseen,
}

/// A head that is a link puts the rows in the order of its column.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Order {
    /// The same list in the order that the link asks for.
    href: String,
    /// The order in which the rows stand, where it is this column's; the link turns it round.
    now: Option<Direction>,
}

/// How rows stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// The least first.
    Ascending,
    /// The greatest first.
    Descending,
}

impl Direction {
    /// As `aria-sort` has it.
    fn as_str(self) -> &'static str {
        match self {
            Self::Ascending => "ascending",
            Self::Descending => "descending",
        }
    }
}

impl Column {
    fn of(head: impl Into<String>, kind: Kind) -> Self {
        Self { head: head.into(), kind, order: None }
    }

    /// A column of words.
    pub fn text(head: impl Into<String>) -> Self {
        Self::of(head, Kind::Text)
    }

    /// A column of numbers or times.
    pub fn number(head: impl Into<String>) -> Self {
        Self::of(head, Kind::Number)
    }

    /// A column whose head is only spoken.
    pub fn unseen(head: impl Into<String>) -> Self {
        Self::of(head, Kind::Unseen)
    }

    /// Its head leads to the same list in its order, or, where the rows stand in it already, in the reverse of it.
    #[must_use]
    pub fn ordered(self, href: String, now: Option<Direction>) -> Self {
        Self { order: Some(Order { href, now }), ..self }
    }

    fn head(self) -> AnyView {
        let sorted = self.order.as_ref().and_then(|order| order.now).map(Direction::as_str);
        let number = self.kind == Kind::Number;
        let head = match (self.order, self.kind) {
            (_, Kind::Unseen) => view! { <span class="sr">{self.head}</span> }.into_any(),
            (Some(order), _) => view! { <a href=order.href>{self.head}</a> }.into_any(),
            (None, _) => self.head.into_any(),
        };
        if number {
            view! { <th scope="col" class="num" aria-sort=sorted>{head}</th> }.into_any()
        } else {
            view! { <th scope="col" aria-sort=sorted>{head}</th> }.into_any()
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

    #[test]
    fn a_head_leads_to_its_order_and_says_how_the_rows_stand() {
        let columns = vec![
            Column::text("Version").ordered("/v?sort=id".into(), None),
            Column::number("Made").ordered("/v?sort=made".into(), Some(Direction::Descending)),
        ];
        let html = Owner::new().with(|| view! { <DataTable columns=columns><tr></tr></DataTable> }.to_html());
        assert!(html.contains(r#"<th scope="col"><a href="/v?sort=id">Version"#), "{html}");
        let made = html.split("<th").find(|head| head.contains(r#"<a href="/v?sort=made">Made"#)).unwrap();
        assert!(made.contains(r#"aria-sort="descending""#), "{html}");
    }
}
