//! Icons: one sprite in the document, used by name. Drawn for this project on a grid of 24.

use leptos::prelude::*;

/// Which icon.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum IconName {
    Home,
    List,
    Clock,
    Box,
    Shield,
    Check,
    Cross,
    Warning,
    Back,
    Dash,
    Arrow,
    Spinner,
    Circle,
    Question,
    Copy,
    Search,
    Download,
    Pause,
    Info,
    Refresh,
    People,
    Book,
    Key,
}

impl IconName {
    /// The reference into the sprite.
    fn reference(self) -> &'static str {
        match self {
            Self::Home => r##"<use href="#i-home"></use>"##,
            Self::List => r##"<use href="#i-list"></use>"##,
            Self::Clock => r##"<use href="#i-clock"></use>"##,
            Self::Box => r##"<use href="#i-box"></use>"##,
            Self::Shield => r##"<use href="#i-shield"></use>"##,
            Self::Check => r##"<use href="#i-check"></use>"##,
            Self::Cross => r##"<use href="#i-cross"></use>"##,
            Self::Warning => r##"<use href="#i-warning"></use>"##,
            Self::Back => r##"<use href="#i-back"></use>"##,
            Self::Dash => r##"<use href="#i-dash"></use>"##,
            Self::Arrow => r##"<use href="#i-arrow"></use>"##,
            Self::Spinner => r##"<use href="#i-spinner"></use>"##,
            Self::Circle => r##"<use href="#i-circle"></use>"##,
            Self::Question => r##"<use href="#i-question"></use>"##,
            Self::Copy => r##"<use href="#i-copy"></use>"##,
            Self::Search => r##"<use href="#i-search"></use>"##,
            Self::Download => r##"<use href="#i-download"></use>"##,
            Self::Pause => r##"<use href="#i-pause"></use>"##,
            Self::Info => r##"<use href="#i-info"></use>"##,
            Self::Refresh => r##"<use href="#i-refresh"></use>"##,
            Self::People => r##"<use href="#i-people"></use>"##,
            Self::Book => r##"<use href="#i-book"></use>"##,
            Self::Key => r##"<use href="#i-key"></use>"##,
        }
    }
}

/// An icon of the text's size and colour. It says nothing to assistive software: the text beside it does.
#[component]
pub fn Icon(
    /// Which.
    #[prop(into)]
    name: Signal<IconName>,
) -> impl IntoView {
    view! { <svg class="i" aria-hidden="true" inner_html=move || name.get().reference()></svg> }
}

/// The symbols that [`Icon`] refers to.
#[cfg(feature = "ssr")]
pub(crate) const SPRITE: &str = r#"<symbol id="i-home" viewBox="0 0 24 24"><path d="M4 11.5 12 5l8 6.5V19a1 1 0 0 1-1 1h-4.5v-5.5h-5V20H5a1 1 0 0 1-1-1z"/></symbol>
<symbol id="i-list" viewBox="0 0 24 24"><path d="M9 6h11M9 12h11M9 18h11M4.5 6h.01M4.5 12h.01M4.5 18h.01"/></symbol>
<symbol id="i-clock" viewBox="0 0 24 24"><circle cx="12" cy="12" r="8.5"/><path d="M12 7.5V12l3 2"/></symbol>
<symbol id="i-box" viewBox="0 0 24 24"><path d="M4 7.8 12 3.5l8 4.3v8.4l-8 4.3-8-4.3zM4 7.8l8 4.2 8-4.2M12 12v8.5"/></symbol>
<symbol id="i-shield" viewBox="0 0 24 24"><path d="M12 3.5 5.5 6.2v5c0 4.2 2.600 7.400 6.500 9.300 3.900-1.900 6.500-5.100 6.500-9.300v-5z"/><path d="m9 11.800 2.200 2.200 3.900-4.200"/></symbol>
<symbol id="i-check" viewBox="0 0 24 24"><path d="m5 12.800 4.300 4.200L19 7.500"/></symbol>
<symbol id="i-cross" viewBox="0 0 24 24"><path d="m6.500 6.500 11 11M17.500 6.500l-11 11"/></symbol>
<symbol id="i-warning" viewBox="0 0 24 24"><path d="M12 4.500 3 19.500h18zM12 10.500v4M12 17v.01"/></symbol>
<symbol id="i-back" viewBox="0 0 24 24"><path d="M8.500 5 4 9.500 8.500 14M4 9.500h10.200a5.300 5.300 0 0 1 0 10.600H11"/></symbol>
<symbol id="i-dash" viewBox="0 0 24 24"><path d="M6.500 12h11"/></symbol>
<symbol id="i-arrow" viewBox="0 0 24 24"><path d="M5 12h14M13 6l6 6-6 6"/></symbol>
<symbol id="i-spinner" viewBox="0 0 24 24"><path d="M12 3.500a8.500 8.500 0 1 1-8.100 5.900"/></symbol>
<symbol id="i-circle" viewBox="0 0 24 24"><circle cx="12" cy="12" r="7.500"/></symbol>
<symbol id="i-question" viewBox="0 0 24 24"><path d="M7.500 8.500a4.500 4.500 0 1 1 6.600 4c-1.400.8-2.100 1.700-2.100 3.300M12 20v.01"/></symbol>
<symbol id="i-copy" viewBox="0 0 24 24"><rect x="8.500" y="8.500" width="11" height="11" rx="2"/><path d="M15.500 8.500v-2a2 2 0 0 0-2-2h-7a2 2 0 0 0-2 2v7a2 2 0 0 0 2 2h2"/></symbol>
<symbol id="i-search" viewBox="0 0 24 24"><circle cx="10.800" cy="10.800" r="6.300"/><path d="m15.500 15.500 4.500 4.500"/></symbol>
<symbol id="i-download" viewBox="0 0 24 24"><path d="M12 4.500v10.500M7.500 11l4.500 4.500 4.500-4.500M5 19.500h14"/></symbol>
<symbol id="i-pause" viewBox="0 0 24 24"><path d="M9 6.500v11M15 6.500v11"/></symbol>
<symbol id="i-info" viewBox="0 0 24 24"><circle cx="12" cy="12" r="8.500"/><path d="M12 11.500v4.500M12 8v.01"/></symbol>
<symbol id="i-refresh" viewBox="0 0 24 24"><path d="M19.500 11A7.700 7.700 0 0 0 5.600 7.800L4 9.500M4 4.500v5h5M4.500 13a7.700 7.700 0 0 0 13.900 3.200l1.600-1.700M20 19.500v-5h-5"/></symbol>
<symbol id="i-people" viewBox="0 0 24 24"><circle cx="9" cy="8.500" r="3.500"/><path d="M3 19.500c.4-3.400 2.800-5.500 6-5.500s5.600 2.100 6 5.500M15.500 5.300a3.500 3.500 0 0 1 0 6.400M17.500 14.500c2 .8 3.200 2.500 3.500 5"/></symbol>
<symbol id="i-book" viewBox="0 0 24 24"><path d="M6 4h11a1 1 0 0 1 1 1v15H7.500A1.500 1.500 0 0 1 6 18.500zM6 18.500A1.500 1.500 0 0 1 7.500 17H18M9.500 8h5M9.500 11.500h5"/></symbol>
<symbol id="i-key" viewBox="0 0 24 24"><circle cx="8" cy="15.500" r="4"/><path d="m11 12.500 8-8M16 7.500l2.500 2.500"/></symbol>"#;
