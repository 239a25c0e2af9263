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
/// `rollback-stores` has the same for its own pools: neither crate needs the other, and what is mended here is mended there.
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

#[cfg(test)]
mod tests {
    use sqlx::sqlite::{SqliteConnectOptions, SqlitePoolOptions};

    use super::*;

    #[tokio::test]
    async fn after_a_full_disk_a_transaction_can_begin_again() {
        let folder = tempfile::tempdir().unwrap();
        let options = SqliteConnectOptions::new().filename(folder.path().join("a.db")).create_if_missing(true);
        let pool = SqlitePoolOptions::new()
            .max_connections(1)
            .after_release(may_return)
            .connect_with(options.pragma("max_page_count", "20"))
            .await
            .unwrap();
        sqlx::query("CREATE TABLE a (x)").execute(&pool).await.unwrap();
        for _ in 0..3 {
            let mut change = pool.begin_with("BEGIN IMMEDIATE").await.unwrap();
            let full = sqlx::query("INSERT INTO a VALUES (randomblob(1000000))").execute(&mut *change).await;
            assert!(full.is_err());
        }
        let mut change = pool.begin_with("BEGIN IMMEDIATE").await.unwrap();
        sqlx::query("INSERT INTO a VALUES (1)").execute(&mut *change).await.unwrap();
        change.commit().await.unwrap();
    }
}
