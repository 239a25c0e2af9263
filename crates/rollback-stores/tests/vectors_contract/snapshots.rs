//! Snapshots, restores and the reading of points: what every adapter must do.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use futures::TryStreamExt as _;
use rollback::store::{Alias, Fault, OnProgress, PointRef, Removal, StoreError, VectorStore};
use rollback_stores::vector_point::VectorPoint;
use sha2::{Digest as _, Sha256};

use super::{Bench, DIMENSIONS, Names, points};

/// A real snapshot, of 12 points of 4 dimensions.
const REAL: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/../backup-formats/tests/fixtures/qdrant-1.18-12-points-4-dims.snapshot");
/// How many points production has.
const MANY: u32 = 700;

/// Points as [`points`] makes them, with vectors that point everywhere.
pub(crate) fn scattered(version: &str, numbers: std::ops::Range<u32>) -> Vec<VectorPoint> {
    let mut made = points(version, numbers.clone());
    for (point, number) in made.iter_mut().zip(numbers) {
        let hash = Sha256::digest(format!("{version} {number}"));
        point.vector = hash.iter().take(DIMENSIONS as usize).map(|byte| f32::from(*byte) / 128.0 - 1.0).collect();
    }
    made
}

/// Notes what it is told.
#[derive(Clone, Default)]
pub(crate) struct Told(Arc<Mutex<Vec<(u64, u64)>>>);

impl Told {
    pub(crate) fn sink(&self) -> OnProgress {
        let told = self.0.clone();
        Arc::new(move |done, total| told.lock().unwrap().push((done, total)))
    }

    /// How often it was told something.
    pub(crate) fn times(&self) -> usize {
        self.0.lock().unwrap().len()
    }

    /// It never went back, never passed the end, and reached it.
    fn reached(&self, size: u64) {
        let told = self.0.lock().unwrap();
        assert!(told.is_sorted(), "{told:?}");
        assert_eq!(told.last(), Some(&(size, size)));
    }
}

pub(crate) fn quiet() -> OnProgress {
    Arc::new(|_, _| {})
}

pub(crate) fn sha256_of(path: &Path) -> String {
    hex::encode(Sha256::digest(fs::read(path).unwrap()))
}

/// A file of this content, and its hash.
pub(crate) fn file_of(folder: &Path, name: &str, content: &[u8]) -> (PathBuf, String) {
    let path = folder.join(name);
    fs::write(&path, content).unwrap();
    (path, hex::encode(Sha256::digest(content)))
}

pub(crate) async fn every_point(store: &dyn VectorStore, collection: &str) -> Result<Vec<PointRef>, StoreError> {
    let mut all: Vec<PointRef> = store.points(collection).try_collect().await?;
    all.sort_by(|a, b| a.id.cmp(&b.id));
    Ok(all)
}

/// All that the trait can tell of a collection: references, vectors, and the fingerprint of the ids.
async fn content(
    store: &dyn VectorStore,
    collection: &str,
) -> Result<(Vec<PointRef>, BTreeMap<String, Vec<u32>>, String), StoreError> {
    let vectors = store.sample(collection, 10_000).await?;
    let bits = |vector: &[f32]| vector.iter().map(|number| number.to_bits()).collect();
    let vectors = vectors.iter().map(|point| (point.id.clone(), bits(&point.vector))).collect();
    let ids = store.id_fingerprint(collection).await?.expect("the collection is there");
    Ok((every_point(store, collection).await?, vectors, hex::encode(ids.xor)))
}

async fn refused(store: &dyn VectorStore, collection: &str, from: &Path, sha256: &str) -> StoreError {
    store.restore_snapshot(collection, from, sha256, quiet()).await.expect_err("must be refused")
}

pub(crate) async fn suite(bench: &Bench<'_>, names: &Names, folder: &Path) -> Result<(), StoreError> {
    let store = bench.store();
    let Names { production, staging: other, odd: scratch, latest } = names;
    bench.load(production, scattered("production", 0..MANY)).await?;
    bench.load(other, scattered("v2_minor_20251226_143022", 200..900)).await?;
    bench.set_alias(latest, production).await?;
    let aliases = store.aliases().await?;
    let before = content(store, production).await?;

    reading(store, production, latest).await?;

    // Taken: whole, as the store says, and never over another file.
    let kept = folder.join("kept.snapshot");
    let told = Told::default();
    let taken = store.take_snapshot(production, &kept, told.sink()).await?;
    assert_eq!((&taken.path, taken.bytes), (&kept, fs::metadata(&kept).unwrap().len()));
    assert_eq!(taken.sha256, sha256_of(&kept));
    told.reached(taken.bytes);
    assert_eq!((taken.inventory.name.as_str(), taken.inventory.points), (production.as_str(), Some(u64::from(MANY))));
    assert_eq!(taken.inventory.digest.as_ref(), Some(&before.2), "the file's own table of ids");
    let again = store.take_snapshot(production, &kept, quiet()).await.expect_err("there is a file");
    assert_eq!(again.fault, Fault::Refused, "{again}");
    assert_eq!(sha256_of(&kept), taken.sha256);
    for (name, fault) in [(latest.as_str(), Fault::Refused), ("no such", Fault::Missing), ("a/b", Fault::Refused)] {
        let error = store.take_snapshot(name, &folder.join("none"), quiet()).await.expect_err("must fail");
        assert_eq!(error.fault, fault, "{name}: {error}");
    }
    let nowhere = folder.join("no/such/folder/file");
    assert!(store.take_snapshot(production, &nowhere, quiet()).await.is_err());
    assert_eq!(fs::read_dir(folder).unwrap().count(), 1, "no half file stays");

    // Changed, and put back: every id, payload and vector as before, the alias too.
    let changed = folder.join("changed.snapshot");
    let changed = store.take_snapshot(other, &changed, quiet()).await?;
    store.restore_snapshot(production, &changed.path, &changed.sha256, quiet()).await?;
    assert_eq!(content(store, production).await?, content(store, other).await?);
    let told = Told::default();
    store.restore_snapshot(production, &kept, &taken.sha256, told.sink()).await?;
    told.reached(taken.bytes);
    assert_eq!(content(store, production).await?, before);
    assert_eq!(store.count(production).await?, Some(u64::from(MANY)));
    assert_eq!(store.aliases().await?, aliases);
    let upper = taken.sha256.to_uppercase();
    store.restore_snapshot(production, &kept, &upper, quiet()).await?;

    // A collection that is missing is made.
    store.restore_snapshot(scratch, &kept, &taken.sha256, quiet()).await?;
    assert_eq!(content(store, scratch).await?, before);
    assert_eq!(store.delete_collection(scratch, u64::from(MANY)).await?, Removal::Removed(u64::from(MANY)));

    // Refused, with nothing changed.
    let whole = fs::read(&kept).unwrap();
    let error = refused(store, latest, &kept, &taken.sha256).await;
    assert_eq!(error.fault, Fault::Refused, "{error}");
    for wrong in ["0".repeat(64), String::new(), "no hash, but & what".to_owned()] {
        let error = refused(store, production, &kept, &wrong).await;
        assert_eq!(error.fault, Fault::Refused, "{error}");
    }
    for (name, bytes) in [("cut", &whole[..whole.len() * 2 / 3]), ("text", b"no archive at all"), ("empty", b"")] {
        let (path, sha256) = file_of(folder, name, bytes);
        let error = refused(store, production, &path, &sha256).await;
        assert_eq!(error.fault, Fault::Corrupt, "{name}: {error}");
        assert_eq!(error.endpoint, path.display().to_string(), "it is the file's fault");
    }
    let error = refused(store, production, &folder.join("no_such_file"), &taken.sha256).await;
    assert_eq!(error.fault, Fault::Missing, "{error}");
    // A real snapshot: of another size for a server, of another store for the embedded one.
    let error = refused(store, production, Path::new(REAL), &sha256_of(Path::new(REAL))).await;
    assert!(matches!(error.fault, Fault::Refused | Fault::ServerFailed), "{error}");
    assert_eq!(content(store, production).await?, before);
    assert_eq!(store.aliases().await?, aliases);
    if let Bench::Embedded(_) = bench {
        assert!(error.detail.contains("only a Qdrant server"), "{error}");
        return Ok(());
    }
    // The embedded store's own file is not even sent.
    let embedded = super::embedded_faults::filled(folder).await;
    let foreign = embedded.take_snapshot("chunks", &folder.join("embedded.snapshot"), quiet()).await?;
    let error = refused(store, production, &foreign.path, &foreign.sha256).await;
    assert_eq!(error.fault, Fault::Refused, "{error}");
    assert!(error.detail.contains("embedded store"), "{error}");
    assert_eq!(content(store, production).await?, before);
    Ok(())
}

/// Points, samples and neighbours.
async fn reading(store: &dyn VectorStore, collection: &str, alias: &str) -> Result<(), StoreError> {
    let mut expected: Vec<PointRef> = scattered("production", 0..MANY)
        .into_iter()
        .map(|point| PointRef {
            id: point.id.to_string(),
            chunk_id: point.payload["chunk_id"].as_str().map(str::to_owned),
            version_id: Some("production".to_owned()),
        })
        .collect();
    expected.sort_by(|a, b| a.id.cmp(&b.id));
    assert_eq!(every_point(store, collection).await?, expected);
    for name in [alias, "no such collection"] {
        assert_eq!(every_point(store, name).await.map_err(|e| e.fault), Err(Fault::Missing));
        assert_eq!(store.sample(name, 3).await.map_err(|e| e.fault), Err(Fault::Missing));
        assert_eq!(store.nearest(name, &[1.0; 8], 3).await.map_err(|e| e.fault), Err(Fault::Missing));
    }

    let known: BTreeSet<&str> = expected.iter().map(|point| point.id.as_str()).collect();
    let sample = store.sample(collection, 25).await?;
    let ids: BTreeSet<&str> = sample.iter().map(|point| point.id.as_str()).collect();
    assert_eq!((sample.len(), ids.len()), (25, 25));
    assert!(ids.is_subset(&known));
    for point in &sample {
        let found = store.nearest(collection, &point.vector, 5).await?;
        assert_eq!(found.first(), Some(&point.id), "a stored vector finds itself first");
        let distinct: BTreeSet<&str> = found.iter().map(String::as_str).collect();
        assert!(distinct.len() == 5 && distinct.is_subset(&known), "{found:?}");
    }
    assert_eq!(store.sample(collection, 0).await?, []);
    let vector = &sample[0].vector;
    assert_eq!(store.nearest(collection, vector, 0).await?, Vec::<String>::new());
    assert_eq!(store.nearest(collection, &vector[1..], 5).await.map_err(|e| e.fault), Err(Fault::Refused));
    Ok(())
}

/// An alias list as the suite expects it, for the tests of single adapters.
pub(crate) fn alias(alias: &str, collection: &str) -> Alias {
    Alias { alias: alias.to_owned(), collection: collection.to_owned() }
}
