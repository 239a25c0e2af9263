//! Gathering rows of one shape, so that they share a request or a statement.

use std::collections::HashMap;
use std::hash::Hash;

/// Rows by shape. Holds a bounded number, however many shapes there are.
pub(crate) struct Batches<K, V> {
    by_shape: HashMap<K, Vec<V>>,
    held: usize,
    /// Rows in a full batch.
    full: usize,
    /// Rows held at most.
    most: usize,
}

impl<K: Clone + Eq + Hash, V> Batches<K, V> {
    pub(crate) fn new(full: usize, most: usize) -> Self {
        Self { by_shape: HashMap::new(), held: 0, full, most }
    }

    /// Adds a row; gives a batch that is full, or the largest one when too much is held.
    pub(crate) fn push(&mut self, shape: K, row: V) -> Option<(K, Vec<V>)> {
        self.held += 1;
        let full = match self.by_shape.get_mut(&shape) {
            Some(rows) => {
                rows.push(row);
                rows.len() >= self.full
            }
            None => {
                self.by_shape.insert(shape.clone(), vec![row]);
                self.full <= 1
            }
        };
        if full {
            return self.take(&shape);
        }
        if self.held < self.most {
            return None;
        }
        let largest = self.by_shape.iter().max_by_key(|(_, rows)| rows.len()).map(|(shape, _)| shape.clone())?;
        self.take(&largest)
    }

    /// What is left, batch by batch.
    pub(crate) fn pop(&mut self) -> Option<(K, Vec<V>)> {
        let shape = self.by_shape.keys().next()?.clone();
        self.take(&shape)
    }

    fn take(&mut self, shape: &K) -> Option<(K, Vec<V>)> {
        let batch = self.by_shape.remove_entry(shape)?;
        self.held -= batch.1.len();
        Some(batch)
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
            if let Some((shape, rows)) = batches.push(shape, row) {
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
}
