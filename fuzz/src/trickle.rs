//! A reader that gives little at a time, so that every state of a parser falls on a buffer's edge.

use std::io::{self, Read};

/// Gives one to three bytes a call.
pub struct Trickle<'a> {
    rest: &'a [u8],
    turn: usize,
}

impl<'a> Trickle<'a> {
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes, turn: 0 }
    }
}

impl Read for Trickle<'_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.turn += 1;
        let length = buf.len().min(self.turn % 3 + 1).min(self.rest.len());
        let (now, later) = self.rest.split_at(length);
        buf[..length].copy_from_slice(now);
        self.rest = later;
        Ok(length)
    }
}
