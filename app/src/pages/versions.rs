//! Versions: list, search, filter, pages. Everything is in the address, so that it works as links and forms.
#![allow(missing_docs, reason = "the component macro makes an undocumented props type")]

pub mod columns;
mod growth;
mod window;

use std::collections::HashMap;

use leptos::prelude::*;
use leptos_router::hooks::use_location;
use rollback_types::{
    Candidacy, Cursor, Role, StateCount, VersionId, VersionQuery, VersionRow, VersionSort, VersionState,
};

use self::columns::{ColumnChoice, Optional};
pub(crate) use self::window::RetentionWindow;
use crate::address;
use crate::api::versions::{VersionList, list_versions};
use crate::components::{
    Card, Chip, Column, DataTable, Direction, EmptyState, ErrorPanel, FilterChips, Icon, IconName, Loading, Moment,
    PageHeader, Pagination, SearchField, VersionBadge, VersionLink, plan_link,
};
use crate::format;
use crate::fragment::Fragment;
use crate::freshness::PageFreshness;

/// `/versions`.
#[component]
pub fn VersionsPage() -> impl IntoView {
    let search = use_location().search;
    let query = Memo::new(move |_| search.with(|s| read_query(s)));
    let list = Resource::new_blocking(move || query.get(), list_versions);
    view! {
        <PageHeader
            tab="Versions"
            lead="Every row of the registry, whatever its state.".into_any()
            tools=view! { <PageFreshness /> }.into_any()
        >
            "Versions"
        </PageHeader>
        // Rows do not move under a reader's pointer.
        <Fragment id="versions-list" held=true>
            <Transition fallback=Loading>
                {move || Suspend::new(async move {
                    let asked = query.get_untracked();
                    match list.await {
                        Ok(list) => view! { <List list=list query=asked /> }.into_any(),
                        Err(error) => view! { <ErrorPanel problem=error retry="/versions" /> }.into_any(),
                    }
                })}
            </Transition>
        </Fragment>
    }
}

/// What the address asks for; unknown words ask for nothing.
fn read_query(search: &str) -> VersionQuery {
    let mut query = VersionQuery::default();
    for (key, value) in address::pairs(search) {
        let value = value.trim();
        match key.as_str() {
            _ if value.is_empty() => {}
            "q" => query.q = Some(value.to_owned()),
            "status" => query.status.push(VersionState::from(value)),
            "sort" => query.sort = VersionSort::parse(value).unwrap_or_default(),
            "cursor" => query.cursor = Some(Cursor(value.to_owned())),
            _ => {}
        }
    }
    query
}

/// The address of a list.
fn list_address(query: &VersionQuery) -> String {
    let sort = if query.sort == VersionSort::default() { "" } else { query.sort.as_str() };
    let pairs = [("q", query.q.as_deref().unwrap_or_default()), ("sort", sort)];
    let states = query.status.iter().map(|s| ("status", s.as_str()));
    let cursor = query.cursor.iter().map(|c| ("cursor", c.0.as_str()));
    format!("/versions{}", format::query(pairs.into_iter().chain(states).chain(cursor)))
}

/// One chip for each state there is, and one for all.
fn chips(counts: &[StateCount], query: &VersionQuery) -> Vec<Chip> {
    let start = VersionQuery { cursor: None, ..query.clone() };
    let all = Chip {
        label: "All".to_owned(),
        href: list_address(&VersionQuery { status: Vec::new(), ..start.clone() }),
        on: query.status.is_empty(),
        count: Some(counts.iter().map(|c| c.count).sum()),
    };
    // A state that is asked for stays visible when no version has it any more.
    let gone = query.status.iter().filter(|s| counts.iter().all(|c| c.status != **s)).map(|s| (s, 0));
    let states = counts.iter().map(|c| (&c.status, c.count)).chain(gone).map(|(state, count)| {
        let on = query.status.contains(state);
        let mut status = query.status.clone();
        if on {
            status.retain(|s| s != state)
        } else {
            status.push(state.clone())
        }
        let label = if state.as_str().is_empty() { "(no state)" } else { state.as_str() };
        Chip {
            label: format::clip(&format::visible(label), 40),
            href: list_address(&VersionQuery { status, ..start.clone() }),
            on,
            count: Some(count),
        }
    });
    std::iter::once(all).chain(states).collect()
}

fn sort_word(sort: VersionSort) -> &'static str {
    match sort {
        VersionSort::CreatedDesc => "Newest first",
        VersionSort::CreatedAsc => "Oldest first",
        VersionSort::IdAsc => "By id, A to Z",
        VersionSort::IdDesc => "By id, Z to A",
        VersionSort::UpdatedDesc => "Last changed first",
        VersionSort::UpdatedAsc => "Longest unchanged first",
        VersionSort::StatusAsc => "By state, A to Z",
        VersionSort::StatusDesc => "By state, Z to A",
        VersionSort::ChaptersDesc => "Most chapters first",
        VersionSort::ChaptersAsc => "Fewest chapters first",
        VersionSort::ParagraphsDesc => "Most paragraphs first",
        VersionSort::ParagraphsAsc => "Fewest paragraphs first",
    }
}

/// A head that puts the list in the order of its column: first in `usual`, and turned round where it stands so.
fn ordered(head: Column, query: &VersionQuery, usual: VersionSort, other: VersionSort) -> Column {
    let direction = |sort: VersionSort| if sort.is_descending() { Direction::Descending } else { Direction::Ascending };
    let now = [usual, other].contains(&query.sort).then_some(query.sort);
    let sort = if now == Some(usual) { other } else { usual };
    let href = list_address(&VersionQuery { sort, cursor: None, ..query.clone() });
    head.ordered(href, now.map(direction))
}

#[component]
pub(super) fn List(list: VersionList, query: VersionQuery) -> impl IntoView {
    let VersionList { page, counts, course, chart, kept } = list;
    let columns = columns::chosen();
    let first = query.cursor.is_some().then(|| list_address(&VersionQuery { cursor: None, ..query.clone() }));
    let next = page.next_cursor.map(|cursor| list_address(&VersionQuery { cursor: Some(cursor), ..query.clone() }));
    let chips = chips(&counts, &query);
    let narrowed = query.q.is_some() || !query.status.is_empty();
    let chart = chart.map(|drawings| growth::card(drawings, &course, kept.as_ref(), narrowed));
    let footer = view! { <p>{window::in_words(kept.as_ref().map(HashMap::len))}</p> };
    let content = if page.items.is_empty() {
        empty(!narrowed && query.cursor.is_none()).into_any()
    } else {
        let window = RetentionWindow::of(&course, kept.as_ref());
        table(page.items, &columns, &kept.unwrap_or_default(), window.as_ref(), &query).into_any()
    };
    view! {
        <div class="filters">
            <SearchForm query=query />
            <FilterChips label="Filter by state" chips=chips />
        </div>
        <Card
            title="Registry"
            aside=view! { <ColumnChoice chosen=columns.clone() /> }.into_any()
            footer=footer.into_any()
        >
            {content}
        </Card>
        <Pagination label="Pages of versions" first=first next=next />
        {chart}
    }
}

#[component]
fn SearchForm(query: VersionQuery) -> impl IntoView {
    let states = query
        .status
        .iter()
        .map(|s| view! { <input type="hidden" name="status" value=s.as_str().to_owned() /> })
        .collect_view();
    let options = VersionSort::ALL
        .into_iter()
        .map(|(sort, word)| {
            view! {
                <option value=word selected=sort == query.sort>
                    {sort_word(sort)}
                </option>
            }
        })
        .collect_view();
    view! {
        <form class="filter-form" role="search" method="get" action="/versions">
            <SearchField name="q" label="Id, message or notes" value=query.q.unwrap_or_default() />
            <label class="sort">
                <span>"Order" <span class="sr">", applied at once"</span></span>
                <select name="sort" data-send-on-change>{options}</select>
            </label>
            {states}
        </form>
    }
}

fn empty(unfiltered: bool) -> impl IntoView {
    if unfiltered {
        view! {
            <EmptyState title="The registry has no version.">
                <p>"Every ingestion makes one. If you expected some, see whether Stepback looks at the right metadata.db."</p>
            </EmptyState>
        }
        .into_any()
    } else {
        view! {
            <EmptyState title="No version fits.">
                <p>
                    "Search looks for plain text in ids, messages and notes. " <a href="/versions">"Show all versions"</a>
                </p>
            </EmptyState>
        }
        .into_any()
    }
}

fn table(
    rows: Vec<VersionRow>,
    columns: &[Optional],
    kept: &HashMap<VersionId, u64>,
    window: Option<&RetentionWindow>,
    query: &VersionQuery,
) -> impl IntoView + use<> {
    let version = ordered(Column::text("Version"), query, VersionSort::IdAsc, VersionSort::IdDesc);
    let state = ordered(Column::text("State"), query, VersionSort::StatusAsc, VersionSort::StatusDesc);
    let chosen = columns.iter().map(|column| match column.orders() {
        Some((usual, other)) => ordered(column.head(), query, usual, other),
        None => column.head(),
    });
    let heads: Vec<Column> = [version, state].into_iter().chain(chosen).chain([Column::unseen("Action")]).collect();
    let ends = window.and_then(|window| Some((window.ends_after(&rows, query)?, window::end(window, heads.len()))));
    let mut rows: Vec<AnyView> = rows.into_iter().map(|v| row(v, columns, kept).into_any()).collect();
    if let Some((after, end)) = ends {
        rows.insert(after, end);
    }
    view! {
        <DataTable
            columns=heads
            class="stack versions"
        >
            {rows}
        </DataTable>
    }
}

fn row(v: VersionRow, columns: &[Optional], kept: &HashMap<VersionId, u64>) -> impl IntoView + use<> {
    let backup = kept.get(&v.version_id).copied();
    let cells = columns.iter().map(|column| cell(*column, &v, backup)).collect_view();
    let message =
        v.status_message.as_deref().or(v.notes.as_deref()).map(|m| format::clip(&format::visible_lines(m), 160));
    // In the words of the overview.
    let does = if v.candidacy == Candidacy::TakeOver { "Take over" } else { "Plan rollback" };
    let what = plan_link(Role::Operator, does, "See the plan");
    let action = v.candidacy.is_offered().then(|| format::version_path(v.version_id.as_str())).flatten().map(|path| {
        view! {
            <a
                class="btn small"
                href=format!("{path}/plan")
                aria-label=format!("{what} of {}", format::short_id(v.version_id.as_str()))
            >
                {what}
            </a>
        }
    });
    view! {
        <tr>
            <td class="wide">
                <VersionLink id=v.version_id.clone() />
                {backup
                    .is_some()
                    .then(|| {
                        view! {
                            <span class="kept" title="Has a backup of its own">
                                <Icon name=IconName::Box />
                                "kept"
                            </span>
                        }
                    })}
                {message.map(|m| view! { <span class="under foreign">{m}</span> })}
            </td>
            <td class="state">
                <VersionBadge state=v.status />
            </td>
            {cells}
            <td class="action">{action}</td>
        </tr>
    }
}

fn cell(column: Optional, v: &VersionRow, backup: Option<u64>) -> AnyView {
    match column {
        Optional::Chapters => {
            view! { <td class="num" data-unit="chapters">{v.chapter_count.map(number)}</td> }.into_any()
        }
        Optional::Paragraphs => {
            view! { <td class="num" data-unit="paragraphs">{v.paragraph_count.map(number)}</td> }.into_any()
        }
        Optional::Backup => view! { <td class="num" data-unit="kept">{backup.map(format::bytes)}</td> }.into_any(),
        Optional::CommittedBy => {
            let by = v.committed_by.as_deref().map(|by| format::clip(&format::visible(by), 40));
            view! { <td class="foreign">{by}</td> }.into_any()
        }
        Optional::Made => view! { <td class="num muted">{moment(v.created_at)}</td> }.into_any(),
        Optional::Changed => view! { <td class="num muted hide">{moment(v.updated_at)}</td> }.into_any(),
    }
}

/// A count that may be garbage: negative numbers are shown as they are.
pub(super) fn number(n: i64) -> String {
    u64::try_from(n).map_or_else(|_| n.to_string(), format::count)
}

fn moment(at: Option<rollback_types::Timestamp>) -> impl IntoView {
    at.map(|at| view! { <Moment at=at /> })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_reads_back_as_the_query_it_was_made_from() {
        let query = VersionQuery {
            status: vec![VersionState::Failed, VersionState::from("odd one&")],
            q: Some("a+b%41".into()),
            sort: VersionSort::IdAsc,
            cursor: Some(Cursor("x=y".into())),
            limit: None,
        };
        let text = list_address(&query);
        assert_eq!(read_query(text.strip_prefix("/versions").unwrap()), query);
    }

    #[test]
    fn nonsense_in_the_address_asks_for_nothing() {
        assert_eq!(read_query("sort=sideways&q=%20&status="), VersionQuery::default());
    }

    #[test]
    fn a_head_asks_for_its_order_and_then_for_the_reverse_from_the_first_page() {
        let head = |sort| {
            let query = VersionQuery { sort, cursor: Some(Cursor("c".into())), ..VersionQuery::default() };
            ordered(Column::number("Chapters"), &query, VersionSort::ChaptersDesc, VersionSort::ChaptersAsc)
        };
        let to = |address: &str, now| Column::number("Chapters").ordered(address.to_owned(), now);
        assert_eq!(head(VersionSort::default()), to("/versions?sort=-chapter_count", None));
        assert_eq!(head(VersionSort::ChaptersDesc), to("/versions?sort=chapter_count", Some(Direction::Descending)));
        assert_eq!(head(VersionSort::ChaptersAsc), to("/versions?sort=-chapter_count", Some(Direction::Ascending)));
    }

    #[test]
    fn a_chip_turns_its_state_on_and_off_and_leaves_the_page() {
        let counts = [StateCount { status: VersionState::Failed, count: 2 }];
        let query = VersionQuery { cursor: Some(Cursor("c".into())), ..VersionQuery::default() };
        let on = chips(&counts, &query);
        assert_eq!(on[1].href, "/versions?status=failed");
        assert_eq!(on[0].count, Some(2));
        let query = VersionQuery { status: vec![VersionState::Failed, VersionState::InUse], ..query };
        let off = chips(&counts, &query);
        assert_eq!((off[1].on, off[1].href.as_str()), (true, "/versions?status=in_use"));
        assert_eq!((off[2].label.as_str(), off[2].count), ("in_use", Some(0)));
    }
}
