//! The tables, indexes, views and triggers of an attached copy in the place of ours, inside a transaction.

use std::collections::{BTreeMap, BTreeSet};

use rollback::store::{Fault, StoreError};
use sqlx::{AssertSqlSafe, SqliteConnection};

use super::catalog::{COPY, Catalog, Kept, Kind, MAIN, Object, RowForm, shown};
use super::chapters::broken_references;
use super::content::Content;
use super::fault::{Asked, result_code};
use super::shape::quoted;

/// What goes and what comes, and what must be the same afterwards.
pub(super) struct Swap<'a> {
    live: &'a Asked,
    copy: &'a Asked,
    /// Ours that go: relations only, what belongs to them goes with them.
    goes: Vec<Object>,
    /// Theirs that come, in the order in which they are made.
    comes: Vec<Object>,
    /// Ours that stay.
    stays: Vec<Object>,
    /// The registry's, the log's and the staging tables' rows.
    kept_rows: BTreeMap<String, Content>,
    kept_sequences: Vec<Sequence>,
}

/// A row of `sqlite_sequence`: the last number an AUTOINCREMENT table gave.
type Sequence = (String, Option<i64>);

impl<'a> Swap<'a> {
    /// Looks at both schemas. Refuses what cannot be carried over whole.
    pub(super) async fn prepare(
        connection: &mut SqliteConnection,
        live: &'a Asked,
        copy: &'a Asked,
    ) -> Result<Self, StoreError> {
        let ours = Catalog::load(connection, MAIN, live).await?;
        let theirs = Catalog::load(connection, COPY, copy).await?;
        let kept = Kept::of(&ours, &theirs);

        let mut comes: Vec<_> = theirs.objects.iter().filter(|o| !kept.holds(&o.table)).cloned().collect();
        comes.sort_by_key(|o| o.kind);
        let names: BTreeSet<_> =
            comes.iter().filter(|o| o.is_relation()).map(|o| o.name.to_ascii_lowercase()).collect();
        let replaced = |name: &str| names.contains(&name.to_ascii_lowercase());
        refuse_virtual(&ours, &comes, live, copy)?;

        let (gone, stays): (Vec<_>, Vec<_>) = ours.objects.iter().cloned().partition(|o| replaced(&o.table));
        let goes = gone.into_iter().filter(Object::is_relation).collect();
        let mut kept_rows = BTreeMap::new();
        for table in ours.tables().filter(|o| kept.holds(&o.name)) {
            let content = Content::of_table(connection, MAIN, &table.name, live).await?;
            kept_rows.insert(table.name.clone(), content);
        }
        let mut kept_sequences = sequences(connection, MAIN, live).await?;
        kept_sequences.retain(|(name, _)| !replaced(name));
        Ok(Self { live, copy, goes, comes, stays, kept_rows, kept_sequences })
    }

    /// Drops ours, makes theirs, copies the rows.
    pub(super) async fn carry_out(&self, connection: &mut SqliteConnection) -> Result<(), StoreError> {
        // Views first: they refer to tables.
        for object in self.goes.iter().rev() {
            let what = if object.kind == Kind::View { "VIEW" } else { "TABLE" };
            self.run(connection, format!("DROP {what} {MAIN}.{}", quoted(&object.name)), object).await?;
        }
        for object in self.comes.iter().filter(|o| o.kind == Kind::Table) {
            self.run(connection, object.sql.clone(), object).await?;
            let form = RowForm::load(connection, COPY, &object.name, self.copy).await?;
            let rows = form.select(COPY, &object.name);
            let sql = format!("INSERT INTO {MAIN}.{} ({}) {rows}", quoted(&object.name), form.columns);
            self.run(connection, sql, object).await?;
        }
        self.copy_sequences(connection).await?;
        for object in self.comes.iter().filter(|o| o.kind != Kind::Table) {
            self.run(connection, object.sql.clone(), object).await?;
        }
        Ok(())
    }

    /// Everything is as the copy says, or as it was.
    pub(super) async fn prove(&self, connection: &mut SqliteConnection) -> Result<(), StoreError> {
        let found: BTreeSet<_> = Catalog::load(connection, MAIN, self.live).await?.objects.into_iter().collect();
        let wanted: BTreeSet<_> = self.comes.iter().chain(&self.stays).cloned().collect();
        if let Some(differing) = found.symmetric_difference(&wanted).next() {
            return Err(self.undone(format!(
                "the {} {} is not in the restored schema as it must be",
                differing.kind.word(),
                shown(&differing.name)
            )));
        }
        for table in self.came() {
            let theirs = Content::of_table(connection, COPY, table, self.copy).await?;
            if Content::of_table(connection, MAIN, table, self.live).await? != theirs {
                return Err(self.undone(format!("the rows of {} did not arrive as the copy has them", shown(table))));
            }
        }
        for (table, before) in &self.kept_rows {
            if Content::of_table(connection, MAIN, table, self.live).await? != *before {
                return Err(self.undone(format!("{} would have changed with it", shown(table))));
            }
        }
        self.prove_sequences(connection).await?;
        for table in self.came() {
            let ours = broken_references(connection, MAIN, table, self.live).await?;
            let theirs = broken_references(connection, COPY, table, self.copy).await?;
            if let Some(broken) = ours
                && broken.rows > theirs.map_or(0, |t| t.rows)
            {
                let said = format!("{}, as ours is; everything was undone, nothing was changed", broken.told(table));
                return Err(self.copy.fault(Fault::Refused, said));
            }
        }
        Ok(())
    }

    /// The tables that came.
    fn came(&self) -> impl Iterator<Item = &str> {
        self.comes.iter().filter(|o| o.kind == Kind::Table).map(|o| o.name.as_str())
    }

    async fn run(&self, connection: &mut SqliteConnection, sql: String, object: &Object) -> Result<(), StoreError> {
        match sqlx::query(AssertSqlSafe(sql)).persistent(false).execute(connection).await {
            Ok(_) => Ok(()),
            // The statement itself is at fault, or the rows do not obey their table.
            Err(e) if matches!(result_code(&e) & 0xff, 1 | 19) => {
                let said = self.live.sql(e).detail;
                let told = format!(
                    "the {} {} cannot be taken over ({said}); everything was undone, nothing was changed",
                    object.kind.word(),
                    shown(&object.name)
                );
                Err(self.copy.fault(Fault::Refused, told))
            }
            Err(e) => Err(self.live.sql(e)),
        }
    }

    /// Making and filling the tables has already moved them: they follow the copy's.
    async fn copy_sequences(&self, connection: &mut SqliteConnection) -> Result<(), StoreError> {
        if !has_sequences(connection, MAIN, self.live).await? {
            return Ok(());
        }
        let theirs = has_sequences(connection, COPY, self.copy).await?;
        for table in self.came() {
            let mut statements = vec!["DELETE FROM main.sqlite_sequence WHERE name = ?"];
            if theirs {
                statements.push(
                    "INSERT INTO main.sqlite_sequence (name, seq) SELECT name, seq FROM copy.sqlite_sequence WHERE name = ?",
                );
            }
            for sql in statements {
                sqlx::query(sql).bind(table).execute(&mut *connection).await.map_err(|e| self.live.sql(e))?;
            }
        }
        Ok(())
    }

    async fn prove_sequences(&self, connection: &mut SqliteConnection) -> Result<(), StoreError> {
        let came = |name: &str| self.came().any(|table| table == name);
        let mut wanted = sequences(connection, COPY, self.copy).await?;
        wanted.retain(|(name, _)| came(name));
        wanted.extend(self.kept_sequences.iter().cloned());
        let mut found = sequences(connection, MAIN, self.live).await?;
        wanted.sort();
        found.sort();
        if found == wanted { Ok(()) } else { Err(self.undone("the numbering of new rows would be another".to_owned())) }
    }

    fn undone(&self, said: String) -> StoreError {
        self.copy.fault(Fault::Corrupt, format!("{said}; everything was undone, nothing was changed"))
    }
}

/// A virtual table's content lies in further tables that only its module may write.
fn refuse_virtual(ours: &Catalog, comes: &[Object], live: &Asked, copy: &Asked) -> Result<(), StoreError> {
    if let Some(object) = comes.iter().find(|o| o.kind == Kind::VirtualTable) {
        let said = format!(
            "{} is a virtual table (full text, say), which Stepback cannot restore; nothing was changed",
            shown(&object.name)
        );
        return Err(copy.fault(Fault::Refused, said));
    }
    for ours in ours.objects.iter().filter(|o| o.kind == Kind::VirtualTable) {
        let name = ours.name.to_ascii_lowercase();
        let part = format!("{name}_");
        let meets = |o: &&Object| {
            let other = o.name.to_ascii_lowercase();
            o.is_relation() && (other == name || other.starts_with(&part))
        };
        if let Some(other) = comes.iter().find(meets) {
            let said = format!(
                "{} would take the place of the virtual table {} or a part of it, which Stepback cannot do; nothing was \
                 changed",
                shown(&other.name),
                shown(&ours.name)
            );
            return Err(live.fault(Fault::Refused, said));
        }
    }
    Ok(())
}

async fn has_sequences(connection: &mut SqliteConnection, schema: &str, asked: &Asked) -> Result<bool, StoreError> {
    let sql = format!("SELECT EXISTS (SELECT 1 FROM {schema}.sqlite_master WHERE name = 'sqlite_sequence')");
    sqlx::query_scalar(AssertSqlSafe(sql)).persistent(false).fetch_one(connection).await.map_err(|e| asked.sql(e))
}

async fn sequences(
    connection: &mut SqliteConnection,
    schema: &str,
    asked: &Asked,
) -> Result<Vec<Sequence>, StoreError> {
    if !has_sequences(connection, schema, asked).await? {
        return Ok(Vec::new());
    }
    let sql =
        format!("SELECT CAST(name AS TEXT), CAST(seq AS INTEGER) FROM {schema}.sqlite_sequence WHERE name IS NOT NULL");
    sqlx::query_as(AssertSqlSafe(sql)).persistent(false).fetch_all(connection).await.map_err(|e| asked.sql(e))
}
