//! Numbers that look random and are the same for the same seed, on every machine and for ever.

/// `SplitMix64`: small, fast, and fixed by definition, so that a new version of a library cannot change a demo.
#[derive(Clone, Debug)]
pub(super) struct Seeded(u64);

impl Seeded {
    /// A stream of its own for each subject, so that adding to one changes no other.
    pub fn new(seed: u64, subject: &str, number: u64) -> Self {
        // FNV-1a over the subject, then mixed with seed and number.
        let name =
            subject.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |h, b| (h ^ u64::from(b)).wrapping_mul(0x100_0000_01b3));
        let mut stream = Self(seed ^ name);
        stream.0 = stream.next() ^ number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        stream.next();
        stream
    }

    /// The next 64 bits.
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// 0 up to, not including, `limit`; 0 when that is 0.
    pub fn below(&mut self, limit: usize) -> usize {
        // The product of two 32-bit numbers, shifted: no remainder, no bias worth a thought here.
        (((self.next() >> 32) * (limit as u64)) >> 32) as usize
    }

    /// Evenly between -1 and 1.
    pub fn signed(&mut self) -> f32 {
        (self.next() >> 40) as f32 / 8_388_608.0 - 1.0
    }

    /// One of them.
    pub fn pick<'a>(&mut self, of: &[&'a str]) -> &'a str {
        of.get(self.below(of.len())).copied().unwrap_or_default()
    }
}

/// Where the share of the `i`-th of `parts` begins when `total` things are dealt out in order, as evenly as can be.
pub(super) fn share_start(i: usize, parts: usize, total: usize) -> usize {
    i * total / parts.max(1)
}

/// Whether `i` is among `chosen` of `parts`, spread evenly.
pub(super) fn is_chosen(i: usize, parts: usize, chosen: usize) -> bool {
    share_start(i + 1, parts, chosen) > share_start(i, parts, chosen)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stream_never_changes() {
        let mut stream = Seeded(0);
        // The first outputs of SplitMix64 for seed 0, as its reference gives them.
        assert_eq!(stream.next(), 0xe220_a839_7b1d_cdaf);
        assert_eq!(stream.next(), 0x6e78_9e6a_a1b9_65f4);
        let mut a = Seeded::new(1, "x", 7);
        assert_ne!(a.next(), Seeded::new(1, "y", 7).next());
        assert_ne!(Seeded::new(1, "x", 7).next(), Seeded::new(2, "x", 7).next());
        assert!((0..1000).all(|_| a.below(7) < 7 && (-1.0..1.0).contains(&a.signed())));
    }

    #[test]
    fn everything_is_dealt_out_once() {
        let chosen = (0..220).filter(|i| is_chosen(*i, 220, 160)).count();
        assert_eq!(chosen, 160);
        assert_eq!(share_start(220, 220, 2_023), 2_023);
    }
}
