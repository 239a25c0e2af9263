//! How the C library keeps freed memory. A server that does nothing should hold little.

/// Tells the allocator to keep what is freed in few places and to give large pieces back at once. By itself it keeps up to eight
/// places for each processor, and every thread leaves something in its own. Call it before the first thread starts.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[allow(unsafe_code, reason = "the C library can be told in no other way")]
pub fn hold_little() {
    use std::ffi::c_int;
    unsafe extern "C" {
        fn mallopt(parameter: c_int, value: c_int) -> c_int;
    }
    const M_TRIM_THRESHOLD: c_int = -1;
    const M_MMAP_THRESHOLD: c_int = -3;
    const M_ARENA_MAX: c_int = -8;
    for (parameter, value) in [(M_ARENA_MAX, 2), (M_MMAP_THRESHOLD, 128 * 1024), (M_TRIM_THRESHOLD, 128 * 1024)] {
        // SAFETY: documented parameters with values in their ranges; no other thread runs yet. What it answers is of no
        // consequence: without it more memory is held, and nothing else.
        let _ = unsafe { mallopt(parameter, value) };
    }
}

/// Gives free memory back to the system, also from between what is used. Takes some milliseconds.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[allow(unsafe_code, reason = "the C library can be told in no other way")]
pub fn give_back() {
    use std::ffi::c_int;
    unsafe extern "C" {
        fn malloc_trim(pad: usize) -> c_int;
    }
    // SAFETY: it may be called at any time from any thread. It answers whether there was anything to give back.
    let _ = unsafe { malloc_trim(0) };
}

/// Other C libraries have an allocator without such habits.
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
pub fn hold_little() {}

/// See [`hold_little`].
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
pub fn give_back() {}

#[cfg(test)]
mod tests {
    /// That the C library knows both calls, and that memory is sound afterwards.
    #[test]
    fn memory_stays_what_it_was() {
        super::hold_little();
        let kept: Vec<Vec<u8>> = (0..200_u8).map(|n| vec![n; 50_000]).collect();
        let kept: Vec<Vec<u8>> = kept.into_iter().step_by(2).collect();
        super::give_back();
        assert!(
            (0..200).step_by(2).zip(&kept).all(|(n, piece)| piece.len() == 50_000 && piece.iter().all(|b| *b == n))
        );
    }
}
