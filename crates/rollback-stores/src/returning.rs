//! Which connections go back into their pool.

use std::pin::Pin;

use sqlx::pool::PoolConnectionMetadata;
use sqlx::{Connection as _, SqliteConnection};

/// Whether a connection that is given back may be used again.
///
/// Where the disk is full SQLite itself rolls the transaction back. The driver's own rollback fails then, it takes the
/// transaction to be open for ever, and begins no other on that connection: what needs one would fail until Stepback is
/// started again, also when there is room.
///
/// `access` has the same for its own pools: neither crate needs the other, and what is mended here is mended there.
pub(crate) fn may_return(
    connection: &mut SqliteConnection,
    _: PoolConnectionMetadata,
) -> Pin<Box<dyn Future<Output = Result<bool, sqlx::Error>> + Send + '_>> {
    Box::pin(async move {
        if connection.is_in_transaction() {
            // A rollback that was only asked for is carried out before this is answered.
            connection.ping().await?;
        }
        Ok(!connection.is_in_transaction())
    })
}
