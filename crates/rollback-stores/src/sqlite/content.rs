//! Whether two tables hold the same, value by value: type, bytes and order.

use futures::TryStreamExt;
use rollback::store::StoreError;
use sha2::{Digest, Sha256};
use sqlx::sqlite::SqliteRow;
use sqlx::{AssertSqlSafe, Decode, Row, Sqlite, SqliteConnection, TypeInfo, ValueRef};

use super::catalog::RowForm;
use super::fault::Asked;

/// How many rows, and a digest of all that is in them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Content {
    pub(super) rows: u64,
    digest: [u8; 32],
}

impl Content {
    /// Reads a whole table.
    pub(super) async fn of_table(
        connection: &mut SqliteConnection,
        schema: &str,
        table: &str,
        asked: &Asked,
    ) -> Result<Self, StoreError> {
        let form = RowForm::load(connection, schema, table, asked).await?;
        let sql = form.select(schema, table);
        let (mut rows, mut digest) = (0, Sha256::new());
        let mut stream = sqlx::query(AssertSqlSafe(sql)).persistent(false).fetch(connection);
        while let Some(row) = stream.try_next().await.map_err(|e| asked.sql(e))? {
            rows += 1;
            add(&mut digest, &row).map_err(|e| asked.sql(e))?;
        }
        Ok(Self { rows, digest: digest.finalize().into() })
    }
}

/// Each value behind its type and length, so that no two rows share an encoding.
fn add(digest: &mut Sha256, row: &SqliteRow) -> Result<(), sqlx::Error> {
    for column in 0..row.len() {
        let value = row.try_get_raw(column)?;
        if value.is_null() {
            digest.update([0]);
            continue;
        }
        let kind = value.type_info().name().to_owned();
        match kind.as_str() {
            "INTEGER" => {
                let n = <i64 as Decode<Sqlite>>::decode(value).map_err(sqlx::Error::Decode)?;
                digest.update([1]);
                digest.update(n.to_be_bytes());
            }
            "REAL" => {
                let n = <f64 as Decode<Sqlite>>::decode(value).map_err(sqlx::Error::Decode)?;
                digest.update([2]);
                digest.update(n.to_bits().to_be_bytes());
            }
            _ => {
                let bytes = <&[u8] as Decode<Sqlite>>::decode(value).map_err(sqlx::Error::Decode)?;
                digest.update([if kind == "TEXT" { 3 } else { 4 }]);
                digest.update((bytes.len() as u64).to_be_bytes());
                digest.update(bytes);
            }
        }
    }
    Ok(())
}
