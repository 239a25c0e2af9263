//! Gathering rows of one shape, so that they share a request or a statement.

use std::collections::HashMap;
use std::hash::Hash;

use super::BYTES_PER_REQUEST;

/// Bytes of rows held at most.
const MOST_BYTES: usize = 32 * 1024 * 1024;

/// Rows by shape. Holds a bounded number and size, however many shapes there are.
pub(crate) struct Batches<K, V> {
    by_shape: HashMap<K, Batch<V>>,
    held: usize,
    held_bytes: usize,
    /// Rows in a full batch.
    full: usize,
    /// Rows held at most.
    most: usize,
}

struct Batch<V> {
    rows: Vec<V>,
    bytes: usize,
}

impl<K: Clone + Eq + Hash, V> Batches<K, V> {
    pub(crate) fn new(full: usize, most: usize) -> Self {
        Self { by_shape: HashMap::new(), held: 0, held_bytes: 0, full, most }
    }

    /// Adds a row of about so many bytes; gives a batch that is full, or the largest one when too much is held.
    pub(crate) fn push(&mut self, shape: K, row: V, bytes: usize) -> Option<(K, Vec<V>)> {
        self.held += 1;
        self.held_bytes += bytes;
        let full = match self.by_shape.get_mut(&shape) {
            Some(batch) => {
                batch.rows.push(row);
                batch.bytes += bytes;
                batch.rows.len() >= self.full || batch.bytes >= BYTES_PER_REQUEST
            }
            None => {
                self.by_shape.insert(shape.clone(), Batch { rows: vec![row], bytes });
                self.full <= 1 || bytes >= BYTES_PER_REQUEST
            }
        };
        if full {
            return self.take(&shape);
        }
        let largest = if self.held_bytes >= MOST_BYTES {
            self.by_shape.iter().max_by_key(|(_, batch)| batch.bytes)
        } else if self.held >= self.most {
            self.by_shape.iter().max_by_key(|(_, batch)| batch.rows.len())
        } else {
            return None;
        };
        let largest = largest.map(|(shape, _)| shape.clone())?;
        self.take(&largest)
    }

    /// What is left, batch by batch.
    pub(crate) fn pop(&mut self) -> Option<(K, Vec<V>)> {
        let shape = self.by_shape.keys().next()?.clone();
        self.take(&shape)
    }

    fn take(&mut self, shape: &K) -> Option<(K, Vec<V>)> {
        let (shape, batch) = self.by_shape.remove_entry(shape)?;
        self.held -= batch.rows.len();
        self.held_bytes -= batch.bytes;
        Some((shape, batch.rows))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_lost_and_not_too_much_is_held() {
        let mut batches = Batches::new(3, 5);
        let (mut given, mut most) = (Vec::new(), 0);
        for row in 0..40 {
            // Shapes 0 to 7, the first of them as often as all others together.
            let shape = if row % 2 == 0 { 0 } else { row % 8 };
            if let Some((shape, rows)) = batches.push(shape, row, 1) {
                assert!(rows.iter().all(|row| if row % 2 == 0 { shape == 0 } else { shape == row % 8 }));
                assert!(rows.is_sorted() && rows.len() <= 3);
                given.extend(rows);
            }
            most = most.max(batches.held);
        }
        assert!(most < 5);
        while let Some((_, rows)) = batches.pop() {
            given.extend(rows);
        }
        given.sort_unstable();
        assert_eq!(given, (0..40).collect::<Vec<_>>());
        assert_eq!(batches.held, 0);
    }
    #[test]
    fn a_few_long_rows_are_a_full_batch_and_not_too_many_bytes_are_held() {
        let mut batches = Batches::new(1_000, 10_000);
        let (mut given, mut most) = (0, 0);
        for row in 0..200 {
            // Many shapes, none of which is ever full by itself.
            if let Some((_, rows)) = batches.push(row % 40, row, BYTES_PER_REQUEST / 8) {
                given += rows.len();
            }
            most = most.max(batches.held_bytes);
        }
        assert!(most < MOST_BYTES, "{most}");
        while let Some((_, rows)) = batches.pop() {
            given += rows.len();
        }
        assert_eq!((given, batches.held_bytes), (200, 0));
        assert_eq!(batches.push(1, 7, BYTES_PER_REQUEST), Some((1, vec![7])));
    }
}
