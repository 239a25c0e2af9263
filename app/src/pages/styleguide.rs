//! `/styleguide`: everything pages are made of, in every state, beside each other. What is new is looked at here first.

mod charts;
mod data;
mod forms;
mod live;
mod specimens;
mod states;
mod tokens;
mod words;

use leptos::prelude::*;

use self::charts::ChartsSection;
use self::data::{DataSection, LadderSection, StoresSection};
use self::forms::{ButtonsSection, DialogSection, FieldsSection};
use self::live::{ConnectionSection, LogSection};
use self::states::{StatesSection, StepsSection};
use self::tokens::{ColoursSection, ScalesSection, TypeSection};
use self::words::{CalloutsSection, ProblemsSection, TextsSection, VerdictsSection};
use crate::components::{Chip, FilterChips, Icon, IconName, PageHeader};
use crate::format;

/// The sections by their titles; each title makes the id that is led to.
const SECTIONS: [&str; 18] = [
    "Colours",
    "Table and diff",
    "Charts",
    "Space, corners",
    "Type",
    "Buttons",
    "States",
    "Steps",
    "Callouts and toasts",
    "Verdicts",
    "Problems",
    "Fields",
    "Dialog",
    "Ladder of proofs",
    "Stores and meters",
    "Connection",
    "Log",
    "Times, ids, code",
];

/// `/styleguide`.
#[component]
pub fn StyleguidePage() -> impl IntoView {
    let chips = SECTIONS
        .into_iter()
        .map(|title| Chip {
            label: title.to_owned(),
            href: format!("#card-{}", format::slug(title)),
            on: false,
            count: None,
        })
        .collect();
    let over = view! {
        <Icon name=IconName::Book />
        "For those who work on Stepback"
    };
    let tools = view! { <a class="btn small" href="#card-colours">"A button beside the heading"</a> };
    let lead = "Every part that pages are made of, in every state. The data are made up.";
    view! {
        <PageHeader tab="Style guide" over=over.into_any() lead=lead.into_any() tools=tools.into_any()>
            "Style guide"
        </PageHeader>
        <FilterChips label="Sections" chips=chips />
        <ColoursSection />
        <DataSection />
        <ChartsSection />
        <div class="guide">
            <ScalesSection />
            <TypeSection />
            <ButtonsSection />
            <StatesSection />
            <StepsSection />
            <CalloutsSection />
            <VerdictsSection />
            <ProblemsSection />
            <FieldsSection />
            <DialogSection />
            <LadderSection />
            <StoresSection />
            <ConnectionSection />
            <LogSection />
            <TextsSection />
        </div>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_chip_leads_to_a_section_and_no_id_is_given_twice() {
        let html = Owner::new().with(|| {
            view! {
                <ColoursSection />
                <ScalesSection />
                <TypeSection />
                <ButtonsSection />
                <StatesSection />
                <StepsSection />
                <CalloutsSection />
                <VerdictsSection />
                <FieldsSection />
                <DialogSection />
                <DataSection />
                <LadderSection />
                <StoresSection />
                <ConnectionSection />
                <LogSection />
                <ChartsSection />
                <TextsSection />
            }
            .to_html()
        });
        let ids: Vec<&str> = html.split(" id=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
        for title in SECTIONS.into_iter().filter(|title| *title != "Problems") {
            let id = format!("card-{}", format::slug(title));
            assert!(ids.contains(&id.as_str()), "{id}: {ids:?}");
        }
        let mut once = ids.clone();
        once.sort_unstable();
        once.dedup();
        assert_eq!(once.len(), ids.len(), "{ids:?}");
    }
}
