//! How far a step is: a bar, what was counted, at which rate, and how long the rest may take; or what it does beside that, in the
//! server's words.
#![allow(missing_docs, reason = "the component macro makes an undocumented props type")]

use leptos::prelude::*;
use rollback_types::{Step, StepState, StepView};

use super::pace::Pace;
use crate::components::Meter;
use crate::format;

/// The paces of all steps, as this browser saw them.
pub(super) type Paces = RwSignal<Vec<(Step, Pace)>>;

/// The pace of one step; a new one where nothing was seen of it yet.
pub(super) fn pace_of(all: &mut Vec<(Step, Pace)>, step: Step) -> &mut Pace {
    let at = all.iter().position(|(of, _)| *of == step).unwrap_or_else(|| {
        all.push((step, Pace::default()));
        all.len() - 1
    });
    &mut all[at].1
}

/// The bar, with its figures.
#[component]
pub(super) fn StepMeter(view: Memo<Option<StepView>>, paces: Paces, step: Step) -> impl IntoView {
    let counted = Memo::new(move |_| {
        view.with(|v| {
            let s = v.as_ref().filter(|s| matches!(s.state, StepState::Running | StepState::Failed))?;
            Some((s.done?, s.total?, s.unit.clone().unwrap_or_default()))
        })
    });
    // The bar is full only when the step's check has proven it; until then the last percent is missing.
    let percent =
        Signal::derive(move || counted.with(|c| c.as_ref().map_or(0, |(d, t, _)| format::percent(*d, *t).min(99))));
    // What it does beside what it counts, as the server says it.
    let doing = Memo::new(move |_| view.with(|v| v.as_ref().and_then(|s| s.doing.clone())));
    let text = move || {
        doing.get().or_else(|| {
            counted.with(|c| {
                c.as_ref().map(|(done, total, unit)| {
                    let seen = |all: &Vec<(Step, Pace)>| {
                        let pace = all.iter().find(|(of, _)| *of == step).map(|(_, pace)| pace);
                        progress_text(*done, *total, unit, pace)
                    };
                    paces.with(seen)
                })
            })
        })
    };
    let bar = Memo::new(move |_| counted.with(Option::is_some));
    let shown = Memo::new(move |_| bar.get() || doing.with(Option::is_some));
    move || {
        let bar = bar.get();
        shown.get().then(|| {
            view! {
                <div class="meter">
                    {bar.then(|| {
                        view! { <Meter label=format!("Progress of {step}") percent=percent store=step.lane() /> }
                    })}
                    <span class="small muted">{text}</span>
                </div>
            }
        })
    }
}

/// `12,000 of 34,000 nodes · 4,200 a second · about 5 s left`.
fn progress_text(done: u64, total: u64, unit: &str, pace: Option<&Pace>) -> String {
    let bytes = unit == "bytes";
    let amount = if bytes {
        format!("{} of {}", format::bytes(done), format::bytes(total))
    } else {
        format!("{} of {} {unit}", format::count(done), format::count(total))
    };
    let rate = pace.and_then(Pace::per_second).map(|r| {
        let r = r.round() as u64;
        if bytes { format!(" · {} a second", format::bytes(r)) } else { format!(" · {} a second", format::count(r)) }
    });
    let left = pace.and_then(|p| p.remaining_ms(total)).map(|ms| format!(" · about {} left", whole_seconds(ms)));
    format!("{amount}{}{}", rate.unwrap_or_default(), left.unwrap_or_default())
}

/// An estimate has no use for tenths.
pub(super) fn whole_seconds(ms: u64) -> String {
    match ms.div_ceil(1_000).max(1) {
        s @ 1..=59 => format!("{s} s"),
        s => format::duration(s * 1_000),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn progress_promises_nothing_it_did_not_see() {
        assert_eq!(progress_text(10, 34_000, "nodes", None), "10 of 34,000 nodes");
        let mut pace = Pace::default();
        pace.push(0.0, 0);
        pace.push(1_000.0, 4_000);
        assert_eq!(
            progress_text(4_000, 34_000, "nodes", Some(&pace)),
            "4,000 of 34,000 nodes · 4,000 a second · about 8 s left"
        );
        assert_eq!(progress_text(4_000, 8_000, "bytes", None), "4.0 kB of 8.0 kB");
    }
}
