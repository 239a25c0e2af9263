//! Finding one's way in lists: search, filters, pages. All of them links and forms that work without JavaScript.

use leptos::prelude::*;

use super::icon::{Icon, IconName};

/// One filter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chip {
    /// The word.
    pub label: String,
    /// Where it leads: the same list with this filter turned on or off.
    pub href: String,
    /// The filter is on.
    pub on: bool,
    /// How many rows there are of it, within the search and the other filters.
    pub count: Option<u64>,
}

/// Filters as links.
#[component]
pub fn FilterChips(
    /// What they filter by, for assistive software.
    #[prop(into)]
    label: String,
    /// The filters.
    chips: Vec<Chip>,
) -> impl IntoView {
    let chips = chips
        .into_iter()
        .map(|chip| {
            let count = chip.count.map(|n| view! { <span class="count">{crate::format::count(n)}</span> });
            view! {
                <li>
                    <a class="chip" href=chip.href aria-current=chip.on.then_some("true")>
                        {chip.label}
                        {count}
                    </a>
                </li>
            }
        })
        .collect_view();
    view! {
        <nav aria-label=label>
            <ul class="chips">{chips}</ul>
        </nav>
    }
}

/// A search field with its button; place it in a `<form role="search">`.
#[component]
pub fn SearchField(
    /// The parameter's name.
    name: &'static str,
    /// What is searched.
    #[prop(into)]
    label: String,
    /// What is being searched for.
    #[prop(into)]
    value: String,
) -> impl IntoView {
    view! {
        <div class="search">
            <Icon name=IconName::Search />
            <input
                type="search"
                name=name
                value=value
                aria-label=label.clone()
                placeholder=label
                maxlength="200"
                autocomplete="off"
                spellcheck="false"
            />
            <button class="btn" type="submit">
                "Search"
            </button>
        </div>
    }
}

/// Back to the first page, on to the next.
#[component]
pub fn Pagination(
    /// What the rows are.
    #[prop(into)]
    label: String,
    /// The first page, when this is not it.
    #[prop(optional_no_strip)]
    first: Option<String>,
    /// The next page, when there is one.
    #[prop(optional_no_strip)]
    next: Option<String>,
) -> impl IntoView {
    let any = first.is_some() || next.is_some();
    any.then(|| {
        view! {
            <nav class="pages" aria-label=label>
                {first.map(|href| view! { <a class="btn" href=href>"First page"</a> })}
                {next
                    .map(|href| {
                        view! {
                            <a class="btn" href=href rel="next">
                                "Next page"
                                <Icon name=IconName::Arrow />
                            </a>
                        }
                    })}
            </nav>
        }
    })
}
