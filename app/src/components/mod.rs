//! What pages are made of. Styles are in `style/30-components.css` and its neighbours, under the same names.

pub mod badge;
pub mod card;
pub mod clock;
pub mod code;
pub mod connection;
pub mod controls;
pub mod decision;
pub mod dialog;
pub mod diff;
pub mod field;
#[cfg(feature = "ssr")]
pub mod figures;
pub mod icon;
pub mod key_help;
pub mod ladder;
pub mod ladder_glyph;
pub mod message;
pub mod names;
pub mod palette;
pub mod password;
pub mod problem;
pub mod role;
pub mod store;
pub mod table;
pub mod toast;

pub use badge::{Badge, RunBadge, StepBadge, Tone, VersionBadge};
pub use card::{Card, Fact, KeyValue, PageHeader};
pub use clock::{Moment, Time, TimeStyle};
pub use code::CodeBlock;
pub use connection::ConnectionState;
pub use controls::{Chip, FilterChips, Pagination, SearchField};
pub use decision::DecisionForm;
pub use dialog::{Dialog, DialogButton};
pub use diff::{Change, Diff};
pub use field::{FieldKind, TextArea, TextField};
#[cfg(feature = "ssr")]
pub use figures::{Chart, Figures};
pub use icon::{Icon, IconName};
pub use ladder::LadderGrid;
pub use ladder_glyph::LadderGlyph;
#[cfg(feature = "ssr")]
pub use message::Said;
pub use message::{Callout, EmptyState, ErrorPanel, Loading, VerdictPanel};
pub use names::{CopyableId, Foreign, RunLink, VersionLink, VersionName};
pub use password::{PasswordFields, ShowTyped};
pub use problem::ProblemFacts;
pub use role::RoleNote;
#[cfg(feature = "ssr")]
pub use role::plan_link;
pub use store::{Meter, StoreDot, StoreName};
pub use table::{Column, DataTable, Direction};
pub use toast::Toast;
