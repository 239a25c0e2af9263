//! The application: every address with its page.

use leptos::prelude::*;
use leptos_meta::{Title, provide_meta_context};
use leptos_router::components::{Route, Router, Routes};
use leptos_router::{SsrMode, path};

use crate::frame::Frame;
use crate::pages::approvals::{ApprovalPage, ApprovalsPage};
use crate::pages::audit::AuditPage;
use crate::pages::backups::BackupsPage;
use crate::pages::compare::ComparePage;
use crate::pages::history::HistoryPage;
use crate::pages::not_found::NotFoundPage;
use crate::pages::overview::OverviewPage;
use crate::pages::password::PasswordPage;
use crate::pages::people::{TokensPage, UsersPage};
use crate::pages::plan::{MakeBackupPage, MakeSafetyBackupPage, PlanPage, RestorePage, ResumePage, UndoPage};
use crate::pages::report::ReportPage;
use crate::pages::run::RunPage;
use crate::pages::setup::SetupPage;
use crate::pages::sign_in::SignInPage;
use crate::pages::styleguide::StyleguidePage;
use crate::pages::version::VersionPage;
use crate::pages::versions::VersionsPage;
use crate::pages::welcome::WelcomePage;

/// The whole application, inside `<body>`. Every route is rendered completely before it is sent (`SsrMode::Async`), so
/// that pages can be read without JavaScript.
#[component]
pub fn App() -> impl IntoView {
    provide_meta_context();

    view! {
        <Title formatter=crate::tab_title />
        <Router>
            <Frame>
                <Routes fallback=NotFoundPage>
                    <Route path=path!("/") view=OverviewPage ssr=SsrMode::Async />
                    <Route path=path!("/versions") view=VersionsPage ssr=SsrMode::Async />
                    <Route path=path!("/versions/:id") view=VersionPage ssr=SsrMode::Async />
                    <Route path=path!("/versions/:id/plan") view=PlanPage ssr=SsrMode::Async />
                    <Route path=path!("/runs") view=HistoryPage ssr=SsrMode::Async />
                    <Route path=path!("/runs/compare") view=ComparePage ssr=SsrMode::Async />
                    <Route path=path!("/runs/:id") view=RunPage ssr=SsrMode::Async />
                    <Route path=path!("/runs/:id/report") view=ReportPage ssr=SsrMode::Async />
                    <Route path=path!("/runs/:id/resume") view=ResumePage ssr=SsrMode::Async />
                    <Route path=path!("/runs/:id/undo") view=UndoPage ssr=SsrMode::Async />
                    <Route path=path!("/restore/:source") view=RestorePage ssr=SsrMode::Async />
                    <Route path=path!("/backups/new") view=MakeBackupPage ssr=SsrMode::Async />
                    <Route path=path!("/backups/new/:source") view=MakeSafetyBackupPage ssr=SsrMode::Async />
                    <Route path=path!("/backups") view=BackupsPage ssr=SsrMode::Async />
                    <Route path=path!("/approvals") view=ApprovalsPage ssr=SsrMode::Async />
                    <Route path=path!("/approvals/:digest") view=ApprovalPage ssr=SsrMode::Async />
                    <Route path=path!("/people") view=UsersPage ssr=SsrMode::Async />
                    <Route path=path!("/people/tokens") view=TokensPage ssr=SsrMode::Async />
                    <Route path=path!("/password") view=PasswordPage ssr=SsrMode::Async />
                    <Route path=path!("/audit") view=AuditPage ssr=SsrMode::Async />
                    <Route path=path!("/setup") view=SetupPage ssr=SsrMode::Async />
                    <Route path=path!("/styleguide") view=StyleguidePage ssr=SsrMode::Async />
                    <Route path=path!("/sign-in") view=SignInPage ssr=SsrMode::Async />
                    <Route path=path!("/welcome") view=WelcomePage ssr=SsrMode::Async />
                </Routes>
            </Frame>
        </Router>
    }
}
