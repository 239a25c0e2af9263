//! What of a copy's schema is not as ours.

use std::collections::BTreeMap;

use rollback::store::StoreError;
use sqlx::SqliteConnection;

use super::catalog::{Catalog, Kept, Kind, MAIN, Object, shown};
use super::fault::Asked;
use super::shape::CHAPTERS;

/// The most sentences told.
const MOST: usize = 20;

/// A column: its declared type, and what else was declared with it.
type Declared = BTreeMap<String, (String, String)>;

/// One side: a connection to a database, its catalogue, and what errors say about it.
pub(super) struct Side<'a> {
    pub(super) connection: &'a mut SqliteConnection,
    pub(super) catalog: Catalog,
    pub(super) asked: &'a Asked,
}

/// What a restore would bring along or leave, each as a sentence.
pub(super) async fn between(mut ours: Side<'_>, mut theirs: Side<'_>) -> Result<Vec<String>, StoreError> {
    let kept = Kept::of(&ours.catalog, &theirs.catalog);
    for catalog in [&mut ours.catalog, &mut theirs.catalog] {
        catalog.objects.retain(|o| !kept.holds(&o.table));
    }
    let mut told = Vec::new();
    for object in theirs.catalog.objects.clone() {
        let name = shown(&object.name);
        let word = object.kind.word();
        if object.kind == Kind::VirtualTable {
            told.push(format!(
                "The copy has the virtual table {name}, which Stepback cannot restore: a restore is refused."
            ));
            continue;
        }
        match twin(&ours.catalog, &object) {
            None => {
                told.push(format!("The copy has a {word} {name} that production does not have: a restore adds it."))
            }
            Some(_) if object.kind == Kind::Table => {
                let there = declared(theirs.connection, &object.name, theirs.asked).await?;
                let here = declared(ours.connection, &object.name, ours.asked).await?;
                columns_between(&name, &here, &there, &mut told);
            }
            Some(twin) if !same_text(&twin.sql, &object.sql) => {
                told.push(format!("The {word} {name} is another in the copy: a restore replaces it."));
            }
            Some(_) => {}
        }
    }
    for object in &ours.catalog.objects {
        if twin(&theirs.catalog, object).is_some() {
            continue;
        }
        let (word, name) = (object.kind.word(), shown(&object.name));
        told.push(if object.name.eq_ignore_ascii_case(CHAPTERS) {
            format!("The copy has no table {CHAPTERS}: nothing can be restored from it.")
        } else if !object.is_relation() && theirs.catalog.relation(&object.table).is_some() {
            let table = shown(&object.table);
            format!("The copy has no {word} {name} on {table}: a restore takes production's away.")
        } else {
            format!("The copy has no {word} {name}: a restore leaves production's as it is.")
        });
    }
    if told.len() > MOST {
        let more = told.len() - MOST;
        told.truncate(MOST);
        told.push(format!("And {more} more differences."));
    }
    Ok(told)
}

fn twin<'a>(catalog: &'a Catalog, object: &Object) -> Option<&'a Object> {
    catalog.objects.iter().find(|o| o.kind == object.kind && o.name.eq_ignore_ascii_case(&object.name))
}

fn columns_between(table: &str, here: &Declared, there: &Declared, told: &mut Vec<String>) {
    for (column, (kind, rest)) in there {
        let name = shown(column);
        match here.get(column) {
            None => told.push(format!("The column {name} of {table} is in the copy only: a restore adds it.")),
            Some((ours, _)) if !ours.eq_ignore_ascii_case(kind) => told.push(format!(
                "The column {name} of {table} is declared {} in the copy and {} in production: a restore makes it as in \
                 the copy.",
                type_name(kind),
                type_name(ours)
            )),
            Some((_, ours)) if ours != rest => told.push(format!(
                "The column {name} of {table} has another default, NOT NULL or key in the copy: a restore makes it as in \
                 the copy."
            )),
            Some(_) => {}
        }
    }
    for column in here.keys().filter(|c| !there.contains_key(*c)) {
        let name = shown(column);
        told.push(format!(
            "The column {name} of {table} is not in the copy: a restore takes it away with what it holds."
        ));
    }
}

fn type_name(declared: &str) -> String {
    if declared.is_empty() { "without a type".to_owned() } else { shown(declared) }
}

async fn declared(connection: &mut SqliteConnection, table: &str, asked: &Asked) -> Result<Declared, StoreError> {
    let sql = "SELECT lower(name), type, \"notnull\" || ' ' || pk || ' ' || hidden || ' ' || coalesce(dflt_value, '') \
               FROM pragma_table_xinfo(?, ?)";
    let rows: Vec<(String, String, String)> =
        sqlx::query_as(sql).bind(table).bind(MAIN).fetch_all(connection).await.map_err(|e| asked.sql(e))?;
    Ok(rows.into_iter().map(|(name, kind, rest)| (name, (kind, rest))).collect())
}

/// The same but for blanks.
fn same_text(a: &str, b: &str) -> bool {
    a.split_whitespace().eq(b.split_whitespace())
}
