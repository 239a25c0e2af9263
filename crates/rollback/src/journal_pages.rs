//! The journal read from one end to the other, page after page, and no further than is asked for.

use futures::stream::{self, BoxStream};
use futures::{StreamExt, TryStreamExt};
use rollback_types::{Event, RunId, RunQuery, RunSummary};

use crate::journal::{Journal, JournalError};

/// Events of one page.
const EVENTS: u32 = 500;

/// All runs of a query, newest first; its `limit` is the size of a page.
pub(crate) fn runs(journal: &dyn Journal, query: RunQuery) -> BoxStream<'_, Result<RunSummary, JournalError>> {
    stream::try_unfold(Some(query), move |query| async move {
        let Some(mut query) = query else { return Ok::<_, JournalError>(None) };
        let page = journal.runs(&query).await?;
        let next = page.next_cursor.map(|cursor| {
            query.cursor = Some(cursor);
            query
        });
        Ok(Some((stream::iter(page.items.into_iter().map(Ok)), next)))
    })
    .try_flatten()
    .boxed()
}

/// All events of a run, in order.
pub(crate) fn events(journal: &dyn Journal, run: RunId) -> BoxStream<'_, Result<Event, JournalError>> {
    stream::try_unfold(0, move |after| async move {
        let events = journal.events(run, after, EVENTS).await?;
        let Some(last) = events.last().map(|event| event.number) else { return Ok::<_, JournalError>(None) };
        Ok(Some((stream::iter(events.into_iter().map(Ok)), last)))
    })
    .try_flatten()
    .boxed()
}
