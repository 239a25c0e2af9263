//! The values that everything is made of, by their names in `style/00-tokens.css`.

use leptos::prelude::*;

use crate::components::Card;

/// What surfaces and texts are made of.
const SURFACES: [&str; 9] =
    ["bg", "surface", "surface-2", "surface-3", "line", "line-mid", "line-strong", "text", "muted"];
/// What colours mean, with their washes.
const MEANINGS: [&str; 13] = [
    "accent",
    "accent-strong",
    "accent-ink",
    "accent-wash",
    "good",
    "good-wash",
    "bad",
    "bad-strong",
    "bad-ink",
    "bad-wash",
    "warn",
    "warn-wash",
    "idle",
];
/// The stores, and nothing else.
const STORES: [&str; 3] = ["sqlite", "qdrant", "neo4j"];

/// Swatches by name, light or dark after the system.
#[component]
pub(super) fn ColoursSection() -> impl IntoView {
    let group = |title: &'static str, names: &[&'static str]| {
        let swatches = names
            .iter()
            .map(|name| {
                view! {
                    <li>
                        // An attribute of the drawing: the page's policy takes no style of an element.
                        <svg class="swatch" viewBox="0 0 40 24" preserveAspectRatio="none" aria-hidden="true">
                            <rect width="40" height="24" fill=format!("var(--{name})")></rect>
                        </svg>
                        <code>{format!("--{name}")}</code>
                    </li>
                }
            })
            .collect_view();
        view! {
            <h3>{title}</h3>
            <ul class="swatches">{swatches}</ul>
        }
    };
    view! {
        <Card title="Colours">
            <div class="body">
                {group("Surfaces and text", &SURFACES)} {group("Meanings, with their washes and inks", &MEANINGS)}
                {group("Stores only", &STORES)}
                <p class="small muted">
                    "The washes carry text of the same tone at 4.5:1 or better. Colour never stands alone: an icon or a word says the same."
                </p>
            </div>
        </Card>
    }
}

/// Spaces and corners.
#[component]
pub(super) fn ScalesSection() -> impl IntoView {
    let entry = |name: &str| {
        view! {
            <li>
                <i class=format!("specimen-{name}") aria-hidden="true"></i>
                <code>{format!("--{name}")}</code>
            </li>
        }
    };
    let spaces = ["s1", "s2", "s3", "s4", "s5", "s6", "s7"].into_iter().map(entry).collect_view();
    let corners = ["r1", "r2", "r3", "round"].into_iter().map(entry).collect_view();
    view! {
        <Card title="Space, corners">
            <div class="body">
                <h3>"Space"</h3>
                <ul class="scale">{spaces}</ul>
                <h3>"Corners"</h3>
                <ul class="swatches corners">{corners}</ul>
            </div>
        </Card>
    }
}

/// Letters.
#[component]
pub(super) fn TypeSection() -> impl IntoView {
    let sizes = [
        ("f5", "Page headings, big numbers"),
        ("f4", "Numbers that lead"),
        ("f3", "What weighs more"),
        ("f2", "Text, headings of cards"),
        ("f1", "Hints, evidence, what is under"),
        ("f0", "Badges, heads of columns"),
    ];
    let lines = sizes
        .into_iter()
        .map(|(name, what)| {
            view! {
                <li>
                    <span class=format!("specimen-{name}")>{what}</span>
                    <code>{format!("--{name}")}</code>
                </li>
            }
        })
        .collect_view();
    view! {
        <Card title="Type">
            <div class="body">
                <ul class="scale type">{lines}</ul>
                <p>
                    "The system’s own letters. " <code>"Ids, paths and digests have one width: v7_minor_20261122."</code>
                </p>
                <p>
                    <b>"What weighs."</b> " " <span class="muted">"What stands back."</span> " "
                    <span class="small">"What is small."</span> " "<a href="#card-type">"What leads on."</a>
                </p>
            </div>
        </Card>
    }
}
